"""Files: those of bookings, and the documents of the Import Viewer (octopus §2.7, §2.8)."""

import base64
import binascii
from typing import Any, NamedTuple

from starlette.responses import Response

from koppel_sandbox.tables import Record, wire

from .call import Call, DossierCall, answer
from .errors import Refusal
from .feeds import changed, some
from .state import Books

JOURNAL_TYPES = {"A": 1, "V": 2, "F": 3, "D": 4}
"""``journalType`` of a file's document: 1 buy, 2 sell; the others are ours."""


class File(NamedTuple):
    """One file as a call brings it."""

    name: str
    content: bytes


def read(call: Call, given: Any) -> list[File]:
    """Return the files of ``attachments`` (33)."""
    if given is None:
        return []
    if not isinstance(given, list):
        raise call.bad_parameter("attachments")
    return [read_one(call, one) for one in given]


def read_one(call: Call, given: Any) -> File:
    """Return the file of ``{fileName, fileData}``."""
    name, data = (given.get("fileName"), given.get("fileData")) if isinstance(given, dict) else (None, None)
    if not isinstance(name, str) or not name or not isinstance(data, str):
        raise call.bad_parameter("fileName, fileData")
    try:
        return File(name, base64.b64decode(data, validate=True))
    except (binascii.Error, ValueError):
        raise call.bad_parameter("fileData") from None


def attach(books: Books, booking: Record, attached: list[File]) -> None:
    """Hang files on a booking."""
    document = document_key(booking)
    for file in attached:
        record = {
            "documentKey": document,
            "fileName": file.name,
            "fileSubDirectoryList": [booking["documentDate"][:4]],
            "@content": file.content,
            "@booking": f"{booking['bookyearKey']['id']}/{booking['journalKey']}/{booking['documentSequenceNr']}",
        }
        books.put(books.files, str(len(books.files) + 1), record)


def document_key(booking: Record) -> Record:
    """Return the key of a booking as files have it, its journal as a type and a number."""
    letter, number = booking["journalKey"][0], int(booking["journalKey"][1:])
    return {
        "bookyearKey": dict(booking["bookyearKey"]),
        "journalType": JOURNAL_TYPES[letter],
        "journalSequenceNr": number,
        "documentSequenceNr": booking["documentSequenceNr"],
    }


def attach_later(call: DossierCall) -> Response:
    """``POST …/bookyears/{bookyear}/bookings/attachements``: the vendor's spelling; the form of the body is ours."""
    body = call.body()
    booking = _booking(call, body.get("documentKey"))
    attach(call.books, booking, read(call, body.get("attachments")))
    return Response(status_code=201)


def list_files(call: DossierCall) -> Response:
    """``GET …/bookingfiles?modifiedTimeStamp=`` of the File Sync API (33)."""
    found = changed(call, call.books.files) if call.switches.files_listed else []
    year, number = call.whole_number("bookyearId"), call.whole_number("documentSequenceNr")
    journal = call.query("journal")
    return some(
        [
            one
            for one in found
            if year in {None, one["documentKey"]["bookyearKey"]["id"]}
            and number in {None, one["documentKey"]["documentSequenceNr"]}
            and journal in {None, one["@booking"].split("/")[1]}
        ],
        -45,
    )


def file_bytes(call: DossierCall) -> Response:
    """``POST …/bookingfiles`` with one object of the list: its bytes."""
    wanted = call.body()
    for record in call.books.files.values():
        if call.switches.files_listed and wire(record) == wanted:
            return Response(record["@content"], media_type="application/octet-stream")
    raise Refusal(404, -45)


def import_document(call: DossierCall) -> Response:
    """``POST …/files/imports/withtoken?subfolder=`` of the File Import API (40)."""
    if not call.books.dossier["@dms"]:
        raise Refusal(call.switches.dms_off_status, -3, "DMS")
    file = read_one(call, call.body())
    record = {"fileName": file.name, "subfolder": call.query("subfolder") or "", "@content": file.content}
    call.books.put(call.books.imports, str(len(call.books.imports) + 1), record)
    return answer({})


def _booking(call: DossierCall, document: Any) -> Record:
    letters = {number: letter for letter, number in JOURNAL_TYPES.items()}
    try:
        key = (
            f"{document['bookyearKey']['id']}/{letters[document['journalType']]}{document['journalSequenceNr']}"
            f"/{document['documentSequenceNr']}"
        )
    except (KeyError, TypeError):
        raise call.bad_parameter("documentKey") from None
    found = call.books.bookings.get(key) or call.books.financial_bookings.get(key)
    if found is None:
        raise Refusal(call.switches.unknown_booking_status, -34, key)
    return found
