"""The health check, step by step: login, rights, year, mailbox, ScanService, statements, Journals, VATCodes (contract §7)."""

from collections.abc import AsyncIterator
from functools import partial

from koppel_bookkeeping import Side
from koppel_connector.contract import CheckStep, Problem, Vendor
from koppel_connector.ledger.checks import journals_step, steps, vat_codes_step
from koppel_connector.ledger.records import Records
from koppel_mesh.clock import brussels_date, utc_now

from . import bank_entries, rights
from .api import Exact
from .mailbox import ask_mailboxes
from .master_data import Journal, VatCode
from .settings import Destination, ExactSettings


async def health_check(vendor: Vendor[ExactSettings]) -> AsyncIterator[CheckStep]:
    """Yield the steps in the order a person would repair them."""
    exact, settings, store = Exact(vendor), vendor.settings, vendor.master_data
    probes = {to: partial(_probe, exact, to, side) for to, side in settings.mails}
    asked = {"login": _login, "rights": _rights, "year": _year}
    async for step in steps(**{name: partial(ask, exact) for name, ask in asked.items()}, **probes):
        yield step
    if settings.enters_statements:
        yield bank_entries.check(vendor)
    if settings.books:
        yield journals_step(Records(store, Journal).by_code, settings.journals)
        yield vat_codes_step(Records(store, VatCode).all_by_code(), settings.vat_codes)


async def _probe(exact: Exact, destination: Destination, side: Side | None) -> CheckStep:
    found = await ask_mailboxes(exact, destination, side)
    return CheckStep(destination, True, detail=str(found["RecipientMailboxID"]))


async def _login(exact: Exact) -> CheckStep:
    me = await exact.me()
    problem = None if me else Problem("missing_right", "current/Me")
    return CheckStep("login", bool(me), problem, str(me.get("FullName") or ""))


async def _rights(exact: Exact) -> CheckStep:
    missing = ", ".join(map(str, await rights.missing(exact, rights.TO_IMPORT + rights.wanted(exact.vendor.settings))))
    return CheckStep("rights", not missing, Problem("missing_right", missing) if missing else None)


async def _year(exact: Exact) -> CheckStep:
    year = brussels_date(utc_now()).year
    periods = await exact.financial_periods(year)
    problem = None if periods else Problem("financial_year_missing", str(year))
    return CheckStep("year", bool(periods), problem, f"{year}: {len(periods)} periods")
