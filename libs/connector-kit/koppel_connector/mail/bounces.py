"""What came back for a mail: a bounce, a holiday notice, or something else. Pure.

Anybody can write a bounce. One is believed only where it was sent to an envelope's sender of ours, which proves whose mail it
answers (``return_path``); every such address in it must be proven, so that a true one cannot carry a false one along.
"""

import email
import email.policy
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from typing import Final, Literal

from koppel_connector.contract import (
    ConnectionReported,
    DeliveryBounced,
    Notice,
    NoticeEffect,
    Problem,
    Verified,
)

from .message import one_line
from .return_path import ReturnPath, TaggedAddress, tagged_addresses

Kind = Literal["bounce", "doubtful", "away", "other"]
"""``doubtful``: it names a delivery, and may be a bounce or a holiday notice."""
_SENT_TO: Final = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "Resent-To")
_NAMED_IN: Final = ("Original-Message-ID", "In-Reply-To", "References", "Message-ID")
_REFERENCE: Final = re.compile(r"\b(KPL-[A-Z2-7]{20})@")
_DAEMON: Final = re.compile(r"\b(mailer-daemon|mail delivery (system|subsystem))\b", re.IGNORECASE)
"""No person reads there, so no holiday notice comes from it; postmaster may be a person's mailbox."""
_POSTMASTER: Final = re.compile(r"\bpostmaster\b", re.IGNORECASE)
_REPLIED: Final = re.compile(r"auto[-_]repl(ied|y)|yes", re.IGNORECASE)
_FAILED: Final = re.compile(
    r"undeliver|delivery.{0,20}(fail|status)|(failure|failed|failing).{0,20}(notice|deliver)|mail(er)? fail|returned mail"
    r"|onbestelbaar|niet.{0,20}(bezorgd|afgeleverd)|non (remis|distribu|délivr)|échec.{0,20}(remise|distribution|envoi)"
    r"|unzustellbar",
    re.IGNORECASE,
)
_ACTIONS: Final = ("failed", "delayed", "delivered", "relayed", "expanded")
"""RFC 3464 §2.3.3; only the first is a failure."""
_STATUS: Final = re.compile(r"(?<![\d.])([245])\.\d{1,3}\.\d{1,3}")
REASON_LENGTH_MAX: Final = 300
RECIPIENT: Final = "recipient"
"""Under which the progress of a delivery keeps where it went."""


@dataclass(frozen=True)
class Answer:
    """What a mail that came back says."""

    kind: Kind
    tagged: tuple[TaggedAddress, ...]
    """The envelope's senders of ours that it was sent to, their proofs unchecked."""
    remote_ref: str | None
    """The delivery that it names: by its address, else by a Message-ID in it."""
    reason: str
    """The server's own words, on one line."""

    def is_proven(self, return_path: ReturnPath) -> bool:
        """Return whether it was sent to addresses of ours, each with its proof."""
        return bool(self.tagged) and all(map(return_path.is_proven, self.tagged))


def verify(notice: Notice, return_path: ReturnPath) -> Verified | None:
    """Return the proof that a mail answers one of ours, for ``Connector.verify``: the envelope's sender that it was sent to."""
    answer = read(notice.content)
    connections = {str(each.connection_id) for each in answer.tagged if each.connection_id is not None}
    if not answer.is_proven(return_path) or not connections <= {notice.address}:
        return None
    return Verified(hashlib.sha256(notice.content).hexdigest())


def receive(notice: Notice) -> Sequence[NoticeEffect]:
    """Return what it means, for ``Connector.receive``: a bounce fails its delivery, a holiday notice nothing at all.

    The problems are those of ``problems.BOUNCES``; ``progress`` of the delivery must say its ``RECIPIENT``.

    Raises:
        ValueError: a person has to judge whether it is a bounce. The notice stays open with this sentence.
    """
    answer = read(notice.content)
    if answer.kind == "doubtful":
        raise ValueError(f"a person judges whether {answer.remote_ref} came back: {answer.reason}")
    if answer.kind != "bounce":
        return ()
    if answer.remote_ref is None:
        return (ConnectionReported(Problem("mail_bounced_unnamed", answer.reason)),)
    problem = Problem("mail_bounced", answer.reason)
    return (DeliveryBounced(problem, answer.remote_ref, place=RECIPIENT, repeated=Problem("mailbox_bounces")),)


def read(content: bytes) -> Answer:
    """Return what a mail says that came to the mailbox of bounces. Whatever bytes it is made of, it raises nothing."""
    try:
        return _read(content)
    except RecursionError:  # mails in mails, by the thousand
        return Answer("other", (), None, "")


def _read(content: bytes) -> Answer:
    # Headers as they stand: the modern parser of addresses breaks on some that only spammers write.
    mail = email.message_from_bytes(content, policy=email.policy.compat32)
    tagged = tuple(dict.fromkeys(tagged_addresses(" ".join(_values(mail, *_SENT_TO)))))
    of_delivery = next((each.remote_ref for each in tagged if each.remote_ref is not None), None)
    reports = list(_reports(mail))
    failed = [report for report in reports if _has_failed(report)]
    are_plain = any(_has_failed(report) is not None for report in reports)
    remote_ref = of_delivery or _reference_in(mail)
    return Answer(
        kind=("bounce" if failed else "other") if are_plain else _kind(mail, remote_ref is not None),
        tagged=tagged,
        remote_ref=remote_ref,
        reason=_reason(mail, failed),
    )


def _kind(mail: Message, names_delivery: bool) -> Kind:
    """Return what a mail is that reports of no recipient, by its headers."""
    subject, sender = " ".join(_values(mail, "Subject")), " ".join(_values(mail, "From"))
    if _DAEMON.search(sender) or mail.get("X-Failed-Recipients"):
        # Exim's bounces are auto-replied too, and were plain texts before they were reports.
        return "bounce"
    replied = " ".join(map(_plain, _values(mail, "Auto-Submitted", "X-Autoreply", "X-Autorespond", "Precedence")))
    looks_failed = bool(_POSTMASTER.search(sender) or _FAILED.search(subject))
    if _REPLIED.search(replied) and mail.get_content_type() != "multipart/report":
        # A holiday notice repeats the subject that it answers (RFC 3834 §3.1.5), and a postmaster may be on holiday; but some
        # servers call their plain bounces auto-replied too. To fail what has arrived risks a second booking.
        return "doubtful" if looks_failed and names_delivery else "away"
    if looks_failed:
        return "bounce"
    return "away" if re.search(r"auto|yes|bulk|junk", replied.lower()) else "other"


def _reports(mail: Message) -> Iterator[dict[str, str]]:
    """Yield the groups of fields of each delivery status that tell of a recipient (RFC 3464 §2.3)."""
    for part in mail.walk():
        if part.get_content_type() == "message/delivery-status":
            for group in part.get_payload() if part.is_multipart() else ():
                if isinstance(group, Message) and (group.get("Action") or group.get("Status")):
                    yield {name.lower(): str(value) for name, value in group.items()}


def _has_failed(report: dict[str, str]) -> bool | None:
    """Return whether a mail did not arrive, by its action, else by its status; None where neither is a known one."""
    action = re.match("[a-z]*", _plain(report.get("action", "")).lower())
    if action and action.group() in _ACTIONS:
        return action.group() == "failed"
    # 4.y.z is still being tried, 2.y.z arrived (RFC 3463 §2).
    status = _STATUS.search(_plain(report.get("status", "")))
    return status.group(1) == "5" if status else None


def _plain(value: str) -> str:
    """Return a structured field on one line, without comments (RFC 3464 §2.1.1, RFC 5322 §3.2.2)."""
    kept, depth, quoted = [], 0, False
    for each in re.findall(r'\\.|[()"]|[^\\()"]+|\\', value, re.DOTALL):
        if each == '"' and not depth:
            quoted = not quoted
        elif each == "(" and not quoted:
            depth += 1
            kept.append(" ")
            continue
        elif each == ")" and depth:
            depth -= 1
            continue
        if not depth:
            kept.append(each)
    return " ".join("".join(kept).split())


def _reference_in(mail: Message) -> str | None:
    """Return the reference of a delivery in a Message-ID: in the fields for it, then anywhere in the text."""
    texts = [*_values(mail, *_NAMED_IN)]
    for part in mail.walk():
        texts += _values(part, *_NAMED_IN)
        if part.get_content_maintype() == "text":
            payload = part.get_payload(decode=True)
            texts.append(payload.decode("ascii", "replace") if isinstance(payload, bytes) else "")
    found = next((match for match in map(_REFERENCE.search, texts) if match), None)
    return found.group(1) if found else None


def _reason(mail: Message, failed: list[dict[str, str]]) -> str:
    for report in failed:
        recipient = report.get("final-recipient") or report.get("original-recipient", "")
        said = (_plain(recipient), _plain(report.get("status", "")), report.get("diagnostic-code", ""))
        return one_line(" ".join(filter(None, said)), REASON_LENGTH_MAX)
    return one_line(" ".join(_values(mail, "Subject")), REASON_LENGTH_MAX)


def _values(part: Message, *names: str) -> list[str]:
    return [_decoded(str(value)) for name in names for value in part.get_all(name, ())]


def _decoded(value: str) -> str:
    """Return a header whose words may be encoded (RFC 2047); as it stands where they are not rightly so."""
    try:
        return str(make_header(decode_header(value)))
    except (ValueError, LookupError, MessageError):
        return value
