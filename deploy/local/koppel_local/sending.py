"""``koppel send``: documents go in, are exported at once, and are followed until each target has them or says why not."""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from koppel_mesh.clock import utc_now

from .api import Api, ApiError

if TYPE_CHECKING:
    from koppel_client.generated import models

SETTLED = frozenset({"booked", "failed", "blocked", "review", "superseded"})
"""States of a delivery that nothing leaves by itself soon."""
UNSENT = frozenset({"held", "dropped"})
"""States of a document that nothing goes out in."""
STATEMENTS = frozenset({"bank_statement", "cash_statement"})
"""Filed is enough for these: a dossier's packages need not take them, and one may wait for the one before it."""
POLL_INTERVAL_S = 0.25
FINDINGS_SHOWN_MAX = 2
MEDIA_TYPES = {".xml": "application/xml", ".pdf": "application/pdf", ".cod": "text/plain", ".txt": "text/plain"}


@dataclass(frozen=True)
class Outcome:
    """What became of a document at one target that takes its kind."""

    target: str
    """Name of the connector."""
    state: str
    ends_as: str = "booked"
    entry_number: str = ""

    @property
    def is_settled(self) -> bool:
        """Whether nothing more will happen by itself soon."""
        return self.is_done or self.state in SETTLED

    @property
    def is_done(self) -> bool:
        """Whether it is where it was to end."""
        return self.state == self.ends_as

    def __str__(self) -> str:
        return f"{self.state} {self.entry_number}".strip()


@dataclass
class Sending:
    """One file on its way. One without a document was refused; ``problem`` says why."""

    path: Path
    begun_at: datetime = field(default_factory=utc_now)
    document_id: str | None = None
    number: str = ""
    state: str = ""
    """Of the document."""
    is_statement: bool = False
    findings: str = ""
    """The rules that do not hold, the first few of them."""
    outcomes: Sequence[Outcome] = ()
    is_with_all: bool = False
    """Whether every connection of its dossier has said something of it."""
    problem: str = ""
    booked_at_s: float | None = None
    """On the monotonic clock: when it was first seen booked. None also where it was booked before we began."""

    @property
    def is_settled(self) -> bool:
        """Whether nothing more will happen by itself soon."""
        if self.document_id is None or self.is_statement or self.state in UNSENT:
            return True
        return self.is_with_all and all(one.is_settled for one in self.outcomes)

    @property
    def is_done(self) -> bool:
        """Whether it is where it was to end; a statement may be on its way there."""
        if self.is_statement:
            return self.document_id is not None and all(one.is_done or not one.is_settled for one in self.outcomes)
        return bool(self.outcomes) and self.is_with_all and all(one.is_done for one in self.outcomes)

    @property
    def waits_for_a_person(self) -> bool:
        """Whether nobody but a person can bring it to its end."""
        return self.document_id is not None and self.state != "dropped" and self.is_settled and not self.is_done


def choose_dossier(api: Api, wanted: str | None) -> "models.DossierBody":
    """Return the dossier with this id, name or enterprise number; without one, the only dossier there is.

    Raises:
        ApiError: there is none, or the choice is open.
    """
    dossiers = list(api.dossier_api.iterate_dossiers())
    named = [one for one in dossiers if wanted in (None, one["id"], one["name"], one["enterprise_number"])]
    if len(named) == 1:
        return named[0]
    choices = "; ".join(f"{one['name']} ({one['id']})" for one in named or dossiers) or "there are none"
    raise ApiError(f"Say which dossier with --dossier: {choices}.")


def files_in(paths: Sequence[Path]) -> list[Path]:
    """Return the files named, and for a folder the documents directly in it, by name.

    Raises:
        ApiError: a folder holds none.
    """
    found: list[Path] = []
    for path in paths:
        inside = (
            sorted(each for each in path.iterdir() if each.suffix.lower() in MEDIA_TYPES) if path.is_dir() else [path]
        )
        if not inside:
            raise ApiError(f"{path} holds no document ({', '.join(MEDIA_TYPES)}).")
        found += inside
    return found


def hand_in(api: Api, dossier_id: str, path: Path, direction: Literal["sale", "purchase"] | None) -> Sending:
    """Hand one file in. The same file again is the same document."""
    sending = Sending(path)
    try:
        data = path.read_bytes()
        document = api.dossier_api.hand_in_document(
            dossier_id,
            data,
            direction=direction,
            media_type=MEDIA_TYPES.get(path.suffix.lower(), "application/xml"),
            idempotency_key=hashlib.sha256(data + f"{dossier_id} {direction}".encode()).hexdigest(),
        )
    except OSError as error:
        sending.state, sending.problem = "refused", f"The file cannot be read: {error.strerror}."
        return sending
    except ApiError as error:
        sending.state, sending.problem = "refused", str(error)
        return sending
    sending.document_id, sending.number, sending.state = document["id"], document["number"] or "", document["state"]
    sending.is_statement = document["kind"] in STATEMENTS
    sending.findings = _rules_of(document["findings"])
    sending.problem = _question(document)
    return sending


def _rules_of(findings: "Sequence[models.Finding]") -> str:
    """Return the rules that people should look at; what is only worth knowing stays with the document."""
    rules = list(dict.fromkeys(one["rule"] for one in findings if one["severity"] != "information"))
    more = len(rules) - FINDINGS_SHOWN_MAX
    return ", ".join(rules[:FINDINGS_SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")


def export(api: Api, dossier_id: str, sendings: Sequence[Sending]) -> None:
    """Ask for the export of what was handed in, whatever the dossier's own rhythm is."""
    wanted = [one.document_id for one in sendings if one.document_id]
    if wanted:
        api.export_scheduler.start_export(dossier_id, {"document_ids": wanted})


def follow(api: Api, sendings: Sequence[Sending], within_s: float, after_round: Callable[[], None]) -> None:
    """Look at the documents until all are settled or the time is over; ``after_round`` is called after each round."""
    end = time.monotonic() + within_s
    connections: dict[str, set[str]] = {}
    while True:
        look(api, sendings, connections)
        after_round()
        if all(one.is_settled for one in sendings) or time.monotonic() > end:
            break
        time.sleep(POLL_INTERVAL_S)
    for sending in sendings:
        if sending.is_statement and sending.document_id:
            _look(api, sending, connections)


def look(api: Api, sendings: Sequence[Sending], connections: dict[str, set[str]]) -> None:
    """Look once at the documents that are not settled; ``connections`` remembers those of each dossier."""
    for sending in sendings:
        if not sending.is_settled:
            _look(api, sending, connections)


def _look(api: Api, sending: Sending, connections: dict[str, set[str]]) -> None:
    assert sending.document_id is not None
    document = api.dossier_api.get_document(sending.document_id)
    if (dossier := document["dossier_id"]) not in connections:
        known = api.dossier_api.get_dossier(dossier)["connections"]
        connections[dossier] = {one["connection_id"] for one in known if one["state"] != "disconnected"}
    deliveries = [one for one in document["deliveries"] if one["state"] != "superseded"]
    taken = sorted((one for one in deliveries if _code(one) != "kind_not_taken"), key=lambda one: str(one["connector"]))
    sending.state = document["state"]
    sending.outcomes = [
        Outcome(one["connector"], one["state"], one["ends_as"], one["entry_number"] or "") for one in taken
    ]
    sending.is_with_all = connections[dossier] <= {one["connection_id"] for one in deliveries}
    booked = [datetime.fromisoformat(one["booked_at"]) for one in taken if one["booked_at"] is not None]
    if sending.booked_at_s is None and booked and min(booked) > sending.begun_at:
        sending.booked_at_s = time.monotonic()
    # Where none takes it, the reason is the same for all.
    problems = [_problem(one["problem"]) for one in taken or deliveries if one["problem"]]
    sending.problem = _question(document) or ("" if sending.is_done else next(iter(problems), ""))


def _code(delivery: "models.DeliverySummary") -> str:
    return delivery["problem"]["code"] if delivery["problem"] else ""


def answer(api: Api, document_id: str, given: str, reason: str | None) -> "models.Document":
    """Answer a question about a document: the one that takes this answer, open ones first; return the document.

    Raises:
        ApiError: no question of the document takes this answer.
    """
    questions = api.dossier_api.get_document(document_id)["questions"]
    for question in sorted(questions, key=lambda one: one["answer"] is not None):
        if given in [option["answer"] for option in question["options"]]:
            body: models.QuestionAnswer = {"question": question["code"], "answer": given, "reason": reason}
            return api.dossier_api.answer_document(document_id, body)
    options = ", ".join(option["answer"] for question in questions for option in question["options"])
    raise ApiError(f"The answers are {options}." if options else "This document waits for no answer.")


def _question(document: "models.Document") -> str:
    """Return the first open question about a document, and the command that answers it."""
    for question in document["questions"]:
        if question["answer"] is None:
            answers = "|".join(option["answer"] for option in question["options"])
            return f"{question['message']['en']} (koppel answer {document['id']} {answers})"
    return ""


def _problem(problem: "models.ProblemData") -> str:
    """Return the sentence, the particulars and who can fix it."""
    particulars = f" [{problem['detail']}]" if problem.get("detail") else ""
    return f"{problem['message']['en']}{particulars} (to fix by: {problem['who_can_fix']})"
