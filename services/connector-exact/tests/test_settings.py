"""The settings of a connection (contract §7): what is taken, what is refused with a sentence, what is still missing."""

import pytest
from cryptography.fernet import Fernet
from pydantic import ValidationError

from connector_exact.profile import ENTERED_STATEMENT, ENTRY, KEPT_STATEMENT, MAIL, STATEMENT
from connector_exact.settings import LIVE_URL, ExactServiceSettings, ExactSettings
from koppel_connector.contract import Problem
from koppel_connector.routes.settings_schema import settings_schema
from koppel_mesh.messages import DocumentKind

from .direct_vendor import CONNECTOR

CONTRACT = {
    "division": 3090901,
    "destination": {"sale": "journal", "purchase": "journal"},
    "journals": {"sale": "700", "sale_credit": "710", "purchase": "600", "purchase_credit": "610", "receipts": "720"},
    "default_ledger_account": {"sale": "700000", "purchase": "604000"},
    "vat_codes": {"sale": {"S:21": "21", "S:6": "6", "AE": "VM"}, "purchase": {"S:21": "P21"}},
    "send_coda": False,
}


def test_the_settings_of_the_contract_are_complete() -> None:
    settings = ExactSettings.model_validate(CONTRACT)
    assert settings.missing("send") == []
    assert settings.entry_numbers == "vendor"


def test_nothing_set_says_what_is_missing() -> None:
    assert ExactSettings().missing("send") == ["division", "journals.sale", "journals.purchase"]
    assert ExactSettings.model_validate({"division": 1, "journals": {"receipts": 720}}).missing("send") == []


def test_journals_are_chosen_from_what_an_import_brings() -> None:
    assert ExactSettings().missing("login") == [], "the login finds the divisions to choose from"
    for purpose in ("import", "check"):
        assert ExactSettings().missing(purpose) == ["division"]
        assert ExactSettings(division=1).missing(purpose) == []


@pytest.mark.parametrize("destination", ["mailbox", "scan_service"])
def test_where_nothing_goes_into_a_journal_none_is_needed(destination: str) -> None:
    some = ExactSettings.model_validate({"division": 1, "destination": {"purchase": destination}})
    assert some.missing("send") == ["journals.sale", "journals.purchase"]
    none = ExactSettings.model_validate(
        {"division": 1, "destination": dict.fromkeys(("sale", "purchase"), destination)}
    )
    assert none.missing("send") == []


def test_where_a_kind_goes_the_settings_say() -> None:
    settings = ExactSettings.model_validate({"destination": {"purchase": "mailbox"}, "send_coda": True})
    assert CONNECTOR.targets(DocumentKind.SALES_INVOICE, settings) == (ENTRY,)
    assert CONNECTOR.targets(DocumentKind.PURCHASE_CREDIT_NOTE, settings) == (MAIL,)
    assert CONNECTOR.targets(DocumentKind.BANK_STATEMENT, settings) == (STATEMENT,)
    entered = ExactSettings.model_validate({"destination": {"statement": "journal"}, "send_coda": True})
    assert CONNECTOR.targets(DocumentKind.CASH_STATEMENT, entered) == (ENTERED_STATEMENT,)
    assert STATEMENT.operation == ENTERED_STATEMENT.operation == KEPT_STATEMENT.operation
    assert MAIL.operation == ENTRY.operation, "a document has one delivery, whatever its destination"
    switched_off = CONNECTOR.targets(DocumentKind.CASH_STATEMENT, ExactSettings())
    assert isinstance(switched_off, Problem)
    assert switched_off.code == "coda_switched_off"


@pytest.mark.parametrize(
    "wrong",
    [
        {"destination": {"sale": "postbox"}},
        {"destination": {"statement": "scan_service"}},
        {"statement_journals": {"no iban": "550"}},
        {"division": 0},
        {"division": "x"},
        {"division": 2**40},
        {"journals": {"sales": "700"}},
        {"journals": {"sale": ""}},
        {"journals": {"sale": "7'0"}},
        {"journals": {"sale": "7\x000"}},
        {"vat_codes": {"sale": {"S:abc": "21"}}},
        {"vat_codes": {"sale": {"XX": "21"}}},
        {"entry_numbers": "mine"},
        {"unheard_of": 1},
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ExactSettings.model_validate(wrong)


def test_rates_are_one_key_however_they_are_written() -> None:
    settings = ExactSettings.model_validate({"vat_codes": {"sale": {"S:21.00": "A", "S:5.50": "B", "S:0": "C"}}})
    assert set(settings.vat_codes.sale) == {"S:21", "S:5.5", "S:0"}


def test_a_code_is_taken_as_people_copy_it() -> None:
    settings = ExactSettings.model_validate({"journals": {"sale": "700 ", "purchase": 600}})
    assert (settings.journals.sale, settings.journals.purchase) == ("700", "600")


MESH = {"database_url": "postgresql://127.0.0.1/x", "amqp_url": "amqp://127.0.0.1"}


def test_a_laptop_without_a_sandbox_has_no_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KOPPEL_EXACT_BASE_URL", raising=False)
    with pytest.raises(ValidationError, match="KOPPEL_EXACT_BASE_URL is not set and no sandbox stands in") as refused:
        ExactServiceSettings.model_validate({**MESH, "env": "local"})
    assert [error["type"] for error in refused.value.errors()] == ["no_vendor_address"]
    given = ExactServiceSettings.model_validate({**MESH, "env": "local", "exact_base_url": "http://127.0.0.1:8100"})
    assert given.exact_base_url == "http://127.0.0.1:8100"


def test_production_goes_to_the_live_exact_unless_set_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KOPPEL_EXACT_BASE_URL", raising=False)
    needed = {
        "secret_keys": Fernet.generate_key().decode(),
        "service_client_secret": "a secret of twenty-four characters",
        "public_url": "https://koppel.example",
        "blob_url": "s3://documents",
        "exact_client_id": "us",
        "exact_client_secret": "ours",
    }
    settings = ExactServiceSettings.model_validate({**MESH, **needed, "env": "production"})
    assert settings.exact_base_url == LIVE_URL


def test_every_code_says_what_it_chooses_from() -> None:
    fields = settings_schema(ExactSettings)["properties"]
    assert {field["chooses_from"] for field in fields["journals"]["properties"].values()} == {"journal"}
    assert fields["default_ledger_account"]["chooses_from"] == "ledger_account"
    assert fields["default_payment_condition"]["chooses_from"] == "payment_condition"
    vat_codes = fields["vat_codes"]["properties"]
    assert {side["additionalProperties"]["chooses_from"] for side in vat_codes.values()} == {"vat_code"}
    assert fields["division"]["chooses_from"] == "remote_dossier"
