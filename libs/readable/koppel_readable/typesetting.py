"""From content and a template to a PDF, by Typst: PDF/A-3a, the same bytes for the same input.

Typst refuses to write a file that breaks the profile. What it refuses for a text that no template can foresee (a letter and
a mark that no one font has both) is drawn a second time, with the characters of the main font alone.
"""

import json
import tempfile
from collections.abc import Set
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

import typst

from .bounds import Bounded, Content, bounded
from .fonts import font_set
from .formats import format_number
from .labels import Language, label

PROFILE: Final = "a-3a"
UNDATED_ON: Final = date(1970, 1, 1)
"""A PDF bears a date; that of a document without one is fixed, as today's would make other bytes tomorrow."""
_TEMPLATES: Final = "templates"
_ORIGINAL: Final = "original"


def typeset(
    template: str,
    content: Content,
    *,
    language: Language,
    whole_in: str,
    dated_on: date | None,
    original: bytes | None = None,
) -> bytes:
    """Return the PDF that a template makes of a content.

    Args:
        template: the name of a file in the folder ``templates``.
        content: what it draws; long and strange texts are made to fit.
        language: of the words about what is missing.
        whole_in: the label that says where a reader finds what is missing.
        dated_on: the date that the PDF bears.
        original: the bytes of the file to embed, which the template names.
    """
    fonts = font_set()

    def compiled(covered: Set[int]) -> bytes:
        fitted = bounded(content, covered)
        page = fitted.content | {"missing": missing(fitted, language, whole_in)}
        return _compile(template, page, dated_on or UNDATED_ON, original)

    try:
        return compiled(fonts.covered)
    except typst.TypstError:
        return compiled(fonts.main)


def missing(fitted: Bounded, language: Language, whole_in: str) -> str:
    """Return what a page says about what it leaves out; empty when it leaves out nothing."""
    counts = {
        "rows_cut": fitted.rows_cut,
        "texts_cut": fitted.texts_cut,
        "characters_replaced": fitted.characters_replaced,
    }
    said = [
        label(name, language).format(count=format_number(Decimal(count), language))
        for name, count in counts.items()
        if count
    ]
    return " ".join([*said, label(whole_in, language)]) if said else ""


def _compile(template: str, page: Content, dated_on: date, original: bytes | None) -> bytes:
    sources: Any = _sources(template)  # the library takes the bytes of several files, its types say of one
    with tempfile.TemporaryDirectory(prefix="koppel-readable-") as folder:
        if original is not None:  # from a folder, as Typst takes files that are no UTF-8 only from one
            (Path(folder) / _ORIGINAL).write_bytes(original)
        made = typst.compile(
            sources,
            root=folder,
            sys_inputs={"page": json.dumps(page)},
            font_paths=font_set().fonts,
            ignore_system_fonts=True,
            pdf_standards=PROFILE,
            timestamp=datetime.combine(dated_on, time(), UTC),
        )
    assert isinstance(made, bytes)
    return made


@cache
def _sources(template: str) -> dict[str, bytes]:
    """Return the template and what it imports, by the names that Typst asks for; ``main.typ`` is where it starts."""
    folder = resources.files(__package__) / _TEMPLATES
    names = {"main.typ": template, "style.typ": "style.typ"}
    return {name: (folder / file).read_bytes() for name, file in names.items()}
