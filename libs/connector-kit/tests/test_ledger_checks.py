"""A health check names what is missing: each failed step by itself, and what the settings choose that the books do not hold."""

import pytest

from koppel_bookkeeping.settings import Journals, VatCodes
from koppel_connector import CheckStep, ConnectorError, Problem
from koppel_connector.contract import ReauthorisationRequired, RetryLater
from koppel_connector.ledger.checks import journals_step, steps, vat_codes_step

from .ledger_vendor import Journal, VatCode

JOURNALS = {
    each.code: each
    for each in (
        Journal("1", "V", "Sales", "sale"),
        Journal("2", "A", "Purchases", "purchase"),
        Journal("3", "OLD", "Closed", "sale", blocked=True),
    )
}
VAT_CODES = {each.code: each for each in (VatCode("1", "21", "Standard"), VatCode("2", "OLD", "Old", blocked=True))}


def check(name: str, failure: ConnectorError | None = None) -> object:
    async def ask() -> CheckStep:
        if failure is not None:
            raise failure
        return CheckStep(name, True)

    return ask


async def test_a_failed_step_does_not_end_the_check() -> None:
    problem = Problem("vendor_unavailable")
    checks = {"login": check("login", RetryLater(problem=problem)), "rights": check("rights")}
    assert [step async for step in steps(**checks)] == [  # type: ignore[arg-type]
        CheckStep("login", False, problem),
        CheckStep("rights", True),
    ]


async def test_without_a_grant_nothing_more_is_asked() -> None:
    seen = []
    with pytest.raises(ReauthorisationRequired):
        async for step in steps(login=check("login", ReauthorisationRequired()), rights=check("rights")):  # type: ignore[arg-type]
            seen.append(step)  # noqa: PERF401 - what came before the error counts
    assert seen == [CheckStep("login", False, Problem("reauthorise"))]


def test_journals_that_fit_are_well_and_receipts_are_left_out_where_they_have_none() -> None:
    assert journals_step(JOURNALS.get, Journals(sale="V", purchase="A")) == CheckStep("journals", True)


def test_each_wrong_journal_is_named() -> None:
    step = journals_step(JOURNALS.get, Journals(sale="OLD", sale_credit="A", purchase="X", receipts="V"))
    assert not step.ok
    assert step.problem is not None
    assert step.problem.code == "journal_blocked"
    assert (step.problem.detail or "").split("; ") == [
        "journal_blocked OLD Closed",
        "journal_wrong_type A Purchases for sales_credit_note",
        "journal_unknown X",
        "journal_unknown X",
    ]


def test_vat_codes_of_the_settings_must_have_been_imported() -> None:
    assert vat_codes_step({}, VatCodes()).problem == Problem("masters_missing")
    assert vat_codes_step(VAT_CODES, VatCodes(sale={"S:21": "21"})) == CheckStep("vat_codes", True, detail="2 codes")
    step = vat_codes_step(VAT_CODES, VatCodes(sale={"S:21": "21", "S:6": "6"}, purchase={"AE": "OLD"}))
    assert step.problem == Problem("unknown_vat_code", "S:6 → 6, purchase AE → OLD")
