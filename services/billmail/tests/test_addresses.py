"""Which addresses the settings take: plainly one mailbox, byte for byte, and never a look-alike."""

import pytest
from pydantic import ValidationError

from billmail.profiles import PROFILES
from billmail.settings import BillmailSettings
from koppel_connector.mail.addresses import enterprise_number_in
from koppel_connector.testing import Testbed


def rules_of(settings: dict[str, object]) -> set[str]:
    with pytest.raises(ValidationError) as refused:
        BillmailSettings.model_validate(settings)
    return {error["type"] for error in refused.value.errors()}


@pytest.mark.parametrize(
    ("address", "rule"),
    [
        ("a@b.example\r\nBcc: eve@evil.example", "address_with_blanks"),
        ("a@b.example ", "address_with_blanks"),
        ("a\u200b@b.example", "address_with_blanks"),
        ("a@b.example\u202e", "address_with_blanks"),
        ("a@yukiw\u043erks.be", "address_not_ascii"),  # Cyrillic о
        ("\u0430@b.example", "address_not_ascii"),
        ("a\uff20b.example", "address_not_ascii"),
        ("a@café.be", "address_not_ascii"),
        ("a@b.example,c@d.example", "address_not_plain"),
        ("a@b.example;c@d.example", "address_not_plain"),
        ("Ann<a@b.example>", "address_not_plain"),
        ("a(comment)@b.example", "address_not_plain"),
        ('"a"@b.example', "address_not_plain"),
        ("a@[127.0.0.1]", "address_not_plain"),
        ("a", "address_not_valid"),
        ("@b.example", "address_not_valid"),
        ("a..b@c.example", "address_not_valid"),
        (".a@c.example", "address_not_valid"),
        ("a@b@c.example", "address_not_valid"),
        ("a" * 65 + "@b.example", "address_not_valid"),
        ("a@localhost", "address_not_valid"),
        ("a@b..example", "address_not_valid"),
        ("a@-b.example", "address_not_valid"),
        ("a@127.0.0.1", "address_not_valid"),
        ("a@" + "b" * 64 + ".example", "address_not_valid"),
        ("a@xn--yukiwrks-xdh.be", "address_lookalike"),  # yukiwоrks.be with a Cyrillic о
        ("a@xn--80ak6aa92e.com", "address_lookalike"),  # Cyrillic throughout
        ("a@xn--ihqwctvzc91f.example", "address_lookalike"),
        ("a@xn--99999999.be", "address_lookalike"),
    ],
)
def test_what_is_not_plainly_one_mailbox_is_refused(address: str, rule: str) -> None:
    assert rules_of({"profile": "generic", "addresses": {"sale": address}}) == {rule}
    assert rules_of({"from": address}) == {rule}


@pytest.mark.parametrize(
    "address",
    ["A.b+PI@Office.Example", "0793904121@kantoor.example", "a'b@c.example", "a@xn--caf-dma.be", "x_y-z@b.co.uk"],
)
def test_an_address_stays_as_it_was_typed(address: str) -> None:
    assert BillmailSettings(addresses={"sale": address}).addresses.sale == address


def test_a_domain_that_only_looks_like_the_receivers_is_refused() -> None:
    for domain in ("yukiworks.be.evil.example", "yukiw0rks.be", "myyukiworks.be", "yukiworks.com"):
        assert rules_of({"profile": "yuki", "addresses": {"sale": f"a@{domain}"}}) == {"address_lookalike"}
    for domain in ("yukiworks.be", "YukiWorks.be"):
        settings = BillmailSettings.model_validate({"profile": "yuki", "addresses": {"sale": f"a@{domain}"}})
        assert settings.address_of("sale") == f"a@{domain}"


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"profile": "pigeon_post"}, "unknown_profile"),
        ({"profile": "basecone", "addresses": {"coda": "a@b.example"}}, "kind_not_taken"),
        ({"profile": "basecone", "attachments": "zip"}, "attachments_not_taken"),
        ({"subject": "a\r\nBcc: eve@evil.example"}, "subject_with_line_breaks"),
        ({"subjekt": "a"}, "extra_forbidden"),
        ({"addresses": {"sales": "a@b.example"}}, "extra_forbidden"),
        (
            {
                "profile": "clearfacts",
                "addresses": {"sale": "0793904121@k.clearfacts.be", "purchase": "0836836222@k.clearfacts.be"},
            },
            "addresses_of_two_companies",
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused_with_their_rule(settings: dict[str, object], rule: str) -> None:
    assert rules_of(settings) == {rule}


def test_one_address_serves_every_kind_where_the_receiver_has_one() -> None:
    yuki = BillmailSettings.model_validate({"profile": "yuki", "addresses": {"purchase": "1@yukiworks.be"}})
    assert {yuki.address_of(slot) for slot in ("sale", "purchase", "receipts", "coda")} == {"1@yukiworks.be"}
    assert yuki.address_of("coda_pdf") is None
    generic = BillmailSettings.model_validate({"profile": "generic", "addresses": {"purchase": "1@a.example"}})
    assert generic.address_of("sale") is None


def test_an_enterprise_number_is_read_out_of_an_address() -> None:
    assert enterprise_number_in("0793904121@k.clearfacts.be") == "0793904121"
    assert enterprise_number_in("793904121.aankoop@k.clearfacts.be") == "0793904121"
    assert enterprise_number_in("BE0793904121@k.clearfacts.be") == "0793904121"
    for other in ("office@k.clearfacts.be", "07939041211@k.clearfacts.be", "x0793904121@k.clearfacts.be"):
        assert enterprise_number_in(other) is None


def test_the_table_names_every_target_that_is_asked_for() -> None:
    assert set(PROFILES) >= {
        *("generic", "self_mail", "clearfacts", "sbb_slim", "winbooks_on_web", "winbooks_connect", "yuki"),
        *("octopus_mailbox", "exact_mailbox", "basecone", "horus", "banqup_in"),
    }


async def test_a_refused_address_is_a_422_that_says_which_and_why(testbed: Testbed) -> None:
    async with testbed.owner() as owner:
        body = {"dossier_id": str(testbed.dossier_id), "settings": {"addresses": {"sale": "a@b.example, c@d.example"}}}
        refused = await owner.post("/v1/connections", json=body)
        answer = refused.json()
        assert (refused.status_code, answer["code"]) == (422, "invalid_settings")
        assert [(each["field"], each["rule"]) for each in answer["errors"]] == [
            ("settings.addresses.sale", "address_with_blanks")
        ]
        body["settings"] = {"profile": "yuki", "addresses": {"sale": "Ab@yukiworks.be"}, "from": "An@koppel.example"}
        made = (await owner.post("/v1/connections", json=body)).json()
        assert made["settings"] == body["settings"], "kept and shown byte for byte, under the names of the contract"
        schema = (await owner.get("/v1/settings-schema")).json()
        assert "yuki" in str(schema["properties"]["profile"])
        assert "from" in schema["properties"]
