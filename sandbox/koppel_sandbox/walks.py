"""Walks over problems: how each problem of a catalogue comes about, and how doing what its text says solves it.

A table says for each code what goes wrong (``trouble``), where a person sees the problem (``seen``), what they do (``solve``) and
how it ends. All of it goes through the public API of the mesh; what only the vendor or an operator can do, the walk does at the
sandbox or at the servers. ``tests/test_solvable_problems.py`` does every walk and finds every problem that has none.

A connector's own table is ``services/<connector>/tests/problem_walks.py``: ``WALKS``, by code. It holds each code of the
connector's own catalogue, and may hold codes of the kit's that only its vendor can bring about.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx2

from .driver import Company, SandboxDriver

PATIENCE_S = 60.0
POLL_INTERVAL_S = 0.2
"""Walks go side by side: asking more often keeps the mesh from what is waited for."""
SELLER = "0000000196"
"""Enterprise number of the dossiers, as the sample documents have it."""


class VendorOfWalks(Protocol):
    """What walks need of a vendor; a ``SandboxDriver`` has it.

    Where there are no books to read, the table of the connector has a class of its own as ``VENDOR``, made with the URL of the
    sandbox that it names as ``sandbox``.
    """

    @property
    def connector(self) -> str: ...  # noqa: D102
    @property
    def login(self) -> Mapping[str, Any]: ...  # noqa: D102
    def open_company(self, enterprise_number: str) -> Company:
        """Return a company that no other walk meets."""

    def lift_limits(self) -> None:
        """Allow so many calls that no walk waits for a limit's window to end."""


@dataclass
class Office:
    """Where walks take place: a mesh, a firm in it, a vendor."""

    partner: httpx2.Client
    """With the firm's token."""
    vendor: VendorOfWalks
    operate: Callable[[str], object]
    """Does statements in the database, as damage or an operator may."""
    blob_folder: Path
    """Where the files of documents are."""
    documents: Callable[[str, str], bytes]
    """Takes the name of a kind (``sale``, ``purchase``, ``credit`` …) and a number; returns a UBL document."""


@dataclass
class Case:
    """One walk on its way: a dossier of its own, connected to a company of its own."""

    office: Office
    number: str
    company: Company
    dossier_id: str = ""
    connection_id: str = ""
    document_id: str = ""
    kept: dict[str, Any] = field(default_factory=dict)
    """What one step leaves to a later one."""

    # ── the API ──

    def request(self, method: str, path: str, body: Any = None, *, expect: int = 200) -> Any:
        """Do one request that must be answered with this status; return what the answer says."""
        answer = self.office.partner.request(method, path, json=body)
        end = time.monotonic() + PATIENCE_S
        # A service that cannot ask another within its deadline has done nothing; on a busy machine it takes a second time.
        while answer.status_code == 503 != expect and time.monotonic() < end:
            time.sleep(POLL_INTERVAL_S)
            answer = self.office.partner.request(method, path, json=body)
        assert answer.status_code == expect, f"{method} {path} {body}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def get(self, path: str, **params: Any) -> Any:
        """Return what an address shows."""
        answer = self.office.partner.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    @property
    def connections(self) -> str:
        """The path of the connector's connections."""
        return f"/{self.office.vendor.connector}/v1/connections"

    @property
    def connection(self) -> Any:
        """The connection as it is shown now."""
        return self.get(f"{self.connections}/{self.connection_id}")

    @property
    def document(self) -> Any:
        """The document as it is shown now."""
        return self.get(f"/dossier-api/v1/documents/{self.document_id}")

    @property
    def problem(self) -> Any:
        """The document's open problem; None when there is none."""
        found = self.get("/dossier-api/v1/problems", document_id=self.document_id)["items"]
        return found[0] if found else None

    @property
    def delivery(self) -> Any:
        """The latest delivery of the document."""
        path = f"/{self.office.vendor.connector}/v1/deliveries"
        found = self.get(path, document_id=self.document_id)["items"]
        return found[0] if found else None

    def add_dossier(self, number: str = SELLER, **export: Any) -> str:
        """Make a dossier and return its id."""
        rules = {"frequency": "after_10_minutes", "approval_required": False, "lock_after_export": False}
        body = {"name": f"Walk {self.number}", "enterprise_number": number, "language": "nl", "export": rules | export}
        return str(self.request("POST", "/dossier-api/v1/dossiers", body, expect=201)["id"])

    def add_connection(self, dossier_id: str, *, consents: bool = True) -> str:
        """Make a connection with the vendor's login; return its id."""
        body = {"dossier_id": dossier_id, "settings": dict(self.office.vendor.login)}
        made = self.request("POST", self.connections, body, expect=201)
        if consents and made.get("authorize_url"):
            consent(made["authorize_url"])
        return str(made["id"])

    def open(self, settings: Mapping[str, Any] | None = None) -> None:
        """Make the dossier and its connection, and wait until the company's master data is imported."""
        self.dossier_id = self.add_dossier()
        self.connection_id = self.add_connection(self.dossier_id)
        self.configure(self.company.settings if settings is None else settings)

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Set the connection up, and wait for its import."""
        self.patch(settings)
        self.until(lambda: self.connection["health"]["imported_at"], "the import")

    def patch(self, settings: Mapping[str, Any]) -> Any:
        """Change settings of the connection."""
        return self.request("PATCH", f"{self.connections}/{self.connection_id}", {"settings": dict(settings)})

    def hand_in(self, kind: str = "sale", number: str | None = None) -> str:
        """Hand a document in and return its id."""
        return self.hand_in_content(self.office.documents(kind, number or self.number))

    def hand_in_content(self, content: bytes, media_type: str = "application/xml") -> str:
        """Hand bytes in and return the document's id."""
        path = f"/dossier-api/v1/dossiers/{self.dossier_id}/documents"
        answer = self.office.partner.post(path, content=content, headers={"content-type": media_type})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """Return what ``condition`` gives once it gives something."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if found := condition():
                return found
            time.sleep(POLL_INTERVAL_S)
        shown = {"problem": self.problem, "delivery": self.delivery} if self.document_id else self.connection
        raise AssertionError(f"{what}: not within {PATIENCE_S:.0f} s: {shown}")


def consent(address: str) -> None:
    """Give the vendor's consent, as a person in a browser does."""
    landed = httpx2.get(address, follow_redirects=True, timeout=30, trust_env=False)
    assert landed.status_code < 400, landed.text


Step = Callable[[Case], object]


# ── what a person does ──


def sets(settings: Mapping[str, Any]) -> Step:
    """Change settings of the connection; documents that waited for them go on by themselves."""
    return lambda case: case.patch(settings)


def sets_as_needed(name: str) -> Step:
    """Set one of the settings that the company needs, as it has to be."""
    return lambda case: case.patch({name: case.company.settings[name]})


def hands_in(kind: str = "sale", number: str = "{}") -> Step:
    """Hand in a document; from now on the walk is about it."""

    def step(case: Case) -> None:
        case.document_id = case.hand_in(kind, number.format(case.number))

    return step


def waits_until_booked(case: Case) -> None:
    """Wait until the document is booked."""
    case.until(lambda: case.document["state"] == "booked", "it is booked")


def waits_for(code: str) -> Step:
    """Wait until a person sees this problem of the document."""

    def step(case: Case) -> None:
        case.kept["problem"] = case.until(lambda: on_document(case, code), f"the problem {code}")

    return step


def retries(case: Case) -> None:
    """Have the document of the problem tried again, unless what was put right has it booked by itself already."""
    try:
        case.request("POST", f"/dossier-api/v1/problems/{case.kept['problem']['id']}/retry", expect=202)
    except AssertionError:
        if not case.document_id or case.delivery["state"] != "booked":
            raise


def resolves(decision: str) -> Step:
    """Say what became of a delivery: ``booked``, ``resend`` or ``abandon``."""

    def step(case: Case) -> None:
        path = f"/{case.office.vendor.connector}/v1/deliveries/{case.delivery['id']}/resolve"
        case.request("POST", path, {"decision": decision})

    return step


def imports(case: Case) -> None:
    """Have the master data imported again."""
    case.request("POST", f"{case.connections}/{case.connection_id}/import", expect=202)


def connects(case: Case) -> None:
    """Log in at the vendor, for the first time or again."""
    consent(case.connection["authorize_url"])


def answers(question: str, answer: str) -> Step:
    """Answer a question about the document."""
    return lambda case: case.request(
        "POST", f"/dossier-api/v1/documents/{case.document_id}/answers", {"question": question, "answer": answer}
    )


def exports_again(case: Case) -> None:
    """Export the document by hand, although it was exported."""
    body = {"document_ids": [case.document_id], "include_exported": True}
    case.request("POST", f"/export-scheduler/v1/dossiers/{case.dossier_id}/exports", body, expect=202)


def nothing(case: Case) -> None:
    """Wait: it goes on by itself."""


# ── where a person sees a problem ──

Seen = Callable[[Case, str], Any]
"""Takes the code; returns the rendered problem once it is there."""


def on_document(case: Case, code: str) -> Any:
    """Among the open problems, as the document's."""
    found = case.problem
    return found if found and found["code"] == code else None


def on_delivery(case: Case, code: str) -> Any:
    """As the delivery's own, where dossier-api has nothing to show it with."""
    found = case.delivery and case.delivery["problem"]
    return found if found and found["code"] == code else None


def on_connection(case: Case, code: str) -> Any:
    """As what keeps the connection from sending."""
    found = case.connection["health"]["problem"]
    return found if found and found["code"] == code else None


def among_warnings_of_connection(case: Case, code: str) -> Any:
    """Among the warnings of the connection."""
    return next((one for one in case.connection["health"]["warnings"] if one["code"] == code), None)


def among_warnings_of_delivery(case: Case, code: str) -> Any:
    """Among the warnings of the delivery."""
    found = case.delivery["warnings"] if case.delivery else []
    return next((one for one in found if one["code"] == code), None)


def as_question(case: Case, code: str) -> Any:
    """As a question that holds the document."""
    return next((one for one in case.document["questions"] if one["code"] == code and one["answer"] is None), None)


def as_pause(case: Case, code: str) -> Any:
    """As what the connection waits for."""
    paused = case.connection["health"]["paused"]
    return paused["problem"] if paused and paused["problem"]["code"] == code else None


# ── how it ends ──

Ended = Callable[[Case, Any], bool]
"""Takes what ``seen`` gives; returns whether the walk is over."""


def booked(case: Case, seen: Any) -> bool:  # noqa: ARG001 - all ends take the same
    """The document is booked, nothing stands open, and the books hold it once."""
    if case.document["state"] != "booked" or case.problem is not None:
        return False
    assert isinstance(case.office.vendor, SandboxDriver), "this vendor has no books to read"
    number = case.document["number"]
    return [each.document_number for each in case.office.vendor.entries(case.company)].count(number) == 1


def abandoned(case: Case, seen: Any) -> bool:  # noqa: ARG001 - all ends take the same
    """The delivery has ended, because a person says so or because its text says that nothing more can be done."""
    return bool(case.delivery["state"] == "failed")


def dropped(case: Case, seen: Any) -> bool:  # noqa: ARG001 - all ends take the same
    """The document goes nowhere, because a person says so."""
    return bool(case.document["state"] == "dropped")


def over(case: Case, seen: Any) -> bool:  # noqa: ARG001 - all ends take the same
    """The problem is shown no more."""
    return seen is None


def booked_with_warning(case: Case, seen: Any) -> bool:
    """The document is booked, and still says what a person should know."""
    return seen is not None and booked(case, seen)


@dataclass(frozen=True)
class Walk:
    """One way into a problem and out of it."""

    trouble: tuple[Step, ...] = ()
    """What goes wrong, in a dossier that works; the document is handed in after it."""
    solve: tuple[Step, ...] = (nothing,)
    """What the text says."""
    document: str | None = "sale"
    """The kind of document that meets the problem; None where a step hands it in, or none is needed."""
    opened: bool = True
    """Whether the dossier is connected and set up before the trouble."""
    seen: Seen = on_document
    ends: Ended = booked
    detail: str = ""
    """What the vendor's words, or ours beside the text, must name."""
    alone: bool = False
    """Whether the trouble meets other dossiers of the vendor too."""


@dataclass(frozen=True)
class NotHere:
    """No vendor of the tests brings a problem about: a test elsewhere walks it."""

    test: str
    """``path::name`` of that test."""
