"""``koppel accounts``: the accounts of dossiers, and what is missing in their chains."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .api import Api

if TYPE_CHECKING:
    from koppel_client.generated import models

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


def account_rows(api: Api, dossiers: "Iterable[models.DossierBody]") -> Iterator[AccountRow]:
    """Yield a row for each account of these dossiers."""
    for dossier in dossiers:
        for account in api.connector_coda.iterate_accounts(dossier["id"]):
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


def _refusal(account: "models.AccountItem") -> str:
    return str(account["refusal"]["message"]["en"]) if account["refusal"] else ""


def _gap(gap: "models.Gap") -> str:
    missing = gap["missing"]
    named = ", ".join(str(number) for number in missing[:MISSING_SHOWN_MAX]) + (
        " …" if missing[MISSING_SHOWN_MAX:] else ""
    )
    after, before = gap["after"] or gap["after_on"], gap["before"] or gap["before_on"]
    return f"between {after} and {before}: {named or 'one or more'}"
