"""``koppel accounts``: the accounts of dossiers, and what is missing in their chains."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .api import Api

MISSING_SHOWN_MAX = 10


@dataclass(frozen=True)
class AccountRow:
    """One account, as a line of a table."""

    dossier: str
    iban: str
    kind: str
    state: str
    last: str
    balance: str
    missing: str


def account_rows(api: Api, dossiers: list[dict[str, Any]]) -> Iterator[AccountRow]:
    """Yield a row for each account of these dossiers."""
    for dossier in dossiers:
        for account in api.items(f"/connector-coda/v1/dossiers/{dossier['id']}/accounts"):
            balance = account["balance"]
            yield AccountRow(
                dossier["name"],
                account["iban"],
                account["kind"],
                account["state"],
                f"{account['last_sequence'] or ''} {account['last_date'] or ''}".strip(),
                f"{balance['amount']} {balance['currency']}" if balance else "",
                _refusal(account) or "; ".join(_gap(gap) for gap in account["gaps"]),
            )


def _refusal(account: Mapping[str, Any]) -> str:
    return str(account["refusal"]["message"]["en"]) if account["refusal"] else ""


def _gap(gap: Mapping[str, Any]) -> str:
    missing = gap["missing"]
    named = ", ".join(str(number) for number in missing[:MISSING_SHOWN_MAX]) + (
        " …" if missing[MISSING_SHOWN_MAX:] else ""
    )
    between = f"{_statement(gap, 'after')} and {_statement(gap, 'before')}"
    return f"between {between}: {named or 'one or more'}"


def _statement(gap: Mapping[str, Any], side: str) -> str:
    return str(gap[side] or gap[f"{side}_on"])
