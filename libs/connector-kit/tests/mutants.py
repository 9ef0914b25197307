"""Connectors to Griffel with one mistake each, and the scenario of the suite that must see it."""

# mypy: disable-error-code="import-not-found, misc, no-any-return"

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from koppel_bookkeeping import Booking, CannotBook, Reason
from koppel_bookkeeping.entries_in_books import EntryInBooks, SoughtDocument
from koppel_connector import (
    ActionRequired,
    Booked,
    Call,
    CannotTell,
    ConnectorError,
    DeliveryContext,
    Found,
    NotFound,
    Problem,
    Rejected,
    Sent,
    Vendor,
    VendorAnswer,
)
from koppel_connector.contract import (
    OutcomeUnknown,
    ReadBack,
    ReauthorisationRequired,
    RemoteCompany,
    RetryLater,
    RetryNow,
)
from koppel_connector.testing import DOSSIER_NAME, DOSSIER_NUMBER

from .griffel_page import FILES  # isort: skip
from connector_griffel.api import Griffel, error_of  # isort: skip
from connector_griffel.connector import GriffelConnector  # isort: skip

assert FILES, "the page shows no connector"

Prepared = tuple[Booking, dict[str, Any]]


class LookupFindsNothing(GriffelConnector):
    async def lookup(self, context: DeliveryContext) -> Found | NotFound | CannotTell:
        return NotFound()


class SearchFindsNothing(GriffelConnector):
    async def search_books(self, vendor: Vendor, documents: Sequence[SoughtDocument]) -> Sequence[EntryInBooks]:
        return []


class SearchOfOneSpelling(GriffelConnector):
    async def search_books(self, vendor: Vendor, documents: Sequence[SoughtDocument]) -> Sequence[EntryInBooks]:
        found = await super().search_books(vendor, documents)
        return [each for each in found if each.document_number in {document.number for document in documents}]


class SearchForgetsSigns(GriffelConnector):
    async def search_books(self, vendor: Vendor, documents: Sequence[SoughtDocument]) -> Sequence[EntryInBooks]:
        found = await super().search_books(vendor, documents)
        return [replace(each, total=abs(each.total or 0)) for each in found]


class BookedWithoutReading(GriffelConnector):
    async def read_back(self, vendor: Vendor, contexts: Sequence[DeliveryContext]) -> Mapping[UUID, ReadBack]:
        return {context.delivery.id: Booked("26001") for context in contexts}


class GoneIsBooked(GriffelConnector):
    async def compared(self, vendor: Vendor, context: DeliveryContext) -> ReadBack:
        found = await Griffel(vendor).entries(context.remote_ref)
        return await super().compared(vendor, context) if found else Booked("?")


class DifferenceIsBooked(GriffelConnector):
    async def compared(self, vendor: Vendor, context: DeliveryContext) -> ReadBack:
        found = await Griffel(vendor).entries(context.remote_ref)
        return Booked(str(found[0]["number"])) if found else await super().compared(vendor, context)


class _OtherEntry(GriffelConnector):
    def other(self, entry: dict[str, Any], booking: Booking) -> dict[str, Any]:
        raise NotImplementedError

    async def prepare(self, context: DeliveryContext) -> Prepared:
        booking, entry = await super().prepare(context)
        return booking, {**entry, **self.other(entry, booking)}


class TwiceTheAmount(_OtherEntry):
    def other(self, entry: dict[str, Any], booking: Booking) -> dict[str, Any]:
        return _times(entry, 2)


class CreditNoteIsNotTurned(_OtherEntry):
    def other(self, entry: dict[str, Any], booking: Booking) -> dict[str, Any]:
        return _times(entry, booking.sign)


class AnotherCurrency(_OtherEntry):
    def other(self, entry: dict[str, Any], booking: Booking) -> dict[str, Any]:
        return {"currency": "USD"}


class OneJournalForAll(_OtherEntry):
    def other(self, entry: dict[str, Any], booking: Booking) -> dict[str, Any]:
        return {"journal": "V1"}


class OneLineForAll(_OtherEntry):
    """Everything at the first line's rate; the total is right."""

    def other(self, entry: dict[str, Any], booking: Booking) -> dict[str, Any]:
        net, vat = (sum(line[name] for line in entry["lines"]) for name in ("net", "vat"))
        return {"lines": [{**entry["lines"][0], "net": net, "vat": vat}]}


class AnotherReference(_OtherEntry):
    def other(self, entry: dict[str, Any], booking: Booking) -> dict[str, Any]:
        return {"reference": booking.number}


class SignsAsInTheFile(GriffelConnector):
    async def prepare(self, context: DeliveryContext) -> Prepared:
        document = context.document.model_copy(update={"signs_reversed": False})
        return await super().prepare(replace(context, filed=document))


class OnlyUblIsRead(GriffelConnector):
    async def prepare(self, context: DeliveryContext) -> Prepared:
        if context.document.file("ubl") is None:
            raise CannotBook(Reason.DOCUMENT_UNREADABLE, "no UBL")
        return await super().prepare(context)


class FileLeftOut(GriffelConnector):
    async def send(self, context: DeliveryContext, prepared: Prepared) -> Sent:
        content = [file for file in context.document.content if file.role != "pdf"]
        return await super().send(
            replace(context, filed=context.document.model_copy(update={"content": content})), prepared
        )


class RelationPerDocument(GriffelConnector):
    async def relation(self, context: DeliveryContext, booking: Booking) -> str:
        identifier, number = str(uuid4()), booking.party.enterprise_number
        party = {"name": booking.party.name, "enterprise_number": number}
        await Griffel(context.vendor).put_relation(identifier, party)
        return identifier


class FirstRelationFound(GriffelConnector):
    async def relation(self, context: DeliveryContext, booking: Booking) -> str:
        answer = await context.vendor.call(Call("relations", "GET", "/api/relations", acts=False))
        found = answer.json() if answer.status == 200 else []
        return str(found[0]["id"]) if found else await super().relation(context, booking)


class FileUnderANewId(GriffelConnector):
    async def file(self, context: DeliveryContext, role: str) -> str:
        return await super().file(replace(context, remote_uuid=uuid4()), role)


class BooksOfItsOwn(GriffelConnector):
    """Says of each connection that it leads to other books."""

    def limit_scope(self, settings: Any) -> str | None:
        return None


class UnknownPathIsEmpty(GriffelConnector):
    def classify(self, answer: VendorAnswer) -> ConnectorError | None:
        return None if answer.status == 404 else super().classify(answer)

    async def lookup(self, context: DeliveryContext) -> Found | NotFound | CannotTell:
        search = Call("entry", "GET", "/api/entry", params={"reference": context.remote_ref}, acts=False)
        answer = await context.vendor.call(search)
        return Found(str(answer.json()[0]["id"])) if answer.status == 200 else NotFound()


class ErrorIsTriedAgain(GriffelConnector):
    def classify(self, answer: VendorAnswer) -> ConnectorError | None:
        failure = super().classify(answer)
        return RetryLater() if isinstance(failure, OutcomeUnknown) else failure


class TakenNumberIsTheEnd(GriffelConnector):
    def classify(self, answer: VendorAnswer) -> ConnectorError | None:
        failure = super().classify(answer)
        return Rejected(Problem("rejected_by_vendor")) if isinstance(failure, RetryNow) else failure


class EveryCompanyIsTheDossiers(GriffelConnector):
    async def remote_company(self, vendor: Vendor) -> RemoteCompany | None:
        return RemoteCompany(DOSSIER_NAME, (DOSSIER_NUMBER,))


class CompanyWithoutNumber(GriffelConnector):
    async def remote_company(self, vendor: Vendor) -> RemoteCompany | None:
        return RemoteCompany((await Griffel(vendor).company())["name"])


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


def _times(entry: dict[str, Any], factor: int) -> dict[str, Any]:
    lines = [{**line, "net": line["net"] * factor, "vat": line["vat"] * factor} for line in entry["lines"]]
    return {"total": entry["total"] * factor, "lines": lines}


LOST = "test_acted_without_an_answer_is_looked_up"
RIGHT = "test_the_books_hold_what_the_document_says"
SIGN = "test_a_credit_note_is_booked_with_its_sign"
REVERSED = "test_signs_that_a_person_reversed_are_booked_reversed"
ENTERED = "test_an_entered_pdf_without_ubl_is_booked"
RELATION = "test_one_relation_serves_many_documents"
CHANGED = "test_a_changed_booking_is_not_called_booked"
VANISHED = "test_a_vanished_booking_is_not_called_booked"
OBJECTS = "test_every_created_object_is_made_once"
COMPANY = "test_nothing_goes_to_another_company_until_a_person_confirms_it"
PASSWORD = "test_a_wrong_password_is_tried_once"
BY_HAND = "test_what_somebody_typed_in_waits_for_a_person"
CAUGHT_BY: Mapping[type[GriffelConnector], tuple[str, str]] = {
    LookupFindsNothing: (f"{LOST}[acts_then_resets]", "sent again without a look-up"),
    SearchFindsNothing: (BY_HAND, "booked beside what somebody booked by hand"),
    SearchOfOneSpelling: (BY_HAND, "booked beside what somebody booked by hand"),
    SearchForgetsSigns: (BY_HAND, "booked beside what somebody booked by hand"),
    BookedWithoutReading: (VANISHED, "the booking was gone"),
    GoneIsBooked: (VANISHED, "the booking was gone"),
    DifferenceIsBooked: (CHANGED, "the booking was changed"),
    TwiceTheAmount: (RIGHT, "total 572.90, the document says 286.45"),
    CreditNoteIsNotTurned: (SIGN, "total 145.57, the document says -145.57"),
    SignsAsInTheFile: (REVERSED, "total -"),
    OnlyUblIsRead: (ENTERED, "document_unreadable"),
    AnotherCurrency: (RIGHT, "currency USD, the document says EUR"),
    OneJournalForAll: (RIGHT, "side sale, the document says purchase"),
    OneLineForAll: (RIGHT, "lines at 6 % make 0"),
    FileLeftOut: (RIGHT, "the file pdf is missing"),
    RelationPerDocument: (RELATION, "one for each of the two counterparties"),
    FirstRelationFound: (RELATION, "counterparty"),
    FileUnderANewId: (OBJECTS, "an undisturbed document makes"),
    AnotherReference: ("test_a_document_is_booked_and_told", "'code': 'vanished_at_vendor'"),
    BooksOfItsOwn: ("test_two_ways_to_the_same_books_book_it_once", "nobody asked: ['booked', 'booked']"),
    UnknownPathIsEmpty: (f"{LOST}[acts_then_resets]", "the look-up does not find it"),
    ErrorIsTriedAgain: (f"{LOST}[acts_then_error]", "sent again without a look-up"),
    TakenNumberIsTheEnd: ("test_a_number_taken_meanwhile_is_asked_for_again", "no longer every delivery in"),
    EveryCompanyIsTheDossiers: (COMPANY, "the vendor tells another company"),
    CompanyWithoutNumber: (COMPANY, "the vendor tells another company"),
    WrongPasswordAgain: (PASSWORD, "the vendor would lock the user out"),
    WrongPasswordIsLater: (PASSWORD, "they wait for the new password"),
    MissingRightIsTheEnd: ("test_a_missing_right_waits_for_a_person", "no longer every delivery in ('blocked',)"),
    ThrottledIsAFailure: ("test_throttled_spends_no_attempt", "a storm of 429 is no failure"),
}
"""Mistake → the scenario that sees it, and a part of what it says."""
