"""VAT codes in the sandbox's books: one category and rate, and another code for each situation."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from connector_exact.settings import ExactSettings
from koppel_connector.contract.errors import ActionRequired
from koppel_connector.contract.results import Booked

from .direct_vendor import DirectVendor, book, context_of, sample
from .harness import SETTINGS, Sandbox

DOMESTIC: dict[str, Any] = {"sale": {"AE": "MC", "S:21": "21"}, "purchase": {"AE": "PMC", "S:21": "P21", "S:6": "P6"}}
GERMAN_CUSTOMER = {"BE0000000295": "DE811907980"}
DUTCH_SELLER = {"BE0000000196": "NL800123456B01"}


def named(category: str, name: str) -> dict[str, str]:
    """Write the VAT code of UBL.BE beside the category."""
    return {f"<cbc:ID>{category}</cbc:ID>": f"<cbc:ID>{category}</cbc:ID><cbc:Name>{name}</cbc:Name>"}


def settings(vat_codes: Mapping[str, Any] = DOMESTIC) -> ExactSettings:
    return ExactSettings.model_validate({**SETTINGS, "vat_codes": vat_codes})


@pytest.mark.parametrize(
    ("name", "kind", "swaps", "codes"),
    [
        ("03-AE-cocontractor", "sales_invoice", {}, {"MC"}),
        ("03-AE-cocontractor", "sales_invoice", GERMAN_CUSTOMER, {"ICD"}),
        ("04-K-intracommunity-goods", "sales_invoice", {}, {"ICL"}),
        ("04-K-intracommunity-goods", "sales_invoice", named("K", "44"), {"ICD"}),
        ("04-K-intracommunity-goods", "sales_invoice", named("K", "46/TR"), {"ICT"}),
        ("03-AE-cocontractor", "purchase_invoice", {}, {"PMC"}),
        ("03-AE-cocontractor", "purchase_invoice", DUTCH_SELLER, {"PID"}),
        ("04-K-intracommunity-goods", "purchase_invoice", DUTCH_SELLER, {"PIC"}),
    ],
)
async def test_the_code_is_that_of_the_situation(
    vendor: DirectVendor, sandbox: Sandbox, name: str, kind: str, swaps: dict[str, str], codes: set[str]
) -> None:
    vendor.settings = settings()
    sent, result = await book(vendor, context_of(vendor, sample(name, kind, replace=swaps)))
    assert isinstance(result, Booked), result
    assert {line["VATCode"].strip() for line in lines(sandbox.entry(sent.remote_id))} == codes


async def test_vat_of_another_country_is_asked_and_the_answer_books_it(vendor: DirectVendor, sandbox: Sandbox) -> None:
    dutch = sample("01-invoice-ogm-pdf", "purchase_invoice", replace=DUTCH_SELLER)
    vendor.settings = settings()
    with pytest.raises(ActionRequired) as caught:
        await book(vendor, context_of(vendor, dutch))
    problem = caught.value.problem
    assert problem is not None and problem.code == "unknown_vat_code"
    assert "set vat_codes.purchase “S:21@EU” to one of P0, P12" in str(problem.detail)

    vendor.settings = settings({"purchase": {"S:21@EU": "P0", "S:6@EU": "P0"}})
    sent, result = await book(vendor, context_of(vendor, dutch))
    assert isinstance(result, Booked), result
    entry = sandbox.entry(sent.remote_id)
    assert (entry["AmountFC"], entry["VATAmountFC"]) == (Decimal("582.77"), Decimal("0.00"))


def lines(entry: Any) -> list[Any]:
    return list(entry.get("SalesEntryLines") or entry.get("PurchaseEntryLines"))
