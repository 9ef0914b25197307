"""The fonts of a page and the characters that they can draw.

PDF/A demands that every font is embedded and every character has a glyph (ISO 19005-3, 6.2.11.4 and 6.2.11.8), so no font of
the machine is used. FiraGO draws Latin, Greek, Cyrillic, Arabic, Hebrew, Thai, Georgian and Devanagari; the Noto fonts add rarer
Latin letters and symbols. All are under the SIL Open Font License 1.1, which allows embedding.
"""

import io
import tempfile
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Final

import typst
from fontTools.ttLib import TTFont

FAMILIES: Final = ("FiraGO", "Noto Sans", "Noto Sans Symbols", "Noto Sans Symbols2", "Noto Sans Math")
"""In the order in which they are tried for a character; the templates name the same."""
_MAIN: Final = ("FiraGO_Regular", "FiraGO_Bold")
_FALLBACK: Final = ("NotoSans_Regular", "NotoSansSymbols_Regular", "NotoSansSymbols2_Regular", "NotoSansMath_Regular")


@dataclass(frozen=True)
class FontSet:
    """The fonts as the typesetter takes them, and what they cover."""

    fonts: typst.Fonts
    covered: frozenset[int]
    """Code points that some font has a glyph for."""
    main: frozenset[int]
    """Code points of the main font: whatever stands beside them, no other font is needed."""


@cache
def font_set() -> FontSet:
    """Return the fonts, in memory from then on; the first call takes a tenth of a second."""
    with tempfile.TemporaryDirectory(prefix="koppel-fonts-") as name:
        folder = Path(name)
        main = frozenset.intersection(*(_unpack(font, folder) for font in _MAIN))
        others = frozenset[int]().union(*(_unpack(font, folder) for font in _FALLBACK))
        fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder])
        _load(fonts, folder)
    return FontSet(fonts, main | others, main)


def _unpack(name: str, folder: Path) -> frozenset[int]:
    """Write a font into the folder and return the code points that it has."""
    data: bytes = import_module(f"pymupdf_fonts.{name}").fontbuffer
    (folder / f"{name}.ttf").write_bytes(data)
    return frozenset(TTFont(io.BytesIO(data), lazy=True).getBestCmap())


def _load(fonts: typst.Fonts, folder: Path) -> None:
    """Draw with every font once: each is read from its file when it is first drawn with, and these files go."""
    drawn = "".join(f'#text(font: "{one.family}", weight: {one.weight})[1]' for one in fonts.fonts())
    page = folder / "every-font.typ"
    page.write_text(drawn, "utf-8")
    typst.compile(page, root=folder, font_paths=fonts, ignore_system_fonts=True)
