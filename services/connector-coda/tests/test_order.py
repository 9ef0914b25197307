"""Statements go in the order of their chain, however they come."""

import asyncio
from uuid import UUID

import pytest

from koppel_mesh.database import Database
from koppel_mesh.ids import new_id
from koppel_mesh.messages import (
    ConnectionState,
    DeliveryChanged,
    DeliveryState,
    DocumentReady,
    DocumentState,
    LocalisedText,
    ProblemData,
    WhoCanFix,
)

from .conftest import FIRM, Coda, DossierApi
from .samples import CURRENT, OUR_NAME, OURS, SAVINGS, chain, statement


async def test_what_comes_in_wrong_order_goes_in_order(service: Coda) -> None:
    statements = chain(4)
    documents = [service.document(each) for each in statements]
    later = [documents[index] for index in (2, 0, 3, 1)]
    await service.deliver(*later, *(service.ready(each) for each in later))
    await service.work()
    assert await service.gone() == [each.document_id for each in documents]
    assert (await service.accounts())[CURRENT]["state"] == "continuous"


async def test_a_later_statement_waits_for_a_gap_and_goes_when_it_is_filled(service: Coda) -> None:
    one, two, three, four, five = chain(5)
    first = await service.file(one)
    await service.gone()
    held = [await service.file(four), await service.file(five)]
    assert await service.gone() == []
    assert await service.problems() == {held[0]: "statement_gap"}
    account = (await service.accounts())[CURRENT]
    (gap,) = account["gaps"]
    assert (account["state"], gap["after"], gap["before"], gap["missing"]) == ("gap", 1, 4, [2, 3])
    third = await service.file(three)
    assert await service.problems() == {third: "statement_gap"}
    second = await service.file(two)
    assert await service.gone() == [second, third, *held]
    assert await service.problems() == {}
    account = (await service.accounts())[CURRENT]
    assert (account["state"], account["gaps"], account["first_sequence"], account["last_sequence"]) == (
        "continuous",
        [],
        1,
        5,
    )
    assert first not in await service.problems()


async def test_the_problem_names_what_is_missing_in_three_languages_and_ends(service: Coda) -> None:
    one, two, three = chain(3)
    await service.file(one)
    await service.gone()
    held = await service.file(three)
    (told,) = [fact for fact in await service.published() if isinstance(fact, DeliveryChanged)]
    assert (told.document_id, told.state, told.connector) == (held, DeliveryState.BLOCKED, "connector-coda")
    assert told.problem is not None
    for language in ("nl", "fr", "en"):
        sentence = getattr(told.problem.message, language)
        assert CURRENT in sentence and "002" in sentence and "1001.00 EUR" in sentence and "…" not in sentence
    await service.file(two)
    ended = [fact for fact in await service.published() if isinstance(fact, DeliveryChanged)]
    assert [(fact.document_id, fact.state, fact.problem) for fact in ended] == [(held, DeliveryState.SUPERSEDED, None)]
    assert ended[0].version > told.version


async def test_one_of_a_sequence_goes_at_a_time(service: Coda) -> None:
    """Messages overtake each other: the next leaves when every connection has a delivery of this one."""
    await service.connect()
    for each in chain(2):
        await service.file(each)
    (first,) = await service.published()
    assert isinstance(first, DocumentReady) and first.sequence_key == f"{CURRENT} EUR"
    silent = service.connections.pop()
    await service.answer(first)
    await service.work()
    assert await service.published() == []
    service.connections = [silent]
    await service.answer(first, DeliveryState.BLOCKED)
    await service.work()
    (second,) = await service.published()
    assert second.subject_id != first.document_id


async def test_who_does_not_answer_is_told_again_and_who_is_removed_is_not_waited_for(service: Coda) -> None:
    for each in chain(2):
        await service.file(each)
    (first,) = await service.published()
    await service.sql("UPDATE document SET repeat_at = now() WHERE repeat_at IS NOT NULL")
    await service.sql("UPDATE dossier SET releasing_at = now()")
    await service.work()
    (again,) = await service.published()
    assert again == first
    removed = service.connections.pop()
    await service.connect(ConnectionState.DISCONNECTED, removed)
    await service.work()
    assert await service.published() == [], "nobody is left to take the second"
    await service.connect()
    await service.work()
    (told,) = await service.published()
    assert told == first, "the new connection has none of it yet"
    assert isinstance(told, DocumentReady)
    await service.answer(told)
    await service.work()
    (second,) = await service.published()
    assert second.subject_id != first.subject_id


async def test_nothing_goes_while_the_dossier_has_no_connection(service: Coda) -> None:
    await service.dossier(connections=0)
    ids = [await service.file(each) for each in chain(3)]
    assert await service.published() == []
    assert (await service.accounts())[CURRENT]["state"] == "waiting"
    await service.connect()
    await service.work()
    assert await service.gone() == ids


async def test_a_statement_that_nobody_asked_for_yet_holds_those_behind_it(service: Coda) -> None:
    one, two = chain(2)
    document = service.document(one, state=DocumentState.AWAITING_APPROVAL)
    await service.deliver(document)
    second = await service.file(two)
    assert await service.gone() == []
    assert (await service.accounts())[CURRENT]["state"] == "waiting"
    await service.deliver(service.ready(document))
    await service.work()
    assert await service.gone() == [document.document_id, second]


async def test_people_are_told_of_a_statement_that_nobody_exports(service: Coda) -> None:
    one, two, three = (service.document(each) for each in chain(3))
    await service.deliver(one, two, three, service.ready(two), service.ready(three))
    await service.work()
    assert await service.problems() == {}, "the first may be exported in a moment"
    await service.sql("UPDATE document SET asked_at = asked_at - interval '2 minutes'")
    await service.sql("UPDATE dossier SET releasing_at = now()")
    await service.work()
    await service.work()
    assert await service.problems() == {two.document_id: "statement_not_exported"}
    await service.published()
    await service.deliver(service.ready(one))
    await service.work()
    assert await service.problems() == {}
    assert await service.gone() == [each.document_id for each in (one, two, three)]


async def test_the_first_of_an_account_waits_a_moment_for_an_earlier_one(database: Database) -> None:
    service = Coda(database, DossierApi(), statement_patience_s=60.0)
    await service.dossier()
    one, two = chain(2)
    second = await service.file(two)
    assert await service.gone() == []
    first = await service.file(one)
    await service.sql("UPDATE account SET arrived_at = arrived_at - interval '1 minute'")
    await service.sql("UPDATE dossier SET releasing_at = now()")
    await service.work()
    assert await service.gone() == [first, second]


async def test_what_arrives_after_later_ones_went_is_told_and_may_be_let_go(service: Coda) -> None:
    one, two = chain(2)
    await service.file(two)
    await service.gone()
    late = await service.file(one)
    assert (await service.problems(), await service.gone()) == ({late: "statement_late"}, [])
    answer = await service.call("POST", f"/v1/documents/{late}/release", json={"reason": "de klant vroeg het"})
    assert (answer.status_code, answer.json()["let_go_by"]) == (200, "tester")
    await service.work()
    assert await service.gone() == [late]
    assert await service.problems() == {}


async def test_the_same_statement_by_another_channel_goes_once(service: Coda) -> None:
    (one, two) = chain(2)
    first = await service.file(one)
    await service.gone()
    copy = await service.file(one, data=service.document(one).model_dump_json().encode() and _resent(service, one))
    assert (await service.problems(), await service.gone()) == ({copy: "statement_duplicate"}, [])
    second = await service.file(two)
    assert await service.gone() == [second]
    assert first != copy


def _resent(service: Coda, one: object) -> bytes:
    """Return the file as a bank sends it again: marked as a duplicate (coda §2, record 0)."""
    data = service.dossier_api.contents[str(next(reversed(service.dossier_api.contents)))]
    assert data[16:17] == b" "
    return data[:16] + b"D" + data[17:]


async def test_a_resent_file_whose_original_never_came_goes(service: Coda) -> None:
    (one,) = chain(1)
    service.document(one)
    document = await service.file(one, data=_resent(service, one))
    assert await service.gone() == [document]


async def test_an_overlapping_file_is_told_and_holds_nobody(service: Coda) -> None:
    one, two, three = chain(3)
    for each in (one, two):
        await service.file(each)
    await service.gone()
    week = statement(9, 1000, 1, 2, day=2, coded_number=9, opened_on=one.old_balance.on)
    overlap = await service.file(week)
    assert (await service.problems(), await service.gone()) == ({overlap: "statement_overlap"}, [])
    assert (await service.accounts())[CURRENT]["state"] == "overlap"
    third = await service.file(three)
    assert await service.gone() == [third]


async def test_a_document_that_is_held_counts_when_it_is_released_and_never_when_it_is_dropped(service: Coda) -> None:
    one, two, three = chain(3)
    await service.file(one)
    held = service.document(two, state=DocumentState.HELD)
    await service.deliver(held)
    third = await service.file(three)
    await service.gone()
    assert await service.problems() == {third: "statement_gap"}
    filed = held.model_copy(update={"state": DocumentState.FILED, "version": 2})
    await service.deliver(filed, service.ready(filed))
    await service.work()
    assert await service.gone() == [held.document_id, third]


async def test_again_makes_sure_of_what_went_and_a_repeated_message_does_nothing(service: Coda) -> None:
    documents = [service.document(each) for each in chain(2)]
    facts = [service.ready(each) for each in documents]
    await service.deliver(*documents, *facts)
    await service.work()
    ids = await service.gone()
    await service.deliver(*facts)
    await service.work()
    assert await service.published() == []
    await service.deliver(*(service.ready(each, again=True) for each in reversed(documents)))
    await service.work()
    assert await service.gone() == ids


# ── two accounts ──


async def test_accounts_go_by_themselves(service: Coda) -> None:
    await service.file(chain(1)[0])
    await service.file(chain(1, iban=SAVINGS)[0])
    first, second = await service.published()
    assert isinstance(first, DocumentReady) and isinstance(second, DocumentReady)
    assert {first.sequence_key, second.sequence_key} == {f"{CURRENT} EUR", f"{SAVINGS} EUR"}


async def test_a_file_with_two_accounts_makes_one_sequence_of_them(service: Coda) -> None:
    """What went under the key that ends is waited for until it is delivered."""
    current, savings = chain(3), chain(3, iban=SAVINGS)
    ids = [await service.file(current[0]), await service.file(savings[0])]
    first, second = await service.published()
    assert isinstance(first, DocumentReady) and isinstance(second, DocumentReady)
    for fact in (first, second):
        await service.answer(fact)
    both = await service.file(current[1], savings[1])
    assert await service.published() == [], "the delivery of the savings account is open"
    await service.answer(second, DeliveryState.EXPORTED)
    await service.work()
    (third,) = await service.published()
    assert isinstance(third, DocumentReady)
    assert (third.document_id, third.sequence_key) == (both, f"{CURRENT} EUR")
    await service.answer(third)
    last = await service.file(savings[2])
    (fourth,) = await service.published()
    assert isinstance(fourth, DocumentReady)
    assert (fourth.document_id, fourth.sequence_key) == (last, f"{CURRENT} EUR")
    assert ids == [first.document_id, second.document_id]


@pytest.mark.parametrize("problem", ["kind_not_taken", None])
async def test_a_delivery_that_will_never_go_is_not_waited_for(service: Coda, problem: str | None) -> None:
    """A connection that takes no statements answers too, and a person may leave a delivery that failed."""
    current, savings = chain(2), chain(2, iban=SAVINGS)
    for each in (current[0], savings[0]):
        await service.file(each)
    text = LocalisedText(nl="x", fr="x", en="x")
    told = ProblemData(code=problem, message=text, who_can_fix=WhoCanFix.ACCOUNTANT) if problem else None
    for fact in await service.published():
        assert isinstance(fact, DocumentReady)
        await service.answer(fact, DeliveryState.BLOCKED if problem else DeliveryState.FAILED, problem=told)
    both = await service.file(current[1], savings[1])
    assert await service.gone() == [both]


async def test_two_files_that_wait_for_each_other_are_told(service: Coda) -> None:
    current, savings = chain(2), chain(2, iban=SAVINGS)
    one = service.document(current[0], savings[1])
    other = service.document(current[1], savings[0])
    await service.deliver(one, other, service.ready(one), service.ready(other))
    await service.work()
    assert await service.gone() == []
    assert set((await service.problems()).values()) == {"statements_crossed"}
    answer = await service.call("POST", f"/v1/documents/{one.document_id}/release", json={"reason": "eerst deze"})
    assert answer.status_code == 200, answer.text
    await service.work()
    assert await service.gone() == [one.document_id, other.document_id]


async def test_a_file_of_a_whole_year_is_one_document_in_the_chain(service: Coda) -> None:
    statements = chain(60)
    year = await service.file(*statements[:50])
    rest = [await service.file(each) for each in statements[50:52]]
    assert await service.gone() == [year, *rest]


# ── processes ──


async def test_two_processes_at_once_let_each_statement_go_once(service: Coda, database: Database) -> None:
    other = Coda(database, service.dossier_api)
    documents = [service.document(each) for each in chain(12)]
    await service.deliver(*documents, *(service.ready(each) for each in documents))
    gone: list[UUID] = []
    for _ in range(40):
        await asyncio.gather(service.work(), other.work())
        for fact in await service.published():
            if isinstance(fact, DocumentReady):
                gone.append(fact.document_id)
                await service.answer(fact)
    assert gone == [each.document_id for each in documents]
    await other.http.aclose()


async def test_dossier_api_that_is_away_is_asked_again(service: Coda) -> None:
    service.dossier_api.away = True
    document = await service.file(*chain(1))
    assert await service.gone() == []
    service.dossier_api.away = False
    await service.sql("UPDATE document SET read_due_at = now()")
    await service.work()
    assert await service.gone() == [document]


async def test_a_dossier_from_before_connector_coda_is_asked_for(database: Database) -> None:
    """Nobody told of it and of its connections while connector-coda was not there."""
    service = Coda(database, DossierApi())
    service.connections = [new_id()]
    connection = {"connection_id": str(service.connections[0]), "connector": "connector-paper", "state": "connected"}
    service.dossier_api.dossiers[str(service.dossier_id)] = {
        "firm_id": str(FIRM),
        "name": OUR_NAME,
        "enterprise_number": OURS,
        "connections": [connection],
    }
    document = service.document(*chain(1))
    await service.deliver(service.ready(document))
    await service.work()
    assert await service.gone() == [document.document_id]
    await service.connect(ConnectionState.DISCONNECTED, service.connections[0])
    second = await service.file(chain(2)[1])
    assert await service.published() == []
    assert second not in await service.problems()
