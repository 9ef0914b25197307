"""``koppel send``: documents go in, are exported at once, and are followed until each is booked or says why not."""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from koppel_mesh.clock import utc_now

from .api import Api, ApiError

SETTLED = frozenset({"booked", "failed", "blocked", "review", "superseded", "held", "dropped"})
STATEMENTS = frozenset({"bank_statement", "cash_statement"})
"""What no package takes yet: filed is where they are to end."""
POLL_INTERVAL_S = 0.25
FINDINGS_SHOWN_MAX = 2
MEDIA_TYPES = {".xml": "application/xml", ".pdf": "application/pdf", ".cod": "text/plain", ".txt": "text/plain"}


@dataclass
class Sending:
    """One file on its way. One without a document was refused; ``problem`` says why."""

    path: Path
    begun_at: datetime = field(default_factory=utc_now)
    document_id: str | None = None
    number: str = ""
    target: str = ""
    state: str = ""
    is_statement: bool = False
    findings: str = ""
    """The rules that do not hold, the first few of them."""
    entry_number: str = ""
    problem: str = ""
    booked_at_s: float | None = None
    """On the monotonic clock: when it was first seen booked. None also where it was booked before we began."""

    @property
    def is_settled(self) -> bool:
        """Whether nothing more will happen by itself soon."""
        return self.document_id is None or self.is_statement or self.state in SETTLED

    @property
    def is_done(self) -> bool:
        """Whether it is where it was to end."""
        return self.state == ("filed" if self.is_statement else "booked")


def choose_dossier(api: Api, wanted: str | None) -> dict[str, Any]:
    """Return the dossier with this id, name or enterprise number; without one, the only dossier there is.

    Raises:
        ApiError: there is none, or the choice is open.
    """
    dossiers = list(api.items("/dossier-api/v1/dossiers"))
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


def hand_in(api: Api, dossier_id: str, path: Path, direction: str | None) -> Sending:
    """Hand one file in. The same file again is the same document."""
    sending = Sending(path)
    try:
        data = path.read_bytes()
        headers = {
            "Content-Type": MEDIA_TYPES.get(path.suffix.lower(), "application/xml"),
            "Idempotency-Key": hashlib.sha256(data + f"{dossier_id} {direction}".encode()).hexdigest(),
        }
        params = {"direction": direction} if direction else {}
        document = api.call(
            "POST", f"/dossier-api/v1/dossiers/{dossier_id}/documents", content=data, headers=headers, params=params
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


def _rules_of(findings: Sequence[dict[str, Any]]) -> str:
    """Return the rules that people should look at; what is only worth knowing stays with the document."""
    rules = list(dict.fromkeys(one["rule"] for one in findings if one["severity"] != "information"))
    more = len(rules) - FINDINGS_SHOWN_MAX
    return ", ".join(rules[:FINDINGS_SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")


def export(api: Api, dossier_id: str, sendings: Sequence[Sending]) -> None:
    """Ask for the export of what was handed in, whatever the dossier's own rhythm is."""
    wanted = [one.document_id for one in sendings if one.document_id and not one.is_statement]
    if wanted:
        api.call("POST", f"/export-scheduler/v1/dossiers/{dossier_id}/exports", json={"document_ids": wanted})


def follow(api: Api, sendings: Sequence[Sending], within_s: float, after_round: Callable[[], None]) -> None:
    """Look at the documents until all are settled or the time is over; ``after_round`` is called after each round."""
    end = time.monotonic() + within_s
    while True:
        for sending in sendings:
            if not sending.is_settled:
                _look(api, sending)
        after_round()
        if all(one.is_settled for one in sendings) or time.monotonic() > end:
            return
        time.sleep(POLL_INTERVAL_S)


def _look(api: Api, sending: Sending) -> None:
    document = api.call("GET", f"/dossier-api/v1/documents/{sending.document_id}")
    deliveries = document["deliveries"]
    sending.state, sending.problem = document["state"], _question(document)
    if not deliveries:
        return
    # With several targets the one that needs a person is the one to show.
    shown = min(deliveries, key=lambda one: (one["state"] == "booked", one["state"] in SETTLED))
    problem = shown["problem"]
    sending.target, sending.state = shown["connector"], shown["state"]
    if sending.state == "booked" and datetime.fromisoformat(shown["booked_at"]) > sending.begun_at:
        sending.booked_at_s = time.monotonic()
    sending.entry_number = shown["entry_number"] or ""
    sending.problem = _problem(problem) if problem else ""


def answer(api: Api, document_id: str, given: str, reason: str | None) -> dict[str, Any]:
    """Answer a question about a document: the one that takes this answer, open ones first; return the document.

    Raises:
        ApiError: no question of the document takes this answer.
    """
    questions = api.call("GET", f"/dossier-api/v1/documents/{document_id}")["questions"]
    for question in sorted(questions, key=lambda one: one["answer"] is not None):
        if given in [option["answer"] for option in question["options"]]:
            body = {"question": question["code"], "answer": given, "reason": reason}
            answered: dict[str, Any] = api.call("POST", f"/dossier-api/v1/documents/{document_id}/answers", json=body)
            return answered
    options = ", ".join(option["answer"] for question in questions for option in question["options"])
    raise ApiError(f"The answers are {options}." if options else "This document waits for no answer.")


def _question(document: dict[str, Any]) -> str:
    """Return the first open question about a document, and the command that answers it."""
    for question in document["questions"]:
        if question["answer"] is None:
            answers = "|".join(option["answer"] for option in question["options"])
            return f"{question['message']['en']} (koppel answer {document['id']} {answers})"
    return ""


def _problem(problem: dict[str, Any]) -> str:
    """Return the sentence, the particulars and who can fix it."""
    particulars = f" [{problem['detail']}]" if problem.get("detail") else ""
    return f"{problem['message']['en']}{particulars} (to fix by: {problem['who_can_fix']})"
