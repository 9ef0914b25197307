"""What the tests ask of a PDF."""

import io
from pathlib import Path
from typing import Any

from pypdf import PdfReader

SAMPLES = Path(__file__).parents[2] / "ubl/tests/samples"
ALL_SAMPLES = sorted([*(SAMPLES / "valid").glob("*.xml"), *(SAMPLES / "legacy").glob("*.xml")])
NO_BREAK_SPACE = "\u00a0"


def sample(name: str) -> bytes:
    return (SAMPLES / "valid" / f"own__{name}.xml").read_bytes()


def opened(pdf: bytes) -> Any:
    """Return the reader, untyped: every value of a PDF is a general object to its types."""
    return PdfReader(io.BytesIO(pdf), strict=True)


def text_of(pdf: bytes) -> str:
    """Return what a reader selects, every blank as one space."""
    text = "\n".join(page.extract_text() for page in opened(pdf).pages)
    return " ".join(text.replace(NO_BREAK_SPACE, " ").split())
