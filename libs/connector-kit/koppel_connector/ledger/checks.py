"""Steps of a health check that every ledger has: are the journals and VAT codes of the settings in the imported data."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Protocol, TypeVar

from koppel_bookkeeping import SIDES, CannotBook, Overrides
from koppel_bookkeeping.accounts import JournalOfBooks, choose_journal
from koppel_bookkeeping.settings import Journals, VatCodes
from koppel_connector.contract.errors import ConnectorError, ReauthorisationRequired
from koppel_connector.contract.problems import Problem
from koppel_connector.contract.results import CheckStep
from koppel_mesh.messages import DocumentKind

J = TypeVar("J", bound=JournalOfBooks)


class BlockableCode(Protocol):
    """What a vendor's VAT code must tell to be checked."""

    @property
    def blocked(self) -> bool: ...  # noqa: D102


async def steps(**checks: Callable[[], Awaitable[CheckStep]]) -> AsyncIterator[CheckStep]:
    """Yield the steps in the order given, that in which a person would repair them; a failure ends its own step only.

    Raises:
        ReauthorisationRequired: after its step; the kit marks the connection, and nothing more can be asked.
    """
    for name, check in checks.items():
        try:
            yield await check()
        except ReauthorisationRequired as failure:
            yield CheckStep(name, False, failure.problem)
            raise
        except ConnectorError as failure:
            yield CheckStep(name, False, failure.problem)


def journals_step(find: Callable[[str], J | None], journals: Journals) -> CheckStep:
    """Return whether every journal that was set exists, is open and serves its side of the books.

    Args:
        find: returns the vendor's journal of a code.
        journals: of the connection's settings. Without a journal for receipts, those are not checked.
    """
    wrong: list[CannotBook] = []
    for kind in SIDES:
        if kind is DocumentKind.DAILY_RECEIPTS and journals.receipts is None:
            continue
        try:
            choose_journal(find, journals, kind, Overrides())
        except CannotBook as refusal:
            wrong.append(refusal)
    if wrong:
        detail = "; ".join(f"{refusal.code} {refusal.detail}" for refusal in wrong)
        return CheckStep("journals", False, Problem(wrong[0].code, detail))
    return CheckStep("journals", True)


def vat_codes_step(codes: Mapping[str, BlockableCode], chosen: VatCodes) -> CheckStep:
    """Return whether VAT codes were imported and every code of the settings is among them, not blocked.

    Args:
        codes: the vendor's, by code.
        chosen: of the connection's settings.
    """
    if not codes:
        return CheckStep("vat_codes", False, Problem("masters_missing"))
    by_key = {**chosen.sale, **{f"purchase {key}": code for key, code in chosen.purchase.items()}}
    unknown = [f"{key} → {code}" for key, code in by_key.items() if code not in codes or codes[code].blocked]
    if unknown:
        return CheckStep("vat_codes", False, Problem("unknown_vat_code", ", ".join(unknown)))
    return CheckStep("vat_codes", True, detail=f"{len(codes)} codes")
