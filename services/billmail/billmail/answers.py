"""What the reply of a mail server means (RFC 5321 §4.2, RFC 3463). Pure."""

import re
from typing import Final

from koppel_connector import ActionRequired, ConnectorError, Problem, Rejected
from koppel_connector.contract import MailReply, RateLimited, RetryLater, classify_by_mail_code

_LOGIN: Final = (454, 530, 534, 535, 538)
"""RFC 4954 §6. The login is the operator's, so no connection waits for its accountant."""
_ENHANCED: Final = re.compile(r"\b([45])\.(\d{1,3})\.(\d{1,3})\b")
_TOO_LARGE: Final = ("5.2.3", "5.3.4")
_FULL: Final = ("4.2.2", "5.2.2")
"""RFC 3463 §3.3: once the owner makes room, it is no more so, whatever its first digit."""
_OF_ROOM: Final = re.compile(r"quota|\bfull\b|storage", re.IGNORECASE)
"""What a 552 without an enhanced code says of a mailbox: "exceeded storage allocation" (RFC 5321 §4.2.2)."""
_TOO_FAST: Final = ("4.7.28", "4.4.5", "4.3.2")
"""Too many mails from us, the server is full, it takes none at this moment."""

_OF_SENDER: Final = ("5.1.7", "5.1.8")
"""RFC 3463 §3.2; 5.7.z is a policy, mostly a list of senders, however early it is said."""


def classify(reply: MailReply) -> ConnectorError | None:
    """Return None where the mail was taken, else what to do next."""
    detail = f"{reply.code} {reply.text}"[:300]
    found = _ENHANCED.search(reply.text)
    enhanced = ".".join(found.groups()) if found else ""
    if reply.step == "connect" and reply.code in _LOGIN:
        return RetryLater(problem=Problem("mail_login_refused", detail))
    if reply.step == "connect":
        return classify_by_mail_code(reply)
    if 400 <= reply.code < 500 and (reply.code == 421 or enhanced in _TOO_FAST):
        return RateLimited()
    is_bare = reply.code == 552 and not enhanced
    if enhanced in _FULL or (is_bare and _OF_ROOM.search(reply.text)):
        return RetryLater(problem=Problem("mailbox_full", detail))
    if 400 <= reply.code < 500:
        # Greylisting: the same mail to the same address passes later.
        return RetryLater(problem=Problem("mail_deferred", detail))
    if is_bare or enhanced in _TOO_LARGE:
        # RFC 1870 §6.1 gives 552 to what is larger than the server takes.
        return Rejected(Problem("mail_too_large", detail))
    if 500 <= reply.code < 600:
        is_of_address = reply.step == "envelope" and enhanced not in _OF_SENDER and not enhanced.startswith("5.7.")
        return ActionRequired(Problem("address_refused" if is_of_address else "mail_refused", detail))
    return classify_by_mail_code(reply)
