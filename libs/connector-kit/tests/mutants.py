"""Connectors to Griffel with one mistake each, and the scenario of the suite that must see it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from koppel_connector import (
    ActionRequired,
    Booked,
    Call,
    CannotTell,
    ConnectorError,
    DeliveryContext,
    Found,
    NotFound,
    OutcomeUnknown,
    Problem,
    ReadBack,
    ReauthorisationRequired,
    Rejected,
    RetryLater,
    Sent,
    Vendor,
    VendorAnswer,
)

from .griffel_connector import GriffelConnector, error_of, search


class LookupFindsNothing(GriffelConnector):
    async def lookup(self, context: DeliveryContext) -> Found | NotFound | CannotTell:
        return NotFound()


class BookedWithoutReading(GriffelConnector):
    async def read_back(self, vendor: Vendor, contexts: Sequence[DeliveryContext]) -> Mapping[UUID, ReadBack]:
        return {context.delivery.id: Booked("26001") for context in contexts}


class GoneIsBooked(GriffelConnector):
    async def compared(self, vendor: Vendor, context: DeliveryContext) -> ReadBack:
        found = await search(vendor, "entries", reference=context.remote_ref)
        return await super().compared(vendor, context) if found else Booked("?")


class DifferenceIsBooked(GriffelConnector):
    async def compared(self, vendor: Vendor, context: DeliveryContext) -> ReadBack:
        found = await search(vendor, "entries", reference=context.remote_ref)
        return Booked(str(found[0]["number"])) if found else await super().compared(vendor, context)


class TwiceTheAmount(GriffelConnector):
    async def prepare(self, context: DeliveryContext) -> dict[str, Any]:
        return _times(await super().prepare(context), 2)


class CreditNoteIsNotTurned(GriffelConnector):
    async def prepare(self, context: DeliveryContext) -> dict[str, Any]:
        return _times(await super().prepare(context), -1 if "credit" in context.delivery.kind else 1)


class AnotherCurrency(GriffelConnector):
    async def prepare(self, context: DeliveryContext) -> dict[str, Any]:
        return {**await super().prepare(context), "currency": "USD"}


class OneJournalForAll(GriffelConnector):
    async def prepare(self, context: DeliveryContext) -> dict[str, Any]:
        return {**await super().prepare(context), "journal": "V1"}


class OneLineForAll(GriffelConnector):
    """Everything at the first line's rate; the total is right."""

    async def prepare(self, context: DeliveryContext) -> dict[str, Any]:
        body = await super().prepare(context)
        net, vat = (str(sum(Decimal(line[name]) for line in body["lines"])) for name in ("net", "vat"))
        return {**body, "lines": [{"net": net, "rate": body["lines"][0]["rate"], "vat": vat}]}


class FileLeftOut(GriffelConnector):
    async def send(self, context: DeliveryContext, prepared: dict[str, Any]) -> Sent:
        content = [file for file in context.document["content"] if file["role"] != "pdf"]
        return await super().send(replace(context, document={**context.document, "content": content}), prepared)


class RelationPerDocument(GriffelConnector):
    async def relation(self, context: DeliveryContext) -> str:
        identifier = str(uuid4())
        path, party = f"/api/relations/{identifier}", context.document["counterparty"]
        await context.vendor.call(Call("relation", "PUT", path, json=party, acts=True))
        return identifier


class FirstRelationFound(GriffelConnector):
    async def relation(self, context: DeliveryContext) -> str:
        found = await search(context.vendor, "relations")
        return str(found[0]["id"]) if found else await super().relation(context)


class FileUnderANewId(GriffelConnector):
    async def store(self, context: DeliveryContext, role: str) -> str:
        return await super().store(replace(context, remote_uuid=uuid4()), role)


class AnotherReference(GriffelConnector):
    async def prepare(self, context: DeliveryContext) -> dict[str, Any]:
        return {**await super().prepare(context), "reference": context.document["number"]}


class BooksOfItsOwn(GriffelConnector):
    """Says of each connection that it leads to other books."""

    def limit_scope(self, settings: Any) -> str | None:
        return None


class UnknownPathIsEmpty(GriffelConnector):
    def classify(self, answer: VendorAnswer) -> ConnectorError | None:
        return None if answer.status == 404 else super().classify(answer)

    async def lookup(self, context: DeliveryContext) -> Found | NotFound | CannotTell:
        return Found("x") if await search(context.vendor, "entry", reference=context.remote_ref) else NotFound()


class ErrorIsTriedAgain(GriffelConnector):
    def classify(self, answer: VendorAnswer) -> ConnectorError | None:
        failure = super().classify(answer)
        return RetryLater() if isinstance(failure, OutcomeUnknown) else failure


class WrongPasswordAgain(GriffelConnector):
    async def log_in(self, vendor: Vendor) -> Mapping[str, str]:
        try:
            return await super().log_in(vendor)
        except ReauthorisationRequired:
            return await super().log_in(vendor)


class WrongPasswordIsLater(GriffelConnector):
    def classify(self, answer: VendorAnswer) -> ConnectorError | None:
        return RetryLater() if error_of(answer) == "WRONG_PASSWORD" else super().classify(answer)


class MissingRightIsTheEnd(GriffelConnector):
    def classify(self, answer: VendorAnswer) -> ConnectorError | None:
        failure = super().classify(answer)
        return Rejected(Problem("rejected_by_vendor")) if isinstance(failure, ActionRequired) else failure


class ThrottledIsAFailure(GriffelConnector):
    def classify(self, answer: VendorAnswer) -> ConnectorError | None:
        return RetryLater() if answer.status == 429 else super().classify(answer)


def _times(body: dict[str, Any], factor: int) -> dict[str, Any]:
    def turned(amount: str) -> str:
        return str(Decimal(amount) * factor)

    lines = [{**line, "net": turned(line["net"]), "vat": turned(line["vat"])} for line in body["lines"]]
    return {**body, "total": turned(body["total"]), "lines": lines}


LOST = "test_acted_without_an_answer_is_looked_up"
RIGHT = "test_the_books_hold_what_the_document_says"
SIGN = "test_a_credit_note_is_booked_with_its_sign"
RELATION = "test_one_relation_serves_many_documents"
CHANGED = "test_a_changed_booking_is_not_called_booked"
VANISHED = "test_a_vanished_booking_is_not_called_booked"
OBJECTS = "test_every_created_object_is_made_once"
PASSWORD = "test_a_wrong_password_is_tried_once"
CAUGHT_BY: Mapping[type[GriffelConnector], tuple[str, str]] = {
    LookupFindsNothing: (f"{LOST}[acts_then_resets]", "booked more than once"),
    BookedWithoutReading: (VANISHED, "the booking was gone"),
    GoneIsBooked: (VANISHED, "the booking was gone"),
    DifferenceIsBooked: (CHANGED, "the booking was changed"),
    TwiceTheAmount: (RIGHT, "total 572.90, the document says 286.45"),
    CreditNoteIsNotTurned: (SIGN, "total 145.57, the document says -145.57"),
    AnotherCurrency: (RIGHT, "currency USD, the document says EUR"),
    OneJournalForAll: (RIGHT, "side sale, the document says purchase"),
    OneLineForAll: (RIGHT, "lines at 6 % make 0"),
    FileLeftOut: (RIGHT, "the file pdf is missing"),
    RelationPerDocument: (RELATION, "one for each of the two counterparties"),
    FirstRelationFound: (RELATION, "counterparty"),
    FileUnderANewId: (OBJECTS, "an undisturbed document makes"),
    AnotherReference: ("test_a_document_is_booked_and_told", "'code': 'vanished_at_vendor'"),
    BooksOfItsOwn: ("test_two_ways_to_the_same_books_book_it_once", "nobody asked: ['booked', 'booked']"),
    UnknownPathIsEmpty: (f"{LOST}[acts_then_resets]", "booked more than once"),
    ErrorIsTriedAgain: (f"{LOST}[acts_then_error]", "booked more than once"),
    WrongPasswordAgain: (PASSWORD, "the vendor would lock the user out"),
    WrongPasswordIsLater: (PASSWORD, "they wait for the new password"),
    MissingRightIsTheEnd: ("test_a_missing_right_waits_for_a_person", "no longer every delivery in ('blocked',)"),
    ThrottledIsAFailure: ("test_throttled_spends_no_attempt", "a storm of 429 is no failure"),
}
"""Mistake → the scenario that sees it, and a part of what it says."""
