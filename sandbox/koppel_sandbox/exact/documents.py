"""Documents and their attachments (exact §3.9)."""

from .call import Call
from .odata.replies import Refusal
from .resources import Resource
from .state import Record
from .texts import say

ATTACHMENT_MAX_BYTES = 10_000_000
"""Measured on the raw bytes, not on their base64 (exact §2)."""


def on_post(call: Call, _: Resource, record: Record) -> None:
    """Complete a new document."""
    if record["Type"] not in {row["ID"] for row in call.division.tables["DocumentTypes"].values()}:
        raise Refusal(500, say("Invalid reference: Document type", call.language))
    if record.get("Account") and record["Account"] not in call.division.tables["Accounts"]:
        raise Refusal(500, say("Invalid reference: Account", call.language))
    record["HID"] = len(call.division.tables["Documents"]) + 1
    record["DocumentViewUrl"] = (
        f"{call.base_url}/docs/DocView.aspx?DocumentID=%7b{record['ID']}%7d&_Division_={call.division.code}"
    )
    record.setdefault("HasEmptyBody", True)


def on_attach(call: Call, _: Resource, record: Record) -> None:
    """Hang a file on a document; its bytes are kept but only ever shown as an address (point 40)."""
    if record["Document"] not in call.division.tables["Documents"]:
        raise Refusal(500, say("Invalid reference: Document", call.language))
    content: bytes = record.pop("Attachment")
    if len(content) > ATTACHMENT_MAX_BYTES:
        raise Refusal(call.state.switches.too_large_status, "The attachment is too large.")
    record["FileSize"] = len(content)
    record["@content"] = content
    record["Url"] = f"{call.base_url}/docs/SysAttachment.aspx?ID={record['ID']}"
