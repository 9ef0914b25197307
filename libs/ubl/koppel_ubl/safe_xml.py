"""From hostile bytes to an XML tree, in bounded time and memory, touching neither network nor files.

Measured on libxml2 2.14: entities are only harmless when no DOCTYPE is let through at all; a tag with 200,000 attributes
takes 84 MB; text over 10 MB needs ``huge_tree``, which lifts the other limits too — so those are checked here.
"""

import re

from lxml import etree

from .errors import ReadError

BYTES_MAX = 100_000_000
TAG_BYTES_MAX = 16_384
MARKUP_MAX = 1_000_000
"""``<`` signs: some 25,000 lines of 20 elements. Each costs half a kilobyte and some time."""
PROLOG_MAX = 1_000
"""Comments and instructions before the document."""
ATTRIBUTES_MAX = 500_000
"""``=`` signs."""
DEPTH_MAX = 100
TEXT_OF_LIBXML_MAX = 9_500_000
"""Above this a text node could hit libxml2's own limit, which a PDF of 7.5 MB does; then ``huge_tree`` is used."""

_UTF_8 = frozenset({"utf8", "usascii", "ascii"})
_LATIN = {1: 1, 2: 2, 3: 3, 4: 4, 5: 9, 6: 10, 7: 13, 8: 14, 9: 15, 10: 16}
"""The part of ISO 8859 that each Latin alphabet is."""
_SINGLE_BYTE = {
    **{f"iso8859{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 7, 9, 10, 13, 14, 15, 16)},
    **{f"latin{alphabet}": f"iso8859-{part}" for alphabet, part in _LATIN.items()},
    **{f"{maker}{page}": f"cp{page}" for maker in ("windows", "cp") for page in (1250, 1251, 1252, 1253, 1254, 1257)},
    **{f"{maker}{page}": f"cp{page}" for maker in ("ibm", "cp") for page in (437, 850, 852, 858)},
    **dict.fromkeys(("macintosh", "macroman"), "mac-roman"),
}
"""Python's name of each single-byte encoding of Europe, by the names it is declared under, without ``-``, ``_`` and ``.``."""
_NO_DASHES = str.maketrans("", "", "-_.")
_DECLARATION = re.compile(rb"<\?xml\s[^>]{0,200}?\?>")
_DECLARED = re.compile(rb"encoding\s*=\s*[\"']([A-Za-z0-9._\-]{1,40})[\"']")
_USUAL = re.compile(rb"<\?xml version=[\"']1\.0[\"'] encoding=[\"'](?:UTF|utf)-8[\"'][^<>?]{0,40}\?>\s{0,9}<[A-Za-z]")
"""How nearly every document begins; others take a closer check."""
_DOCTYPE = "A document type declaration is not allowed: UBL needs none, and it can hide entities."
_START = 16
_BLANK = re.compile(rb"\s*")
_LONG_TAG = re.compile(rb"<[^<>!]{%d}" % TAG_BYTES_MAX)


def parse(data: bytes, *, limit_depth: bool = True) -> etree._Element:
    """Return the root element.

    Args:
        data: the bytes as received.
        limit_depth: whether nesting is checked here; without it the caller calls ``check_depth`` for what it walks.

    Raises:
        ReadError: ``too_large``, ``empty``, ``unsupported_encoding``, ``doctype``, ``not_well_formed``, ``too_deep``.
    """
    if len(data) > BYTES_MAX:
        raise ReadError("too_large", f"The document has more than {BYTES_MAX} bytes.")
    is_usual = _USUAL.match(data) is not None
    if not is_usual:
        data = _as_ascii_compatible(data)
        _check_start(data)
    if len(data) > TAG_BYTES_MAX:
        _check_floods(data)
    huge = len(data) > TEXT_OF_LIBXML_MAX
    try:
        root = etree.fromstring(data, _parser(True) if huge else _USUAL_PARSER)
    except etree.XMLSyntaxError as error:
        code = "too_deep" if "depth" in str(error).lower() else "not_well_formed"
        raise ReadError(code, f"The XML is not well-formed: {error.msg}", line=error.lineno) from None
    except ValueError as error:
        raise ReadError("not_well_formed", str(error)) from None
    if root is None:
        raise ReadError("not_well_formed", "The XML has no root element.")
    if not is_usual and root.getroottree().docinfo.internalDTD is not None:
        raise ReadError("doctype", _DOCTYPE)  # an encoding may have hidden it from the check of the bytes
    if limit_depth:
        check_depth(root)
    return root


def check_depth(element: etree._Element) -> None:
    """Refuse what is nested too deeply.

    Raises:
        ReadError: ``too_deep``.
    """
    # XPath counts in C: one ancestor chain longer than allowed is enough, and walking in Python costs more than parsing.
    # UBL itself is some ten deep, so that the first look nearly always settles it.
    if _RATHER_DEEP(element) and _TOO_DEEP(element):
        raise too_deep(element.sourceline)


def too_deep(line: int | None = None) -> ReadError:
    """Return the refusal of what is nested too deeply."""
    return ReadError("too_deep", f"Elements are nested more than {DEPTH_MAX} deep.", line=line)


def _check_start(data: bytes) -> None:
    position = _end_of_prolog(data)
    if position == len(data):
        raise ReadError("empty", "There is no document in these bytes.")
    if data[position : position + 9].upper() == b"<!DOCTYPE":
        raise ReadError("doctype", _DOCTYPE)
    if data[position : position + 1] != b"<":
        raise ReadError("not_xml", "This is not XML.")


def _check_floods(data: bytes) -> None:
    """Refuse what would become many times its size in memory: libxml2 keeps some 400 bytes for each attribute or element."""
    block = TAG_BYTES_MAX // 2  # a longer tag covers one whole block, in which there is no other tag
    quiet = any(data.find(b"<", at, at + block) < 0 for at in range(0, len(data), block))
    if quiet and _LONG_TAG.search(data):
        raise ReadError("tag_too_long", f"A tag is longer than {TAG_BYTES_MAX} bytes.")
    if data.count(b"<") > MARKUP_MAX:
        raise ReadError("too_many_elements", "There are more elements than any invoice needs.")
    if data.count(b"=") > ATTRIBUTES_MAX:
        raise ReadError("too_many_attributes", "There are more attributes than any invoice needs.")


def _end_of_prolog(data: bytes) -> int:
    """Return the position of the first thing that is neither blank nor processing instruction nor comment."""
    position = 0
    for _ in range(PROLOG_MAX):
        blank = _BLANK.match(data, position)
        position = blank.end() if blank else position
        closing = next(
            (end for start, end in ((b"<?", b"?>"), (b"<!--", b"-->")) if data.startswith(start, position)), None
        )
        end = data.find(closing, position) if closing else -1
        if closing is None or end < 0:
            return position
        position = end + len(closing)
    raise ReadError("too_many_elements", "More comments and instructions stand before the document than any needs.")


def _parser(huge: bool) -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        remove_comments=True,
        remove_pis=True,
        remove_blank_text=True,  # between elements only; the blanks of a value stay
        collect_ids=False,
        huge_tree=huge,
    )


def _as_ascii_compatible(data: bytes) -> bytes:
    """Return ``data`` in UTF-8, whose markup can be looked for as bytes; a BOM and the name of another encoding go."""
    has_mark = data[:3] == b"\xef\xbb\xbf"
    if has_mark:
        data = data[3:]
    elif data[:2] in (b"\xff\xfe", b"\xfe\xff") or data[:4] in (b"<\0?\0", b"\0<\0?"):
        data = _from_utf_16(data)
    if data.startswith(b"<") and b"\0" in data[:_START]:
        raise ReadError("unsupported_encoding", "The document is neither UTF-8 nor UTF-16.", line=1)
    declaration = _DECLARATION.match(data)
    if declaration is None and data.startswith(b"<?xml") and data[5:6].isspace():
        raise ReadError("not_well_formed", "The XML declaration is longer than any is.", line=1)
    declared = _DECLARED.search(declaration[0]) if declaration else None
    name = declared[1].decode() if declared else "utf-8"
    plain_name = name.lower().translate(_NO_DASHES)
    if plain_name in _UTF_8:
        return data
    if has_mark and _is_utf_8(data):
        # Whoever changed a file's encoding may have left its declaration. A BOM before other bytes was only put there.
        return _undeclared(data)
    if plain_name in _SINGLE_BYTE:
        return _from_single_byte(data, _SINGLE_BYTE[plain_name])
    if name.lower().startswith("utf-16"):
        # Packages that write XML into a string of .NET declare its UTF-16 and save the bytes as UTF-8.
        message = f"The document declares {name}, but its bytes are not UTF-16. Declare the encoding it is saved in."
        raise ReadError("unsupported_encoding", message, line=1)
    raise ReadError("unsupported_encoding", f"The encoding {name} is not supported.", line=1)


def _is_utf_8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeError:
        return False
    return True


def _undeclared(data: bytes) -> bytes:
    return _DECLARATION.sub(b"", data, count=1)


def _from_single_byte(data: bytes, encoding: str) -> bytes:
    try:
        return _undeclared(data.decode(encoding).encode())
    except UnicodeError:
        raise ReadError("not_well_formed", f"The bytes are not the {encoding} that the document declares.") from None


def _from_utf_16(data: bytes) -> bytes:
    byte_order = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"<\0": "utf-16-le", b"\0<": "utf-16-be"}[data[:2]]
    try:
        text = data.decode(byte_order)
        return _undeclared(text.encode())
    except UnicodeError:
        raise ReadError("not_well_formed", "The bytes are not the UTF-16 they begin as.") from None


_USUAL_PARSER = _parser(huge=False)
"""One parser for all, as a new one makes each parse slower; lxml makes threads wait for each other."""
_TOO_DEEP = etree.XPath("boolean(." + "/*" * DEPTH_MAX + ")")
_RATHER_DEEP = etree.XPath("boolean(." + "/*" * 15 + ")")
