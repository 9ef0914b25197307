"""From bytes nobody trusts to an lxml tree that holds no surprises, in bounded time and memory.

What is refused and why is in the README under "Hostile input". The parser never touches network or file system, never
loads a DTD, never expands an entity; XInclude and schemaLocation are data to it.
"""

import re
from typing import Final

from lxml import etree

from koppel_ubl.errors import Code, ReadError

BYTES_MAX: Final = 32 * 1024 * 1024  # Peppol access points stop at 10 MB; e-mailed e-FFF files seldom pass 20
_TEXT_BYTES_MAX: Final = 9_000_000  # libxml2 refuses one text node above 10,000,000 characters without huge_tree
_FLOOD_CHECK_FROM: Final = 64 * 1024  # smaller files cannot hold enough to hurt
_MARKUP_MAX: Final = 1_000_000  # `<` characters: about 15,000 lines
_ATTRIBUTES_MAX: Final = 100_000  # `=` characters: libxml2 spends about 420 bytes on each attribute
_HEAD: Final = re.compile(rb"\s*<")
_ENCODINGS: Final = frozenset(
    {
        "UTF-8",
        "UTF-16",
        "UTF-16LE",
        "UTF-16BE",
        "ISO-8859-1",
        "ISO-8859-15",
        "WINDOWS-1252",
        "US-ASCII",
        "ASCII",
        "LATIN1",
    }
)


def parse(data: bytes) -> etree._Element:
    """The root element, or a ReadError that says what was wrong with the bytes."""
    _check_bytes(data)
    try:
        root = etree.fromstring(data, _parser(huge=len(data) > _TEXT_BYTES_MAX))
    except etree.XMLSyntaxError as error:
        raise _syntax_error(error) from None
    except (ValueError, LookupError, etree.LxmlError) as error:
        raise ReadError(f"this is not XML: {error}", code="not_xml") from None
    info = root.getroottree().docinfo
    if info.internalDTD is not None:
        raise ReadError("a document type declaration (DOCTYPE) is not allowed in an invoice", code="doctype", line=1)
    if info.encoding is not None and info.encoding.upper() not in _ENCODINGS:
        raise ReadError(f"the encoding {info.encoding[:40]} is not used for invoices", code="encoding", line=1)
    return root


def _parser(*, huge: bool) -> etree.XMLParser:
    """A parser of its own for every call: lxml's are not shared between threads."""
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=huge,
        remove_comments=True,
        remove_pis=True,
        strip_cdata=True,
        recover=False,
    )


def _check_bytes(data: bytes) -> None:
    if not isinstance(data, bytes):
        raise TypeError(f"bytes are read, not {type(data).__name__}")
    if len(data) > BYTES_MAX:
        raise ReadError(f"{len(data)} bytes are more than the {BYTES_MAX} an invoice may have", code="too_large")
    head = data[:512].lstrip(b"\xef\xbb\xbf\xff\xfe").replace(b"\0", b"")
    if _HEAD.match(head) is None:
        raise ReadError("this is not XML: it does not begin with <", code="not_xml", line=1)
    if len(data) <= _FLOOD_CHECK_FROM:
        return
    if data.count(b"<") > _MARKUP_MAX:
        raise ReadError("more elements than any invoice needs", code="too_large")
    if data.count(b"=") > _ATTRIBUTES_MAX:
        raise ReadError("more attributes than any invoice needs", code="too_large")
    if b"<!DOCTYPE" in (data.replace(b"\0", b"") if b"\0" in data else data):
        # Small files are judged after parsing, where CDATA cannot mislead; a large one would let libxml2 (huge_tree) expand.
        raise ReadError("a document type declaration (DOCTYPE) is not allowed in an invoice", code="doctype")


def _syntax_error(error: etree.XMLSyntaxError) -> ReadError:
    """libxml2's complaint with our code; the numbers are libxml2's xmlParserErrors, by name because they moved before."""
    names = etree.ErrorTypes
    reason = error.msg or "unknown"
    code: Code = "not_xml"
    if "xcessive depth" in reason:
        code = "too_deep"
    elif "ntity" in reason and error.code in {names.ERR_ENTITY_LOOP, names.ERR_RESOURCE_LIMIT}:
        code = "doctype"
    elif error.code == names.ERR_UNSUPPORTED_ENCODING:
        code = "encoding"
    return ReadError(f"this is not well-formed XML: {reason}", code=code, line=error.lineno or None)
