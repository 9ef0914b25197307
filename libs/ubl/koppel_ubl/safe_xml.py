"""From hostile bytes to an XML tree, in bounded time and memory, touching neither network nor files.

Measured on libxml2 2.14: entities are only harmless when no DOCTYPE is let through at all; a tag with 200,000 attributes
takes 84 MB; text over 10 MB needs ``huge_tree``, which lifts the other limits too — so those are checked here.
"""

import re

from lxml import etree

from .errors import ReadError

BYTES_MAX = 100_000_000
TAG_BYTES_MAX = 16_384
DEPTH_MAX = 100
TEXT_OF_LIBXML_MAX = 9_500_000
"""Above this a text node could hit libxml2's own limit, which a PDF of 7.5 MB does; then ``huge_tree`` is used."""

_ENCODINGS = frozenset({"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "iso-8859-15", "windows-1252", "latin1"})
_DECLARATION = re.compile(rb"<\?xml\s[^>]{0,200}?\?>")
_DECLARED = re.compile(rb"encoding\s*=\s*[\"']([A-Za-z0-9._\-]{1,40})[\"']")
_BLANK = re.compile(rb"\s*")
_LONG_TAG = re.compile(rb"<[^<>!]{%d}" % TAG_BYTES_MAX)


def parse(data: bytes) -> etree._Element:
    """Return the root element.

    Raises:
        ReadError: ``too_large``, ``empty``, ``unsupported_encoding``, ``doctype``, ``not_well_formed``, ``too_deep``.
    """
    if len(data) > BYTES_MAX:
        raise ReadError("too_large", f"The document has more than {BYTES_MAX} bytes.")
    data = _as_ascii_compatible(data)
    position = _end_of_prolog(data)
    if position == len(data):
        raise ReadError("empty", "There is no document in these bytes.")
    if data[position : position + 9].upper() == b"<!DOCTYPE":
        raise ReadError(
            "doctype", "A document type declaration is not allowed: UBL needs none, and it can hide entities."
        )
    if data[position : position + 1] != b"<":
        raise ReadError("not_xml", "This is not XML.")
    if _LONG_TAG.search(data):
        raise ReadError("tag_too_long", f"A tag is longer than {TAG_BYTES_MAX} bytes.")
    huge = len(data) > TEXT_OF_LIBXML_MAX
    try:
        root = etree.fromstring(data, _parser(huge))
    except etree.XMLSyntaxError as error:
        code = "too_deep" if "depth" in str(error).lower() else "not_well_formed"
        raise ReadError(code, f"The XML is not well-formed: {error.msg}", line=error.lineno) from None
    except ValueError as error:
        raise ReadError("not_well_formed", str(error)) from None
    if root is None:
        raise ReadError("not_well_formed", "The XML has no root element.")
    _limit_depth(root)
    return root


def _end_of_prolog(data: bytes) -> int:
    """Return where the first thing stands that is neither blank nor processing instruction nor comment."""
    position = 0
    while True:
        blank = _BLANK.match(data, position)
        position = blank.end() if blank else position
        closing = next(
            (end for start, end in ((b"<?", b"?>"), (b"<!--", b"-->")) if data.startswith(start, position)), None
        )
        end = data.find(closing, position) if closing else -1
        if closing is None or end < 0:
            return position
        position = end + len(closing)


def _parser(huge: bool) -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
        huge_tree=huge,
    )


def _as_ascii_compatible(data: bytes) -> bytes:
    """Return ``data`` in an encoding whose markup can be looked for as bytes: UTF-16 becomes UTF-8, a BOM goes."""
    if data[:3] == b"\xef\xbb\xbf":
        data = data[3:]
    elif data[:2] in (b"\xff\xfe", b"\xfe\xff") or data[:4] in (b"<\0?\0", b"\0<\0?"):
        data = _from_utf_16(data)
    declaration = _DECLARATION.match(data)
    declared = _DECLARED.search(declaration[0]) if declaration else None
    if declared and declared[1].decode().lower() not in _ENCODINGS:
        raise ReadError("unsupported_encoding", f"The encoding {declared[1].decode()} is not supported.", line=1)
    return data


def _from_utf_16(data: bytes) -> bytes:
    byte_order = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"<\0": "utf-16-le", b"\0<": "utf-16-be"}[data[:2]]
    try:
        text = data.decode(byte_order)
        return _DECLARATION.sub(b"", text.encode(), count=1)
    except UnicodeError:
        raise ReadError("not_well_formed", "The bytes are not the UTF-16 they begin as.") from None


def _limit_depth(root: etree._Element) -> None:
    # XPath counts in C: one ancestor chain longer than allowed is enough, and walking in Python costs more than parsing.
    # UBL itself is some ten deep, so that the first look nearly always settles it.
    if _RATHER_DEEP(root) and _TOO_DEEP(root):
        raise ReadError("too_deep", f"Elements are nested more than {DEPTH_MAX} deep.")


_TOO_DEEP = etree.XPath("boolean(" + "/*" * (DEPTH_MAX + 1) + ")")
_RATHER_DEEP = etree.XPath("boolean(" + "/*" * 15 + ")")
