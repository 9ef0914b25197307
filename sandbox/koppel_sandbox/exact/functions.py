"""Functions of the API and the question of rights (exact §3.3, §3.10)."""

from collections.abc import Callable

from starlette.responses import Response

from .call import Call
from .odata.replies import Refusal, reply
from .resources import RESOURCES


def has_right(call: Call, resource: str, method: str) -> bool:
    """Return whether the user may do ``method`` there: licence, then the user's own rights. ``sync/`` follows its resource."""
    plain = _PLAIN.get(resource, resource)
    licence = RESOURCES[plain].licence if plain in RESOURCES else ""
    if licence == "mailbox" and licence not in call.division.licence:
        raise Refusal(403, "Forbidden")
    if licence and licence not in call.division.licence:
        return False
    return (call.division.code, plain, method) not in call.user.denied


def _user_has_rights(call: Call) -> Response:
    endpoint, action = (call.query.get(name, "") for name in ("endpoint", "action"))
    if not all(len(text) > 1 and text[0] == text[-1] == "'" for text in (endpoint, action)):
        raise Refusal(400, "Error in query syntax.")
    try:
        allowed = has_right(call, endpoint.strip("'"), action.strip("'").upper())
    except Refusal:
        allowed = False
    return reply({"UserHasRights": allowed})


_MAILBOX_FIELDS = ("ID", "Mailbox", "Description", "ForDivision", "IsScanServiceMailbox", "ValidFrom", "ValidTo")


def _mailbox(*, may_scan: bool) -> Callable[[Call], Response]:
    """One mailbox, or none: ScanService's for an operation, where the company has it; else the company's own."""

    def answer(call: Call) -> Response:
        if not has_right(call, "mailbox/Mailboxes", "GET"):
            return reply([])
        boxes = list(call.division.tables["Mailboxes"].values())
        own = [box for box in boxes if not box.get("IsScanServiceMailbox")]
        scanning = [box for box in boxes if box.get("IsScanServiceMailbox")] if may_scan else []
        return reply([{name: box.get(name) for name in _MAILBOX_FIELDS} for box in (scanning or own)[:1]])

    return answer


def _sync_timestamp(call: Call) -> Response:
    return reply({"results": [{"TimeStampAsBigInt": str(call.division.timestamp)}]})


_PLAIN = {
    "sync/CRM/Accounts": "crm/Accounts",
    "bulk/CRM/Accounts": "crm/Accounts",
    "sync/Financial/GLAccounts": "financial/GLAccounts",
    "bulk/Financial/GLAccounts": "financial/GLAccounts",
    "sync/Financial/TransactionLines": "financialtransaction/TransactionLines",
    "sync/Documents/Documents": "documents/Documents",
    "sync/Documents/DocumentAttachments": "documents/DocumentAttachments",
}

FUNCTIONS: dict[str, Callable[[Call], Response]] = {
    "users/UserHasRights": _user_has_rights,
    "read/mailbox/DefaultMailbox": _mailbox(may_scan=False),
    "read/mailbox/PreferredMailbox": _mailbox(may_scan=False),
    "read/mailbox/PreferredMailboxForOperation": _mailbox(may_scan=True),
    "read/sync/Sync/SyncTimestamp": _sync_timestamp,
}
