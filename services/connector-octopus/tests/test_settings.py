"""Settings: what is needed for what, and what is refused when it is entered."""

from typing import Any

import pytest
from pydantic import ValidationError

from connector_octopus.connector import OctopusConnector
from connector_octopus.profile import BOOKING, IMPORT_VIEWER, OAUTH, PASSWORD, STATEMENT, with_budgets
from connector_octopus.settings import LIVE_URL, OctopusServiceSettings, OctopusSettings
from koppel_connector import Problem
from koppel_connector.contract import Purpose
from koppel_mesh.messages import DocumentKind

from .harness import SETTINGS

CONNECTOR = OctopusConnector()


def settings(**changes: Any) -> OctopusSettings:
    return OctopusSettings.model_validate({**SETTINGS, **changes})


@pytest.mark.parametrize(
    ("given", "purpose", "missing"),
    [
        ({}, "login", ["user", "password"]),
        ({"login": "oauth"}, "login", []),
        ({"login": "oauth"}, "import", ["dossier_id"]),
        ({"user": "B1", "password": "x"}, "check", ["dossier_id"]),
        (
            {"login": "oauth", "dossier_id": 1},
            "send",
            ["journals.sale", "journals.purchase", "default_ledger_account.sale", "default_ledger_account.purchase"],
        ),
        (
            {"login": "oauth", "dossier_id": 1, "destination": {"sale": "import_viewer", "purchase": "import_viewer"}},
            "send",
            ["default_ledger_account.sale", "default_ledger_account.purchase"],
        ),
    ],
)
def test_what_is_missing_is_named(given: dict[str, Any], purpose: Purpose, missing: list[str]) -> None:
    assert OctopusSettings.model_validate(given).missing(purpose) == missing


def test_default_accounts_are_mandatory_for_documents_too() -> None:
    """R094."""
    everything = settings(destination={"sale": "import_viewer", "purchase": "import_viewer"}, journals={})
    assert everything.missing("send") == []
    assert settings(default_ledger_account={"sale": "700000"}).missing("send") == ["default_ledger_account.purchase"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"default_payment_condition": {"sale": "30 dagen"}},
        {"default_payment_condition": {"sale": "367"}},
        {"destination": {"sale": "journal"}},
        {"import_folders": {"sale": "a/b"}},
        {"login": "token"},
        {"dossier_id": 0},
        {"statement_journals": {"no iban": "F1"}},
        {"coda_body": "xml"},
        {"journal": {"sale": "V1"}},
    ],
)
def test_a_mistake_is_told_when_it_is_entered(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**wrong)


def test_the_password_is_a_secret() -> None:
    assert str(SETTINGS["password"]) not in settings().model_dump_json()


def test_where_a_kind_goes_the_settings_say() -> None:
    viewer = settings(destination={"purchase": "import_viewer"})
    assert CONNECTOR.targets(DocumentKind.SALES_INVOICE, viewer) == (BOOKING,)
    assert CONNECTOR.targets(DocumentKind.PURCHASE_CREDIT_NOTE, viewer) == (IMPORT_VIEWER,)
    assert CONNECTOR.targets(DocumentKind.BANK_STATEMENT, settings(send_coda=True)) == (STATEMENT,)
    assert CONNECTOR.targets(DocumentKind.BANK_STATEMENT, settings()) == Problem("coda_switched_off")
    assert CONNECTOR.targets(DocumentKind.MISCELLANEOUS, settings()) == Problem("kind_not_taken", "miscellaneous")


def test_a_document_has_one_delivery_whichever_way_it_goes() -> None:
    """R100: the unique key of a delivery holds its operation."""
    assert BOOKING.operation == IMPORT_VIEWER.operation


def test_one_login_is_shared_whatever_its_case_and_a_consent_is_not() -> None:
    assert CONNECTOR.login_key(settings(user=" B012345 ")) == CONNECTOR.login_key(settings(user="b012345"))
    assert CONNECTOR.login_key(settings(login="oauth")) is None
    assert (CONNECTOR.auth(settings()), CONNECTOR.auth(settings(login="oauth"))) == (PASSWORD, OAUTH)


def test_books_are_read_as_often_as_the_feed_allows_with_a_reserve_for_doubt() -> None:
    profile = with_budgets()
    feed = next(window for window in profile.windows if window.name == "GET buysellbookings/modified")
    assert (feed.capacity, feed.reserve, feed.zone) == (48, 8, "Europe/Brussels")
    assert profile.read_back.at_most_every_s * (feed.capacity - feed.reserve) == 86_400
    assert {window.capacity for window in profile.windows if window.name.startswith(("POST", "PUT"))} == {400}


def test_in_production_octopus_is_where_it_is_and_a_laptop_calls_nobody() -> None:
    production: dict[str, Any] = {
        "env": "production",
        "database_url": "postgresql://x/y",
        "amqp_url": "amqp://x",
        "blob_url": "s3://x",
        "secret_keys": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        "service_client_secret": "a-secret-of-the-services-that-is-long",
        "public_url": "https://koppel.example",
        "octopus_software_house_uuid": "uuid",
    }
    assert OctopusServiceSettings(**production).octopus_base_url == LIVE_URL
    with pytest.raises(ValidationError, match="KOPPEL_OCTOPUS_SOFTWARE_HOUSE_UUID"):
        OctopusServiceSettings(**{**production, "octopus_software_house_uuid": ""})
    with pytest.raises(ValidationError, match="KOPPEL_OCTOPUS_BASE_URL"):
        OctopusServiceSettings(**{**production, "env": "local"})
    with pytest.raises(ValidationError, match="KOPPEL_MAIL_FROM"):
        OctopusServiceSettings(**{**production, "smtp_url": "smtp://mail.koppel.example"})
