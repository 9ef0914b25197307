"""A page that people can read for a document that has none (R005): an office without e-invoicing works with the PDF."""

from dataclasses import replace

import koppel_readable
import koppel_ubl
from koppel_connector import Problem, Rejected
from koppel_readable import Language

from .attaching import Contents
from .profiles import Attachments


def with_readable_pdf(contents: Contents, style: Attachments, language: str) -> Contents:
    """Return the files of a document with a PDF made of its UBL where it has a UBL and no PDF. Takes up to seconds.

    The UBL is inside that PDF only where it does not go along by itself: twice in one mail, it may become two invoices
    (billmail §7).

    Raises:
        Rejected: the UBL cannot be read.
    """
    if contents.ubl is None or contents.pdf is not None:
        return contents
    try:
        document = koppel_ubl.read(contents.ubl)
    except koppel_ubl.ReadError as error:
        raise Rejected(Problem("ubl_unreadable", str(error)[:300])) from error
    original = contents.ubl if style == "pdf" else None
    words: Language = "nl" if language == "nl" else "fr" if language == "fr" else "en"
    return replace(contents, pdf=koppel_readable.readable_pdf(document, language=words, ubl=original))
