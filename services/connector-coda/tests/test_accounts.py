"""To whom accounts belong, what is on them, what a person decides."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

from koppel_coda.cash_book import CashLine, Mark, receipts
from koppel_mesh.ids import new_id
from koppel_mesh.messages import DocumentReady

from .conftest import FIRM, Coda
from .samples import CURRENT, DRAWER, FIRST_DAY, SAVINGS, cash, chain, coda, statement

OTHERS = "0403170701"


async def accept(service: Coda, after: int | None, before: int | None, iban: str = CURRENT, **asked: Any) -> Any:
    body = {"after": after, "before": before, "reason": "verloren bij de bank", **asked.pop("body", {})}
    return await service.call("POST", service.at(f"/accounts/{iban}/accept-gap"), json=body, **asked)


# ── refusals ──


async def test_an_account_of_another_holder_is_refused_by_name(service: Coda) -> None:
    document = await service.file(statement(1, 0, 5, holder=OTHERS, name="Slagerij Janssens"))
    assert (await service.problems(), await service.gone()) == ({document: "account_of_other_holder"}, [])
    refusal = (await service.accounts())[CURRENT]["refusal"]
    assert CURRENT in refusal["message"]["nl"] and OTHERS in refusal["message"]["nl"]
    assert (await service.accounts())[CURRENT]["state"] == "waiting"


async def test_a_bank_that_leaves_out_the_number_is_known_by_the_name_of_the_holder(service: Coda) -> None:
    known = await service.file(statement(1, 0, 5, holder="", name="BAKKERIJ DEMO"))
    unknown = await service.file(statement(1, 0, 5, holder="", name="D. Demo", iban=SAVINGS))
    assert await service.problems() == {unknown: "account_unknown"}
    assert await service.gone() == [known]
    assert (await service.accounts())[CURRENT]["belongs_by"] == "holder_name"


async def test_a_person_confirms_an_account_and_its_statements_go(service: Coda) -> None:
    documents = [await service.file(each) for each in chain(2, holder="", name="D. Demo")]
    assert await service.gone() == []
    answer = await service.call("POST", service.at(f"/accounts/{CURRENT}/confirm"), json={"reason": "zijn rekening"})
    assert (answer.status_code, answer.json()["belongs_by"], answer.json()["reason"]) == (
        200,
        "tester",
        "zijn rekening",
    )
    await service.work()
    assert await service.gone() == documents
    assert await service.problems() == {}


async def test_an_account_of_another_dossier_of_the_firm_is_refused_by_its_name(service: Coda) -> None:
    await service.file(*chain(1))
    await service.dossier(name="Bakkerij Twee")
    document = await service.file(*chain(1))
    assert await service.problems() == {document: "account_of_other_dossier"}
    (account,) = (await service.accounts()).values()
    assert "Bakkerij Demo BV" in account["refusal"]["message"]["en"]
    answer = await service.call("POST", service.at(f"/accounts/{CURRENT}/confirm"), json={"reason": "nee"})
    assert (answer.status_code, answer.json()["code"]) == (409, "account_of_other_dossier")


async def test_of_an_account_of_another_firm_nothing_is_told(service: Coda) -> None:
    await service.file(*chain(1, holder="", name="Bakkerij Demo"))
    other_firm = new_id()
    await service.dossier(firm_id=other_firm, name="Bakkerij Demo")
    document = await service.file(*chain(1, holder=""), firm_id=other_firm)
    assert await service.problems() == {document: "account_of_other_firm"}
    answer = await service.call("GET", service.at("/accounts"), firm=other_firm)
    assert "Demo BV" not in answer.text and str(FIRM) not in answer.text
    body = {"reason": "toch van ons"}
    answer = await service.call("POST", service.at(f"/accounts/{CURRENT}/confirm"), json=body, firm=other_firm)
    assert (answer.status_code, answer.json()["code"]) == (409, "account_of_other_firm")


async def test_an_entrepreneur_who_goes_to_another_office_takes_the_account_along(service: Coda) -> None:
    """The enterprise number in the file is the proof."""
    await service.file(*chain(1))
    await service.dossier(firm_id=new_id())
    document = await service.file(chain(1)[0])
    assert await service.problems() == {}
    assert document in await service.gone()


async def test_two_dossiers_that_meet_an_account_at_once_do_not_both_get_it(service: Coda) -> None:
    for name in ("Bakkerij Demo BV", "Bakkerij Demo NV"):
        await service.dossier(name=name)
        document = service.document(*chain(1, holder="", name="Bakkerij Demo"))
        await service.deliver(document)
    await asyncio.gather(service.work(), service.work())
    owned = await service.sql("SELECT owned_by FROM account WHERE owned_by IS NOT NULL")
    assert [row["owned_by"] for row in owned] == ["holder_name"]


async def test_an_account_that_is_proven_ours_may_have_been_confirmed_elsewhere_by_mistake(service: Coda) -> None:
    await service.dossier(name="Slagerij Janssens", number=OTHERS)
    await service.file(*chain(1))
    path = service.at(f"/accounts/{CURRENT}/confirm")
    assert (await service.call("POST", path, json={"reason": "vergissing"})).status_code == 200
    await service.dossier()
    await service.file(chain(1)[0])
    assert (await service.accounts())[CURRENT]["belongs_by"] == "holder_number"


async def test_the_iban_of_a_cash_book_is_made_up_and_may_stand_in_several_dossiers(service: Coda) -> None:
    line = CashLine(FIRST_DAY + timedelta(1), Decimal(10), Mark.TAKINGS, ("03.03.2026", ""))
    for name in ("Bakkerij Demo BV", "Bakkerij Demo NV"):
        await service.dossier(name=name)
        await service.file(cash(1, "0.00", line), kind="cash_statement")
        assert (await service.accounts())[DRAWER]["belongs_by"] == "holder_name"


async def test_a_name_that_fills_its_field_is_known_by_its_beginning(service: Coda) -> None:
    await service.dossier(name="Bouwbedrijf voor grote werken Peeters BV")
    await service.file(statement(1, 0, 5, holder="", name="BOUWBEDRIJF VOOR GROTE WER"))
    assert (await service.accounts())[CURRENT]["belongs_by"] == "holder_name"


async def test_an_account_that_was_taken_away_may_belong_elsewhere_and_comes_back_by_a_person_only(
    service: Coda,
) -> None:
    one, two = chain(2, holder="", name="Bakkerij Demo")
    await service.file(one)
    await service.gone()
    first_dossier, connections = service.dossier_id, service.connections
    answer = await service.call("POST", service.at(f"/accounts/{CURRENT}/withdraw"), json={"reason": "van zijn broer"})
    assert (answer.status_code, answer.json()["withdrawn_by"]) == (200, "tester")
    document = await service.file(two)
    assert (await service.problems(), await service.gone()) == ({document: "account_withdrawn"}, [])
    await service.dossier(name="Bakkerij Demo NV")
    await service.file(one)
    assert (await service.accounts())[CURRENT]["belongs_by"] == "holder_name"
    await service.gone()
    service.dossier_id, service.connections = first_dossier, connections
    refused = await service.call("POST", service.at(f"/accounts/{CURRENT}/confirm"), json={"reason": "toch"})
    assert (refused.status_code, refused.json()["code"]) == (409, "account_of_other_dossier")


# ── what a person decides ──


async def test_a_person_accepts_a_gap_and_the_rest_goes(service: Coda) -> None:
    one, _, three, four = chain(4)
    await service.file(one)
    await service.gone()
    rest = [await service.file(three), await service.file(four)]
    answer = await accept(service, 1, 3)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["missing"], told["accepted_by"], told["reason"]) == ([2], "tester", "verloren bij de bank")
    account = (await service.accounts())[CURRENT]
    assert (account["gaps"], account["state"]) == ([], "waiting")
    await service.work()
    assert await service.gone() == rest
    assert await service.problems() == {}
    assert (await service.accounts())[CURRENT]["state"] == "continuous"
    assert (await accept(service, 1, 3)).json() == told, "a second click changes nothing"


async def test_what_is_no_gap_cannot_be_accepted(service: Coda) -> None:
    await service.file(*chain(2))
    for after, before in ((1, 2), (2, 9), (None, None)):
        answer = await accept(service, after, before)
        assert (answer.status_code, answer.json()["code"]) == (409, "no_such_gap")
    for body in ({"reason": " "}, {"reason": "x\0"}, {"after": "x"}, {"unknown": 1}):
        assert (await accept(service, 1, 3, body=body)).status_code == 422
    assert (await accept(service, 1, 3, iban="BE00000000000000")).status_code == 404


async def test_a_gap_without_numbers_is_accepted_by_its_statement(service: Coda) -> None:
    one, _, three, _, five = chain(5)
    plain = [
        statement(each.coded_number, str(each.old_balance.amount), each.coded_number, coded_number=0)
        for each in (one, three, five)
    ]
    await service.file(*plain[:1])
    for each in plain[1:]:
        await service.file(each)
    await service.gone()
    assert (await accept(service, None, None)).json()["code"] == "several_gaps"
    gaps = (await service.accounts())[CURRENT]["gaps"]
    assert [(gap["after"], gap["before"], gap["missing"]) for gap in gaps] == [(None, None, [])] * 2
    for gap in gaps:
        body = {"before_statement_id": gap["before_statement_id"]}
        assert (await accept(service, None, None, body=body)).status_code == 200
    assert (await service.accounts())[CURRENT]["gaps"] == []


async def test_a_bank_that_skips_numbers_is_asked_about_once(service: Coda) -> None:
    balance = 1000
    for number in (1, 3):
        await service.file(statement(number, balance, 1, day=number))
        balance += 1
    await service.gone()
    assert (await accept(service, 1, 3)).status_code == 200
    await service.work()
    await service.gone()
    document = await service.file(statement(8, balance, 1, day=8))
    assert await service.gone() == [document]


async def test_a_decision_is_made_once_for_its_key(service: Coda) -> None:
    one, _, three = chain(3)
    await service.file(one)
    await service.file(three)
    key: dict[str, Any] = {"headers": {"idempotency-key": "once"}}
    first = await accept(service, 1, 3, **key)
    assert (await accept(service, 1, 3, **key)).content == first.content
    other = await accept(service, 1, 3, body={"reason": "andere"}, **key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")


async def test_a_statement_that_does_not_add_up_waits_for_a_person(service: Coda) -> None:
    one, two = chain(2)
    data = coda(one).replace(b"0000000001001000", b"0000000001009000")
    assert data != coda(one)
    wrong = await service.file(one, data=data)
    assert (await service.problems(), await service.gone()) == ({wrong: "statement_incorrect"}, [])
    answer = await service.call("POST", f"/v1/documents/{wrong}/release", json={"reason": "zo van de bank"})
    assert answer.status_code == 200, answer.text
    await service.work()
    assert await service.gone() == [wrong]
    after = await service.file(two)
    assert await service.problems() == {after: "statement_gap"}


async def test_part_of_an_account_never_goes_by_itself(service: Coda) -> None:
    (one,) = chain(1)
    data = coda(one)
    document = await service.file(one, data=data[:83] + b"00001" + data[88:])
    assert (await service.problems(), await service.gone()) == ({document: "statement_partial"}, [])
    assert (await service.call("GET", service.at("/balances"))).json()["items"] == []


async def test_only_what_is_stopped_can_be_let_go(service: Coda) -> None:
    one, _, three = chain(3)
    document = await service.file(one)
    gap = await service.file(three)
    for each in (document, gap):
        answer = await service.call("POST", f"/v1/documents/{each}/release", json={"reason": "gewoon"})
        assert (answer.status_code, answer.json()["code"]) == (409, "cannot_let_go")


async def test_retrying_looks_again(service: Coda) -> None:
    one, _, three = chain(3)
    await service.file(one)
    document = await service.file(three)
    answer = await service.call("POST", f"/v1/deliveries/{document}/retry")
    assert (answer.status_code, answer.json()["problem"]["code"]) == (202, "statement_gap")
    assert (await service.call("POST", f"/v1/deliveries/{new_id()}/retry")).status_code == 404


# ── what is on accounts ──


async def test_a_cash_book_is_an_account_like_another_and_its_balance_is_read(service: Coda) -> None:
    """R131, R133, R135."""
    day = FIRST_DAY + timedelta(1)
    lines = (
        *receipts(day, {"Cash": Decimal(212), "Bancontact": Decimal(600)}, "Cash"),
        CashLine(day, Decimal(-100), Mark.CASH_TO_BANK, ("afstorting",)),
    )
    document = await service.file(cash(1, "150.00", *lines), kind="cash_statement")
    (ready,) = await service.published()
    assert isinstance(ready, DocumentReady)
    assert (ready.document_id, ready.kind, ready.sequence_key) == (document, "cash_statement", f"{DRAWER} EUR")
    assert (await service.accounts())[DRAWER]["kind"] == "cash"
    (balance,) = (await service.call("GET", service.at("/balances"))).json()["items"]
    assert (balance["iban"], balance["kind"], balance["balance"]) == (
        DRAWER,
        "cash",
        {"amount": "262.00", "currency": "EUR"},
    )


async def test_lines_that_begin_with_a_payment_key_are_processed(service: Coda) -> None:
    """R134: the keys count for lines that were there before them too."""
    messages = ["CB/BACA/geld halen", "DR/DRIN/02.03.2026/Cash=5", "betaling CB/BACA"]
    await service.file(statement(1, 0, 5, 6, 7, messages=messages))
    answer = await service.call("POST", service.at("/payment-keys"), json={"keys": "CB/BACA/, DR/DRIN"})
    assert (answer.status_code, [item["key"] for item in answer.json()["items"]]) == (201, ["CB/BACA/", "DR/DRIN"])
    (known,) = (await service.call("GET", service.at(f"/accounts/{CURRENT}/statements"))).json()["items"]
    path = service.at(f"/accounts/{CURRENT}/statements/{known['id']}/lines")
    lines = (await service.call("GET", path)).json()["items"]
    assert [(line["message"], line["mark"], line["processed"]) for line in lines] == [
        (messages[0], "CB/BACA", True),
        (messages[1], "DR/DRIN", True),
        (messages[2], None, False),
    ]
    answer = await service.call("POST", service.at("/payment-keys"), json={"keys": ["betaling"]})
    assert [item["key"] for item in (await service.call("GET", service.at("/payment-keys"))).json()["items"]] == [
        "betaling"
    ]
    lines = (await service.call("GET", path)).json()["items"]
    assert [line["processed"] for line in lines] == [False, False, True]
    for keys in ({"keys": [""]}, {"keys": ["x" * 141]}, {"keys": ["a\0"]}, {"keys": 5}, {}):
        assert (await service.call("POST", service.at("/payment-keys"), json=keys)).status_code == 422


async def test_lists_have_pages(service: Coda) -> None:
    await service.file(*chain(5), *chain(2, iban=SAVINGS), *chain(1, currency="USD"))
    (gone,) = await service.gone()
    several = await service.call("GET", service.at(f"/accounts/{CURRENT}/statements"))
    assert (several.status_code, several.json()["code"]) == (422, "currency_needed")
    path = service.at(f"/accounts/{CURRENT[:4]} {CURRENT[4:]}/statements?currency=EUR&limit=2")
    seen: list[int] = []
    following = ""
    while True:
        page = (await service.call("GET", path + following)).json()
        seen += [item["sequence"] for item in page["items"]]
        if page["next"] is None:
            break
        following = f"&after={page['next']}"
    assert seen == [5, 4, 3, 2, 1]
    page = (await service.call("GET", service.at("/accounts?limit=2"))).json()
    rest = (await service.call("GET", service.at(f"/accounts?limit=2&after={page['next']}"))).json()
    assert (len(page["items"]), len(rest["items"]), rest["next"]) == (2, 1, None)
    assert (await service.call("GET", service.at("/accounts?after=x"))).status_code == 422
    assert {row["standing"] for row in await service.sql("SELECT standing FROM statement")} == {"linked"}
    assert gone is not None


async def test_a_dossier_of_another_firm_is_not_there(service: Coda) -> None:
    await service.file(*chain(1))
    other = new_id()
    for path in ("/accounts", "/balances", "/payment-keys", f"/accounts/{CURRENT}/statements"):
        assert (await service.call("GET", service.at(path), firm=other)).status_code == 404
    assert (await accept(service, 1, 3, firm=other)).status_code == 404
    assert (await service.call("GET", f"/v1/dossiers/{new_id()}/accounts")).status_code == 404
