"""The health check of a connection, each step by itself: login, rights, year, journals, VAT codes (contract §7)."""

from collections.abc import AsyncIterator

from koppel_bookkeeping import SIDES, CannotBook, Overrides
from koppel_bookkeeping.accounts import choose_journal
from koppel_connector.contract.connector import CheckStep, Vendor
from koppel_connector.contract.errors import ConnectorError, ReauthorisationRequired
from koppel_connector.contract.problems import Problem
from koppel_connector.ledger.records import Records
from koppel_mesh.clock import brussels_date, utc_now
from koppel_mesh.messages import DocumentKind

from . import rights
from .api import Exact
from .master_data import Journal, VatCode
from .settings import ExactSettings


async def steps(vendor: Vendor) -> AsyncIterator[CheckStep]:
    """Yield the steps in the order a person would repair them."""
    exact = Exact(vendor)
    for name, check in (("login", _login), ("rights", _rights), ("year", _year)):
        try:
            yield await check(exact)
        except ReauthorisationRequired as failure:
            yield CheckStep(name, False, failure.problem)
            raise  # the kit marks the connection; without a grant nothing more can be asked
        except ConnectorError as failure:
            yield CheckStep(name, False, failure.problem)
    yield _journals(vendor)
    yield _vat_codes(vendor)


async def _login(exact: Exact) -> CheckStep:
    me = await exact.me()
    return CheckStep(
        "login", bool(me), None if me else Problem("missing_right", "current/Me"), str(me.get("FullName") or "")
    )


async def _rights(exact: Exact) -> CheckStep:
    lacking = ", ".join(map(str, await rights.missing(exact)))
    return CheckStep("rights", not lacking, Problem("missing_right", lacking) if lacking else None)


async def _year(exact: Exact) -> CheckStep:
    year = brussels_date(utc_now()).year
    periods = await exact.financial_periods(year)
    detail = f"{year}: {len(periods)} periods"
    return CheckStep("year", bool(periods), None if periods else Problem("financial_year_missing", str(year)), detail)


def _journals(vendor: Vendor) -> CheckStep:
    """Whether every journal that was set exists, is open and has the right type."""
    settings: ExactSettings = vendor.settings
    journals, wrong = Records(vendor.master_data, Journal), []
    for kind in SIDES:
        if kind is DocumentKind.DAILY_RECEIPTS and settings.journals.receipts is None:
            continue
        try:
            choose_journal(journals.by_code, settings.journals, kind, Overrides())
        except CannotBook as refusal:
            wrong.append(refusal)
    if wrong:
        detail = "; ".join(f"{refusal.code} {refusal.detail}" for refusal in wrong)
        return CheckStep("journals", False, Problem(wrong[0].code, detail))
    return CheckStep("journals", True)


def _vat_codes(vendor: Vendor) -> CheckStep:
    """Whether the VAT codes were imported and every code of the settings is among them."""
    settings: ExactSettings = vendor.settings
    codes = Records(vendor.master_data, VatCode).all_by_code()
    if not codes:
        return CheckStep("vat_codes", False, Problem("masters_missing"))
    chosen = {
        **settings.vat_codes.sale,
        **{f"purchase {key}": code for key, code in settings.vat_codes.purchase.items()},
    }
    unknown = [f"{key} → {code}" for key, code in chosen.items() if code not in codes or codes[code].blocked]
    if unknown:
        return CheckStep("vat_codes", False, Problem("unknown_vat_code", ", ".join(unknown)))
    return CheckStep("vat_codes", True, detail=f"{len(codes)} codes")
