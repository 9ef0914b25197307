"""Makes the texts of a page drawable and its size bounded, and counts what that changed.

A document may hold anything: ten thousand lines, names of megabytes, control characters that turn amounts around, characters
that no font has. What is drawn is bounded here, in one place; the original, which travels with the page, keeps everything.
"""

import re
import unicodedata
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any, Final

Content = Mapping[str, Any]
"""What a template draws: texts, flags, and lists and mappings of them; no numbers and no dates."""

TEXT_MAX: Final = 200
"""Characters of a text, unless ``TEXTS`` says otherwise for the name it stands under."""
TEXTS: Final = {"notes": 1_500, "terms": 1_500, "reasons": 500, "details": 300, "description": 300}
ROWS_MAX: Final = 100
"""Entries of a list, unless ``ROWS`` says otherwise."""
ROWS: Final = {"lines": 2_000, "rows": 2_000, "details": 12, "notes": 20, "facts": 40, "attachments": 40, "payments": 8}
CHARACTERS_MAX: Final = 300_000
"""Characters of all texts together, about 150 pages; a list ends at the entry that goes past it."""

ELLIPSIS: Final = "…"
REPLACEMENT: Final = "▯"
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
"""Control, format (zero-width, direction), surrogate, private and unassigned characters: none has a shape of its own."""
_BLANKS: Final = re.compile(r"\s+")


@dataclass
class Bounded:
    """A content that can be drawn, and what is missing from it."""

    content: dict[str, Any]
    rows_cut: int = 0
    texts_cut: int = 0
    characters_replaced: int = 0


def bounded(content: Content, covered: Set[int]) -> Bounded:
    """Return the content with every text drawable and short enough; its values are visited in their order.

    Args:
        content: what a template draws.
        covered: the code points that the fonts have.
    """
    result = Bounded({})
    left = _Budget(CHARACTERS_MAX, covered, result)
    result.content = {name: left.spend(value, name) for name, value in content.items()}
    return result


@dataclass
class _Budget:
    characters: int
    covered: Set[int]
    result: Bounded

    def spend(self, value: Any, name: str) -> Any:
        """Return a value as it can be drawn, and count it."""
        if isinstance(value, str):
            return self._text(value, TEXTS.get(name, TEXT_MAX))
        if isinstance(value, Mapping):
            return {key: self.spend(one, key) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return self._rows(value, name)
        return value

    def _rows(self, values: list[Any] | tuple[Any, ...], name: str) -> list[Any]:
        kept: list[Any] = []
        for value in values[: ROWS.get(name, ROWS_MAX)]:
            if self.characters <= 0:
                break
            kept.append(self.spend(value, name))
        self.result.rows_cut += len(values) - len(kept)
        return kept

    def _text(self, text: str, longest: int) -> str:
        # A character may be composed of several; what is far past the longest text need not be looked at.
        shown, replaced = drawable(text[: 4 * longest], self.covered)
        self.result.characters_replaced += replaced
        if len(shown) > longest or len(text) > 4 * longest:
            self.result.texts_cut += 1
            shown = shown[: longest - 1].rstrip() + ELLIPSIS
        self.characters -= len(shown)
        return shown


def drawable(text: str, covered: Set[int]) -> tuple[str, int]:
    """Return the text in characters that the fonts have, and how many they have not; line breaks stay, other blanks are one."""
    composed = unicodedata.normalize("NFC", text)
    if composed.isascii() and composed.isprintable():
        return " ".join(composed.split(" ")), 0
    lines = (_BLANKS.sub(_blank, line).strip() for line in composed.splitlines())
    drawn, replaced = [], 0
    for character in "\n".join(line for line in lines if line):
        if character == "\n" or (ord(character) in covered and unicodedata.category(character) not in _INVISIBLE):
            drawn.append(character)
        elif unicodedata.category(character) not in _INVISIBLE or unicodedata.category(character) == "Co":
            drawn.append(REPLACEMENT)
            replaced += 1
    return "".join(drawn), replaced


def _blank(found: re.Match[str]) -> str:
    """Keep the space that must not break where it stands alone: between the groups of a number."""
    return found[0] if found[0] == "\u00a0" else " "
