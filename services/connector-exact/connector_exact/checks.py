"""The health check of a connection, each step by itself: login, rights, year, Journals, VATCodes (contract §7)."""

from collections.abc import AsyncIterator

from koppel_connector.contract import CheckStep, Problem, Vendor
from koppel_connector.ledger.checks import journals_step, steps, vat_codes_step
from koppel_connector.ledger.records import Records
from koppel_mesh.clock import brussels_date, utc_now

from . import rights
from .api import Exact
from .master_data import Journal, VatCode
from .settings import ExactSettings


async def health_check(vendor: Vendor[ExactSettings]) -> AsyncIterator[CheckStep]:
    """Yield the steps in the order a person would repair them."""
    exact, settings, store = Exact(vendor), vendor.settings, vendor.master_data
    async for step in steps(login=lambda: _login(exact), rights=lambda: _rights(exact), year=lambda: _year(exact)):
        yield step
    yield journals_step(Records(store, Journal).by_code, settings.journals)
    yield vat_codes_step(Records(store, VatCode).all_by_code(), settings.vat_codes)


async def _login(exact: Exact) -> CheckStep:
    me = await exact.me()
    problem = None if me else Problem("missing_right", "current/Me")
    return CheckStep("login", bool(me), problem, str(me.get("FullName") or ""))


async def _rights(exact: Exact) -> CheckStep:
    missing = ", ".join(map(str, await rights.missing(exact)))
    return CheckStep("rights", not missing, Problem("missing_right", missing) if missing else None)


async def _year(exact: Exact) -> CheckStep:
    year = brussels_date(utc_now()).year
    periods = await exact.financial_periods(year)
    problem = None if periods else Problem("financial_year_missing", str(year))
    return CheckStep("year", bool(periods), problem, f"{year}: {len(periods)} periods")
