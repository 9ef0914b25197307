"""Octopus's REST API, endpoint by endpoint, of one dossier (octopus §1.3, §2); and its file import API (octopus §2.8)."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from koppel_connector import ActionRequired, Call, Rejected, Vendor, refused_questions, values
from koppel_connector.contract import VendorAnswer, to_json
from koppel_connector.ledger.documents import File
from koppel_connector.ledger.statements import StatementFile
from koppel_mesh.clock import BRUSSELS

from .answers import FILE_IMPORT_CALL, NOTHING, NOTHING_TO_IMPORT
from .rows import (
    JOURNAL_TYPES,
    Place,
    Row,
    bookyear_of,
    deleted_places,
    iban_of,
    key_id,
    made_relation,
    place_of,
    row_in,
    rows_in,
    token_in,
)
from .settings import OctopusSettings

REST: Final = "/octopus-rest-api/v1"
FILE_IMPORT: Final = "/octopus-file-import-api/v1"
ALL_YEARS: Final = "-1"
BOOKINGS_FEED: Final = "buysellbookings/modified"
BEGINNING: Final = "2000-01-01 00:00:00.000"
OVERLAP: Final = timedelta(hours=2)
"""The clock of a feed's times is not documented: Brussels is assumed, and two hours more are read (octopus §2.7)."""
LOCALES: Final = {"nl": "1", "fr": "2", "en": "3"}


class Octopus:
    """The endpoints that Koppel uses, of one dossier."""

    def __init__(self, vendor: Vendor[OctopusSettings]) -> None:
        self.vendor = vendor
        self._dossier = f"{REST}/dossiers/{vendor.settings.dossier_id}"

    # ── being let in ──

    async def log_in(self, user: str, password: str, below: str = REST) -> str:
        """Return a login token, which reaches every dossier of the user; of the REST API, or of another one."""
        headers = {"softwareHouseUuid": self.vendor.application.client_id}
        given = {"user": user, "password": password}
        answer = await self._ask("POST", "authentication", below, acts=False, headers=headers, json=given, logs_in=True)
        return token_in(answer, "token", "authenticationtoken")

    async def connect(self, dossier_id: int | None = None) -> str:
        """Return a token of the dossier in the settings, or of another one, where the user may be refused."""
        settings = self.vendor.settings
        params = {"dossierId": str(dossier_id or settings.dossier_id), "localeId": LOCALES[settings.language]}
        answer = await self._ask("POST", "dossiers", REST, acts=False, params=params, json={}, opens_dossier=True)
        return token_in(answer, "dossiertoken")

    async def connect_for_files(self) -> str:
        """Return a token of the dossier for the File Import API, with that API's own login."""
        how: dict[str, Any] = {"acts": False, "json": {}, "opens_dossier": True, "api": FILE_IMPORT}
        headers = {"dossierId": str(self.vendor.settings.dossier_id)}
        answer = await self._ask("POST", "authentication/connect", FILE_IMPORT, headers=headers, **how)
        return token_in(answer, "dossiertoken")

    async def whoami(self) -> str:
        """Return the user that the login token belongs to."""
        body = (await self._ask("GET", "authentication", REST, opens_dossier=True)).json()
        return values.text(body.get("user")) if isinstance(body, Mapping) else ""

    async def dossiers(self) -> list[Row]:
        """Return the dossiers that the login reaches; the names of other clients are kept out of the sync log."""
        return list(rows_in(await self._ask("GET", "dossiers", REST, opens_dossier=True)))

    # ── master data ──

    async def bookyears(self) -> list[Row]:
        """Return the bookyears with their periods."""
        return list(rows_in(await self._ask("GET", "bookyears")))

    async def vat_codes(self) -> list[Row]:
        """Return the VAT codes."""
        return list(rows_in(await self._ask("GET", "vatcodes")))

    async def accounts(self, bookyear: int) -> list[Row]:
        """Return the ledger accounts of a bookyear."""
        rows = await self._list("accounts", "accounts", bookyearId=str(bookyear))
        return [row for row in rows if bookyear_of(row.get("accountKey")) in (bookyear, None)]

    async def journals(self, bookyear: int) -> list[Row]:
        """Return the journals of a bookyear, each with its last document number and its protected periods."""
        rows = await self._list("journals", f"bookyears/{bookyear}/journals")
        return [row for row in rows if key_id(row.get("bookyearKey")) in (bookyear, None)]

    async def journal_iban(self, bookyear: int, journal: str) -> str:
        """Return the account of a financial journal, from its details; empty where it has none, or Octopus refuses them.

        One client knows this path and no source shows its answer (octopus §2.5): what follows from it may not stop an import.
        """
        path = f"bookyears/{bookyear}/journals/{journal[:1]}/{journal[1:]}"
        try:
            return iban_of(row_in(await self._ask("GET", path, operation="GET journals/details")))
        except (ActionRequired, Rejected):
            return ""

    async def journal_balance(self, bookyear: int, journal: str) -> Row:
        """Return what a financial journal tells of its balance."""
        path = f"bookyears/{bookyear}/journals/{journal}"
        return row_in(await self._ask("GET", path, operation="GET journals/balance", nothing_found=NOTHING))

    async def relations(self) -> list[Row]:
        """Return every relation."""
        return await self._list("relations", "relations")

    async def relations_like(self, **like: str) -> list[Row] | None:
        """Return the relations that fit one filter: ``relationId``, ``extRelationId``, ``name`` or ``vatNr``.

        None where the dossier refuses the question (``relation_search``).
        """
        ask = partial(self._ask, "GET", "relations", params=like, nothing_found=NOTHING)
        answer = await refused_questions.ask(self.vendor.memory, "relations by filter", ask)
        return None if answer is None else list(rows_in(answer))

    async def relations_since(self, since: datetime) -> list[Row]:
        """Return the relations that were made or changed since a moment."""
        params = {"modifiedTimeStamp": feed_time(since)}
        return list(rows_in(await self._ask("GET", "relations/modified", params=params, nothing_found=NOTHING)))

    async def put_relation(self, relation: Mapping[str, Any]) -> Row:
        """Create a relation, or overwrite the one with its key or external number.

        Returns:
            It with its key; empty where the answer tells none, as where it was overwritten.
        """
        return made_relation(await self._ask("PUT", "relations", json=relation), relation)

    # ── bookings ──

    async def book(self, booking: Mapping[str, Any], files: Sequence[File]) -> None:
        """Book a document with its files; Octopus answers nothing."""
        body = {"buySellBookingServiceData": booking, "attachments": [attachment(file) for file in files]}
        await self._ask("POST", "buysellbookings", json=body)

    async def bookings_since(self, since: datetime, journal: str | None = None) -> Iterator[Row]:
        """Return the bookings made or changed since a moment, of every bookyear, one at a time: there may be 50 MB of them."""
        params = {"bookyearId": ALL_YEARS, "modifiedTimeStamp": feed_time(since)}
        params |= {"journalKey": journal} if journal else {}
        return rows_in(await self._ask("GET", BOOKINGS_FEED, params=params, nothing_found=NOTHING))

    async def booking_numbered(self, bookyear: int, journal: str, number: int, since: datetime) -> Row | None:
        """Return the booking with a number, whoever made it; where a dossier refuses the plain question, from the feed."""
        # Two clients name the parameters differently (octopus §2.7); a server takes no notice of the others, or refuses them.
        years, numbers = ("bookyearId", "bookyearKeyId"), ("documentSeqNr", "documentSequenceNr")
        params = {"journalKey": journal, **dict.fromkeys(years, str(bookyear)), **dict.fromkeys(numbers, str(number))}
        ask = partial(self._ask, "GET", "buysellbookings", params=params, nothing_found=NOTHING)
        answer = await refused_questions.ask(self.vendor.memory, "bookings by number", ask)
        found = await self.bookings_since(since, journal) if answer is None else rows_in(answer)
        return next((row for row in found if place_of(row) == (bookyear, journal, number)), None)

    async def deleted_since(self, bookyear: int, letter: str, since: datetime) -> list[Place]:
        """Return where bookings of a side were deleted since a moment: the only way to notice it (octopus §2.7)."""
        params = {"journalTypeId": JOURNAL_TYPES[letter], "modifiedTimeStamp": feed_time(since)}
        path = f"bookyears/{bookyear}/bookings/modified"
        answer = await self._ask("GET", path, operation="GET bookings/modified", params=params, nothing_found=NOTHING)
        return deleted_places(answer, bookyear, letter)

    # ── files and statements ──

    async def import_file(self, folder: str, file: File, *, own_login: bool) -> None:
        """Put a file into the Document Import Viewer, with a token of that API's own login or of the REST API."""
        path, api = (
            f"dossiers/{self.vendor.settings.dossier_id}/files/imports/withtoken",
            FILE_IMPORT if own_login else "",
        )
        params, body = {"subfolder": folder}, attachment(file)
        await self._ask("POST", path, FILE_IMPORT, operation=FILE_IMPORT_CALL, params=params, json=body, api=api)

    async def send_coda(self, file: StatementFile) -> None:
        """Hand in a CODA file, in the form that the settings name: its text as a JSON string, or its bytes (octopus §2.9)."""
        is_raw = self.vendor.settings.coda_body == "raw"
        headers = {"Content-Type": "application/octet-stream" if is_raw else "application/json"}
        content = file.content if is_raw else to_json(file.text).encode()
        await self._ask("POST", "coda", params={"publishPdfInDms": "false"}, headers=headers, content=content)

    # ── calls ──

    async def _ask(
        self, method: str, path: str, below: str | None = None, *, operation: str = "", **how: Any
    ) -> VendorAnswer:
        """Make a call, below the dossier when nothing else is given; ``how`` is what a ``Call`` takes."""
        name, address = operation or f"{method} {path}", f"{below or self._dossier}/{path}"
        return await self.vendor.call(Call(name, method, address, **{"acts": method != "GET", **how}))

    async def _list(self, kind: str, path: str, **params: str) -> list[Row]:
        """Return a whole list; some dossiers answer it with 400 and give it by their feed of changes only (octopus §2.7)."""
        ask = partial(self._ask, "GET", path, operation=f"GET {kind}", params=params, nothing_found=NOTHING_TO_IMPORT)
        answer = await refused_questions.ask(self.vendor.memory, f"list of {kind}", ask)
        if answer is None:
            since = {**params, "modifiedTimeStamp": BEGINNING}
            answer = await self._ask("GET", f"{kind}/modified", params=since, nothing_found=NOTHING_TO_IMPORT)
        return list(rows_in(answer))


def attachment(file: File) -> dict[str, str]:
    """Return a file as every API of Octopus takes it."""
    return {"fileName": file.name, "fileData": base64.b64encode(file.content).decode()}


def feed_time(moment: datetime) -> str:
    """Return a moment as feeds take it, two hours early."""
    return (moment - OVERLAP).astimezone(BRUSSELS).strftime("%Y-%m-%d %H:%M:%S.000")
