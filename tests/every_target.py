"""Dossiers with every target there is: books at each vendor, mailboxes of two kinds. What each of them holds is counted."""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any

import asyncpg
import httpx2

from koppel_mesh.database import schema_of
from koppel_sandbox import LostAnswer, SandboxDriver, installed_sandboxes
from koppel_sandbox.testing import SandboxThread

from .bank_statements import IBAN, statement
from .firm_client import SELLER, FirmClient, invoice

MAIL_CONNECTOR = "billmail"
TAKE_STATEMENTS = frozenset({"connector-octopus", MAIL_CONNECTOR})
MAILBOXES = {
    "yuki": {"sale": "{}.Bakkerij@yukiworks.be"},
    "generic": {kind: kind + "{}@office.example" for kind in ("sale", "receipts", "coda")},
}
"""A package with one address for everything, an office with one for each kind; the number of a dossier makes them its own."""
_LOST_MAIL = {
    LostAnswer.RESET: "drop_after",
    LostAnswer.HALF: "half_answer_after",
    LostAnswer.UNREADABLE: "odd_answer_after",
    LostAnswer.HANG: "hang_after",
}
_HANG_S = 4.0
TOKENS_LAST_S = 600


@dataclass(frozen=True)
class HandedIn:
    """What is handed in."""

    key: str
    content: bytes
    media_type: str

    @property
    def is_statement(self) -> bool:
        return self.media_type == "text/plain"

    @property
    def mark(self) -> str:
        """The part of its hash that stands in the names of mailed files."""
        return sha256(self.content).hexdigest()[:8]


def invoice_of(key: str, seller: str = SELLER) -> HandedIn:
    return HandedIn(key, invoice(key, seller), "application/xml")


def statement_of(number: int) -> HandedIn:
    return HandedIn(f"CODA-{number}", statement(number), "text/plain")


class Books:
    """A dossier's company at a vendor."""

    def __init__(self, vendor: SandboxDriver, number: int) -> None:
        self.vendor = vendor
        self.connector = vendor.connector
        self.company = vendor.companies[number]
        self.connection_id = ""

    def connect(self, client: httpx2.Client, dossier_id: str) -> None:
        self.vendor.lift_limits()
        self.connection_id = FirmClient(client, self.vendor).connect(dossier_id, self.company)

    def held(self, documents: Collection[HandedIn]) -> Counter[str]:
        """Count the entries of each document; of statements there is only the balance."""
        counted = Counter(entry.document_number for entry in self.vendor.entries(self.company))
        return Counter({document.key: counted[document.key] for document in documents if not document.is_statement})

    def balance(self) -> Decimal:
        """Return the balance of the account, at a vendor that takes statements."""
        (account,) = self.vendor.http.get(f"_control/dossiers/{self.company.remote_id}/bank_accounts").json()
        return Decimal(account["balance"])

    def lose_answers(self, how: LostAnswer, times: int) -> None:
        self.vendor.lose_answers(how, times)


class Mailbox:
    """The addresses of one connection."""

    connector = MAIL_CONNECTOR

    def __init__(self, sandbox: httpx2.Client, profile: str, number: int) -> None:
        self._sandbox, self._profile = sandbox, profile
        self._addresses = {kind: address.format(number) for kind, address in MAILBOXES[profile].items()}
        self.connection_id = ""

    def connect(self, client: httpx2.Client, dossier_id: str) -> None:
        settings = {"profile": self._profile, "addresses": self._addresses}
        asked = {"dossier_id": dossier_id, "settings": settings}
        made = client.post(f"/{self.connector}/v1/connections", json=asked)
        assert made.status_code == 201, made.text
        self.connection_id = made.json()["id"]

    def held(self, documents: Collection[HandedIn]) -> Counter[str]:
        """Count the mails of each document: the names of their files tell which."""
        mails = self._sandbox.get("_control/mails").json()
        ours = [" ".join(mail["files"]) for mail in mails if set(mail["recipients"]) & set(self._addresses.values())]
        return Counter({document.key: sum(document.mark in names for names in ours) for document in documents})

    def lose_answers(self, how: LostAnswer, times: int) -> None:
        rule = {"kind": _LOST_MAIL[how], "recipient": self._addresses["sale"], "times": times, "seconds": _HANG_S}
        self._sandbox.post("_control/rules", json=rule).raise_for_status()


Target = Books | Mailbox


@dataclass
class Vendors:
    """Every installed sandbox, running somewhere."""

    drivers: list[SandboxDriver]
    mail: httpx2.Client

    @classmethod
    def at(cls, urls: Mapping[str, str], stack: ExitStack) -> "Vendors":
        """Return those that run at these URLs, each under its name."""
        drivers = [
            stack.enter_context(closing(sandbox.driver(urls[name])))
            for name, sandbox in installed_sandboxes().items()
            if sandbox.driver is not None
        ]
        return cls(drivers, stack.enter_context(httpx2.Client(base_url=urls["mail"], trust_env=False, timeout=30)))

    @classmethod
    def started(cls, stack: ExitStack) -> tuple["Vendors", dict[str, str]]:
        """Start each in a thread of its own; return them with the variables that lead a mesh to them."""
        urls: dict[str, str] = {}
        environment: dict[str, str] = {}
        for name, sandbox in installed_sandboxes().items():
            urls[name] = stack.enter_context(SandboxThread.of(sandbox)).url
            environment |= sandbox.environment(urls[name])
        return cls.at(urls, stack), environment

    def targets(self, number: int = 0) -> list[Target]:
        """Return what the dossier of this number goes to: 0 or 1."""
        books = [Books(vendor, number) for vendor in self.drivers]
        return [*books, *(Mailbox(self.mail, profile, number) for profile in MAILBOXES)]


class Dossier:
    """A dossier with every target."""

    def __init__(self, targets: list[Target], dossier_id: str) -> None:
        self.id, self.targets = dossier_id, targets

    def connect(self, client: httpx2.Client) -> None:
        """Connect it to each."""
        for target in self.targets:
            target.connect(client, self.id)

    @property
    def books(self) -> Iterator[Books]:
        return (each for each in self.targets if isinstance(each, Books))

    def let_tokens_lapse(self, database_url: str) -> None:
        """Let the life of a token pass, for the vendors and for us."""
        asyncio.run(self._let_tokens_lapse(database_url))

    async def _let_tokens_lapse(self, database_url: str) -> None:
        connection = await asyncpg.connect(database_url)
        for books in self.books:
            books.vendor.control("clock", advance_s=TOKENS_LAST_S)
            moments = ("obtained_at", "access_expires_at", "next_refresh_at")
            earlier = ", ".join(f"{each} = {each} - interval '{TOKENS_LAST_S} s'" for each in moments)
            await connection.execute(f"UPDATE {schema_of(books.connector)}.oauth_token SET {earlier}")
        await connection.close()

    def statements_go_everywhere(self, client: httpx2.Client) -> None:
        """Have each vendor that takes statements take those of the account."""
        for books in self.books:
            if books.connector in TAKE_STATEMENTS:
                path = f"/{books.connector}/v1/connections/{books.connection_id}"
                settings: dict[str, Any] = {"send_coda": True, "statement_journals": {IBAN: "F1"}}
                answer = client.patch(path, json={"settings": settings})
                assert answer.status_code == 200, answer.text

    def targets_of(self, document: HandedIn) -> list[Target]:
        return [each for each in self.targets if not document.is_statement or each.connector in TAKE_STATEMENTS]

    def has_ended(self, client: httpx2.Client, document_id: str, document: HandedIn) -> bool:
        """Whether a document has ended at each target. Where only a person can know whether a mail arrived, they say so."""
        shown = client.get(f"/dossier-api/v1/documents/{document_id}").json()
        deliveries = {each["connection_id"]: each for each in shown["deliveries"]}
        targets = self.targets_of(document)
        ended = [
            _is_over(client, target, document, deliveries[target.connection_id])
            for target in targets
            if target.connection_id in deliveries
        ]
        return len(ended) == len(targets) and all(ended)

    def each_holds_once(self, documents: Collection[HandedIn]) -> None:
        """Check what the vendors hold."""
        for target in self.targets:
            held = target.held([document for document in documents if target in self.targets_of(document)])
            assert held == Counter(dict.fromkeys(held, 1)), f"{target.connector} holds {dict(held)}"


def _is_over(client: httpx2.Client, target: Target, document: HandedIn, delivery: Any) -> bool:
    if delivery["state"] == "review":
        assert isinstance(target, Mailbox), delivery
        assert all(delivery["problem"]["message"][language] for language in ("nl", "fr", "en")), delivery
        is_there = target.held([document])[document.key] > 0
        decision = {"decision": "booked" if is_there else "resend"}
        said = client.post(f"/{target.connector}/v1/deliveries/{delivery['id']}/resolve", json=decision)
        assert said.status_code in {200, 409}, said.text  # 409: it was said, and the news is on its way
    return delivery["state"] in {"booked", delivery["ends_as"]}
