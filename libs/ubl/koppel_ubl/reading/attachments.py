"""Supporting documents (BG-24): embedded bytes are decoded strictly, file names made harmless."""

import base64
import binascii
import re
import unicodedata

from koppel_ubl.model import Attachment
from koppel_ubl.parties import Identifier

from .node import Node

PROJECT_REFERENCE = "50"
"""UNTDID 1001: a credit note has no element of its own for the project (P-R080)."""
INVOICED_OBJECT = "130"
_BLANK = re.compile(r"\s+")
_UNSAFE = re.compile(r"[^\w.\- ()]+")
_NAME_LENGTH_MAX = 120


class References:
    """What the ``cac:AdditionalDocumentReference`` elements hold together."""

    def __init__(self, document: Node) -> None:
        self.object: Identifier | None = None
        self.project: str | None = None
        attachments = []
        for node in document.nodes("AdditionalDocumentReference"):
            identifier, type_code = node.identifier("ID"), node.text("DocumentTypeCode")
            if type_code == INVOICED_OBJECT and self.object is None:
                self.object = identifier
            elif type_code == PROJECT_REFERENCE and self.project is None:
                self.project = identifier.value if identifier else None
            else:
                attachments.append(_attachment(node, identifier, type_code))
        self.attachments = tuple(attachments)


def _attachment(node: Node, identifier: Identifier | None, type_code: str | None) -> Attachment:
    descriptions = node.texts("DocumentDescription")
    description = " ".join(descriptions) or node.text("DocumentType")
    uri = media_type = file_name = None
    content = None
    holder = node.node("Attachment")
    if holder is not None:
        external = holder.node("ExternalReference")
        if external is not None:
            uri = external.text("URI")
            external.done()
        embedded = holder.element("EmbeddedDocumentBinaryObject")
        if embedded is not None:
            media_type, file_name = embedded.get("mimeCode"), embedded.get("filename")
            try:
                content = base64.b64decode(_BLANK.sub("", embedded.text or ""), validate=True)
            except (binascii.Error, ValueError):
                raise holder.error("invalid_base64", "An attachment is not base64.", embedded) from None
        holder.done()
    return Attachment(
        id=identifier.value if identifier else None,
        description=description,
        type_code=type_code,
        uri=uri,
        media_type=media_type,
        file_name=safe_file_name(file_name) if file_name else None,
        content=content,
    )


def safe_file_name(name: str) -> str:
    """Return ``name`` without folders, control characters and the like; never empty, never hidden."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    clean = _UNSAFE.sub("_", last).strip(" .")
    stem, dot, ending = clean.rpartition(".")
    if len(clean) > _NAME_LENGTH_MAX:
        clean = (
            f"{stem[: _NAME_LENGTH_MAX - len(ending) - 1]}{dot}{ending}"
            if dot and len(ending) < 10
            else clean[:_NAME_LENGTH_MAX]
        )
    return clean or "attachment"
