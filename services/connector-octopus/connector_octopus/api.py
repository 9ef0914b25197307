"""Octopus's REST API, endpoint by endpoint, of one dossier (octopus §1.3, §2); and its file import API (octopus §2.8)."""

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from koppel_connector import Call, Vendor, refused_questions, values
from koppel_connector.contract import VendorAnswer, to_json
from koppel_connector.ledger.documents import File
from koppel_mesh.clock import BRUSSELS

from .answers import NOTHING
from .settings import OctopusSettings

Row = dict[str, Any]
REST: Final = "/octopus-rest-api/v1"
FILE_IMPORT: Final = "/octopus-file-import-api/v1"
ALL_YEARS: Final = "-1"
BEGINNING: Final = "2000-01-01 00:00:00.000"
OVERLAP: Final = timedelta(hours=2)
"""The clock of a feed's times is not documented: Brussels is assumed, and two hours more are read (octopus §2.7)."""
LOCALES: Final = {"nl": "1", "fr": "2", "en": "3"}
JOURNAL_TYPES: Final = {"A": "1", "V": "2"}


class Octopus:
    """The endpoints that Koppel uses, of one dossier."""

    def __init__(self, vendor: Vendor[OctopusSettings]) -> None:
        self.vendor = vendor
        self._dossier = f"{REST}/dossiers/{vendor.settings.dossier_id}"

    # ── being let in ──

    async def log_in(self, user: str, password: str) -> str:
        """Return a login token, which reaches every dossier of the user."""
        headers = {"softwareHouseUuid": self.vendor.application.client_id}
        given = {"user": user, "password": password}
        call = Call(
            *("POST authentication", "POST", f"{REST}/authentication"),
            acts=False,
            headers=headers,
            json=given,
            logs_in=True,
        )
        return values.text((await self.vendor.call(call)).json().get("token"))

    async def connect(self) -> str:
        """Return a token of the dossier; its name has a capital, which a later version may lose (octopus §1.3)."""
        settings = self.vendor.settings
        params = {"dossierId": str(settings.dossier_id), "localeId": LOCALES[settings.language]}
        return await self._connect(params)

    async def may_connect(self, dossier_id: int) -> None:
        """Ask for a token of another dossier, which raises where the user may not use web services there."""
        await self._connect({"dossierId": str(dossier_id)})

    async def _connect(self, params: Mapping[str, str]) -> str:
        call = Call("POST dossiers", "POST", f"{REST}/dossiers", acts=False, params=params, json={}, opens_dossier=True)
        body = (await self.vendor.call(call)).json()
        return next((values.text(token) for name, token in body.items() if name.lower() == "dossiertoken"), "")

    async def whoami(self) -> str:
        """Return the user that the login token belongs to."""
        call = Call("GET authentication", "GET", f"{REST}/authentication", acts=False, opens_dossier=True)
        body = (await self.vendor.call(call)).json()
        return values.text(body.get("user")) if isinstance(body, Mapping) else ""

    async def dossiers(self) -> list[Row]:
        """Return the dossiers that the login reaches; the names of other clients are kept out of the sync log."""
        call = Call("GET dossiers", "GET", f"{REST}/dossiers", acts=False, opens_dossier=True)
        return _rows((await self.vendor.call(call)).json())

    # ── master data ──

    async def bookyears(self) -> list[Row]:
        """Return the bookyears with their periods."""
        return await self._list("bookyears")

    async def accounts(self, bookyear: int) -> list[Row]:
        """Return the ledger accounts of a bookyear."""
        return await self._list("accounts", bookyearId=str(bookyear))

    async def journals(self, bookyear: int) -> list[Row]:
        """Return the journals of a bookyear, each with its last document number and its protected periods."""
        return await self._list(f"bookyears/{bookyear}/journals", feed="journals/modified")

    async def journal_balance(self, bookyear: int, journal: str) -> Row:
        """Return what a financial journal tells of its balance."""
        answer = await self._get(f"bookyears/{bookyear}/journals/{journal}", "GET journals/balance")
        body = answer.json()
        return dict(body) if isinstance(body, Mapping) else {}

    async def vat_codes(self) -> list[Row]:
        """Return the VAT codes."""
        return await self._list("vatcodes")

    async def relations(self) -> list[Row]:
        """Return every relation."""
        return await self._list("relations")

    async def relations_like(self, **like: str) -> list[Row]:
        """Return the relations that fit one filter: ``relationId``, ``extRelationId``, ``name`` or ``vatNr``.

        Where the dossier refuses the question, every relation is read; by name and VAT number the caller compares in any case.
        """
        answer = await refused_questions.ask(
            self.vendor.memory, "relations by filter", lambda: self._get("relations", "GET relations", like)
        )
        if answer is not None:
            return _rows(answer.json())
        rows = await self.relations()
        keys = {"relationId": "relationKey", "extRelationId": "externalRelationId"}
        wanted = [(keys[name], int(value)) for name, value in like.items() if name in keys]
        return [row for row in rows if all(key_id(identity_of(row).get(key)) == number for key, number in wanted)]

    async def put_relation(self, relation: Mapping[str, Any]) -> Row:
        """Create a relation, or overwrite the one with its key or external number; empty where it was overwritten."""
        call = Call("PUT relations", "PUT", f"{self._dossier}/relations", acts=True, json=relation)
        answer = await self.vendor.call(call)
        return dict(answer.json()) if answer.content else {}

    # ── bookings ──

    async def book(self, booking: Mapping[str, Any], files: Sequence[File]) -> None:
        """Book a document with its files; Octopus answers nothing."""
        body = {"buySellBookingServiceData": booking, "attachments": [attachment(file) for file in files]}
        await self.vendor.call(
            Call("POST buysellbookings", "POST", f"{self._dossier}/buysellbookings", acts=True, json=body)
        )

    async def bookings_since(self, since: datetime, journal: str | None = None) -> list[Row]:
        """Return the bookings made or changed since a moment, in every bookyear."""
        params = {"bookyearId": ALL_YEARS, "modifiedTimeStamp": feed_time(since)}
        params |= {"journalKey": journal} if journal else {}
        answer = await self._get("buysellbookings/modified", "GET buysellbookings/modified", params)
        return _rows(answer.json())

    async def booking_numbered(self, bookyear: int, journal: str, number: int, since: datetime) -> Row | None:
        """Return the booking with a number, whoever made it; where a dossier refuses the plain question, from the feed."""
        # Two clients name the parameters differently (octopus §2.7); a server takes no notice of the others.
        params = {
            "bookyearId": str(bookyear),
            "journalKey": journal,
            "documentSeqNr": str(number),
            "bookyearKeyId": str(bookyear),
            "documentSequenceNr": str(number),
        }
        question = "bookings by number"
        rows = await refused_questions.ask(
            self.vendor.memory, question, lambda: self._get("buysellbookings", "GET buysellbookings", params)
        )
        found = await self.bookings_since(since, journal) if rows is None else _rows(rows.json())
        return next((row for row in found if place_of(row) == (bookyear, journal, number)), None)

    async def deleted_since(self, bookyear: int, journal: str, since: datetime) -> list[Row]:
        """Return the bookings of a side that were deleted since a moment: the only way to notice it (octopus §2.7)."""
        params = {"journalTypeId": JOURNAL_TYPES[journal[:1]], "modifiedTimeStamp": feed_time(since)}
        answer = await self._get(f"bookyears/{bookyear}/bookings/modified", "GET bookings/modified", params)
        body = answer.json()
        return _rows(body.get("deletedBookings")) if isinstance(body, Mapping) else []

    # ── files and statements ──

    async def import_file(self, folder: str, file: File) -> None:
        """Put a file into the Document Import Viewer."""
        path = f"{FILE_IMPORT}/dossiers/{self.vendor.settings.dossier_id}/files/imports/withtoken"
        body = attachment(file)
        await self.vendor.call(
            Call("POST files/imports", "POST", path, acts=True, params={"subfolder": folder}, json=body)
        )

    async def send_coda(self, text: str) -> None:
        """Hand in a CODA file, in the form that the settings name."""
        params, headers = {"publishPdfInDms": "false"}, {"Content-Type": "application/json"}
        content = text if self.vendor.settings.coda_body == "raw" else to_json(text)
        await self.vendor.call(
            Call(
                *("POST coda", "POST", f"{self._dossier}/coda"),
                acts=True,
                params=params,
                headers=headers,
                content=content.encode(),
            )
        )

    # ── questions ──

    async def _get(self, path: str, operation: str, params: Mapping[str, str] | None = None) -> VendorAnswer:
        call = Call(operation, "GET", f"{self._dossier}/{path}", acts=False, params=params or {}, nothing_found=NOTHING)
        return await self.vendor.call(call)

    async def _list(self, path: str, *, feed: str | None = None, **params: str) -> list[Row]:
        """Return a whole list; some dossiers answer it with 400 and give it by their feed of changes only (octopus §2.7)."""
        kind = path.rpartition("/")[2]
        answer = await refused_questions.ask(
            self.vendor.memory, f"list of {kind}", lambda: self._get(path, f"GET {kind}", params)
        )
        if answer is not None:
            return _rows(answer.json())
        if kind in ("bookyears", "vatcodes"):
            refused = await refused_questions.known(self.vendor.memory, f"list of {kind}")
            assert refused is not None, "it was refused a moment ago"
            raise refused
        changed = feed or f"{kind}/modified"
        since = {"modifiedTimeStamp": BEGINNING}
        return _rows((await self._get(changed, f"GET {changed}", params | since)).json())


def attachment(file: File) -> dict[str, str]:
    """Return a file as every API of Octopus takes it."""
    return {"fileName": file.name, "fileData": base64.b64encode(file.content).decode()}


def feed_time(moment: datetime) -> str:
    """Return a moment as feeds take it, two hours early."""
    return (moment - OVERLAP).astimezone(BRUSSELS).strftime("%Y-%m-%d %H:%M:%S.000")


def place_of(row: Row) -> tuple[int | None, str, int | None]:
    """Return where a booking stands: bookyear, journal, number."""
    return (
        key_id(row.get("bookyearKey")),
        values.text(row.get("journalKey")),
        values.integer(row.get("documentSequenceNr")),
    )


def identity_of(relation: Row) -> Row:
    """Return the two numbers of a relation."""
    return relation.get("relationIdentificationServiceData") or {}


def key_id(key: Any) -> int | None:
    """Return the number of a key, which is an object in some places and bare in others (octopus §2)."""
    return values.integer(key.get("id") if isinstance(key, Mapping) else key)


def _rows(body: Any) -> list[Row]:
    """Return the rows of a list; some feeds wrap them in an object (octopus §2.10)."""
    if isinstance(body, Mapping):
        body = next((value for name, value in body.items() if name.lower().startswith("modified")), [body])
    rows = [row for row in body if isinstance(row, Mapping)] if isinstance(body, list) else []
    return [dict(row.get("buySellBookingServiceData", row)) for row in rows]
