"""Documents that travel with the invoice: links, and files embedded in it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """BG-24: a supporting document, embedded or linked."""

    id: str | None = None
    """BT-122."""
    description: str | None = None
    """BT-123."""
    type_code: str | None = None
    """DocumentTypeCode other than 130 and 50, which name the invoiced object (BT-18) and the project (BT-11)."""
    uri: str | None = None
    """BT-124: never fetched by this library."""
    media_type: str | None = None
    """BT-125-1, as declared."""
    file_name: str | None = None
    """BT-125-2, without folders, control characters or anything else a file system could stumble over."""
    content: bytes | None = field(default=None, repr=False)
    """BT-125."""

    @property
    def is_pdf(self) -> bool:
        """Whether the content begins as a PDF does, whatever its declared type."""
        return self.content is not None and self.content[:1024].lstrip()[:5] == b"%PDF-"
