"""What came back from a vendor, by HTTP or by mail, as the connector classifies it. Pure, but for a log line."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Generic

import structlog
from typing_extensions import TypeVar

from koppel_connector.contract import Connector
from koppel_connector.contract.answers import VendorAnswer
from koppel_connector.contract.calls import Call
from koppel_connector.contract.errors import ConnectorError, OutcomeUnknown, RateLimited, RetryLater
from koppel_connector.contract.mail import MailReply
from koppel_connector.contract.problems import internal
from koppel_mesh.http.client import Response

from .attempts import Outcome
from .redaction import clean, excerpt_of

log = structlog.get_logger(__name__)
AnswerT = TypeVar("AnswerT", VendorAnswer, MailReply)


@dataclass(frozen=True)
class Received(Generic[AnswerT]):
    """An answer, and what the sync log, the budget and the breaker take from it."""

    answer: AnswerT
    failure: ConnectorError | None
    status: int
    is_well: bool
    """Whether only a vendor that is well answers so."""
    excerpt: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """What tells of limits; names in lower case."""

    @property
    def outcome(self) -> Outcome:
        """Return how the sync log names it."""
        match self.failure:
            case None:
                return "ok"
            case OutcomeUnknown():
                return "unknown"
            case RateLimited():
                return "throttled"
            case RetryLater():
                return "later"
        return "refused"


def received_by_http(
    connector: Connector, call: Call, response: Response, secrets: Collection[str]
) -> Received[VendorAnswer]:
    """Return the answer to a call, and how ``Connector.classify`` takes it."""
    answer = VendorAnswer(
        status=response.status,
        headers={name.lower(): value for name, value in response.headers.items()},
        content=response.content,
        operation=call.operation,
        acts=call.acts,
    )
    if call.nothing_found is not None and call.nothing_found.is_said_by(answer):
        answer = replace(answer, found_nothing=True)
    failure = None
    if not answer.found_nothing:
        failure = _classified(connector.classify, answer, answer.status, may_have_acted=answer.acts)
    # Such a status says that our request is not to the vendor's liking, which only a well vendor finds out.
    is_of_ours = 400 <= answer.status < 500 and answer.status != 408
    return Received(
        answer,
        failure,
        answer.status,
        is_well=failure is None or failure.is_answer or is_of_ours,
        excerpt=None if call.is_confidential else excerpt_of(answer.content, secrets),
        headers=answer.headers,
    )


def received_by_mail(connector: Connector, reply: MailReply, secrets: Collection[str]) -> Received[MailReply]:
    """Return the reply to a message, and how ``Connector.classify_mail`` takes it."""
    failure = _classified(connector.classify_mail, reply, reply.code, may_have_acted=reply.step == "content")
    # 4yz and 5yz to an address or a content are about that (greylisting, a full mailbox); to the greeting, and 421 to
    # anything, they are about the server (RFC 5321 §3.8).
    is_of_message = reply.step != "connect" and 400 <= reply.code < 600 and reply.code != 421
    return Received(
        reply,
        failure,
        reply.code,
        is_well=failure is None or failure.is_answer or is_of_message,
        excerpt=clean(f"{reply.code} {reply.text}", secrets),
    )


def _classified(
    classify: Callable[[AnswerT], ConnectorError | None], answer: AnswerT, status: int, *, may_have_acted: bool
) -> ConnectorError | None:
    try:
        return classify(answer)
    except Exception as error:
        log.exception("the connector cannot classify an answer", operation=answer.operation, status=status)
        problem = internal(error)
        if may_have_acted:
            return OutcomeUnknown(f"cannot be classified: {problem.detail}", problem)
        return RetryLater(problem=problem)
