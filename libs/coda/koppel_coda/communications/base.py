"""What every structured communication is: parts of fixed width after three digits for its kind.

A class lists its parts once, as annotated fields in their order; reading and writing both follow that list.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, TypeVar, get_type_hints

from koppel_coda.scalars import Part


@dataclass(frozen=True, slots=True)
class Structured:
    """A structured communication.

    ``code`` is its three digits. ``raw`` is the data behind them as read, so that nothing of it is out of reach; it takes no
    part in comparison. A part that cannot be read as what it should be is None (and stands in ``raw``).
    """

    code: ClassVar[str] = ""
    _parts: ClassVar[tuple[tuple[str, slice, Part], ...]] = ()
    _readers: ClassVar[tuple[tuple[slice, Callable[[str], Any]], ...]] = ()
    width: ClassVar[int] = 0
    raw: str = field(default="", compare=False, repr=False, kw_only=True)

    @property
    def rest(self) -> str:
        """Return what follows the last part."""
        return self.raw[self.width :].rstrip()

    @classmethod
    def parse(cls, data: str) -> Self:
        """Return the value of the data behind the three digits; never fails."""
        try:
            return cls(*[read(data[where]) for where, read in cls._readers], raw=data)
        except (ValueError, IndexError):
            return cls(*[_read_or_none(how, data[where]) for _, where, how in cls._parts], raw=data)

    def unreadable(self) -> tuple[str, ...]:
        """Return the names of the parts that hold what they should not."""
        return tuple(
            name
            for name, where, how in self._parts
            if self.raw and getattr(self, name) is None and not set(self.raw[where]) <= {"0", " "}
        )

    def format(self) -> str:
        """Return the data behind the three digits, without the blanks at its end.

        Raises:
            ValueError: a part is too long.
        """
        if self.raw and type(self).parse(self.raw) == self:
            return self.raw.rstrip()
        return "".join(_write(name, how, getattr(self, name)) for name, _, how in self._parts).rstrip()


def _read_or_none(how: Part, data: str) -> Any:
    try:
        return how.parse(data)
    except (ValueError, IndexError):
        return None


def _write(name: str, how: Part, value: Any) -> str:
    try:
        written = how.format(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    if len(written) > how.length:
        raise ValueError(f"{name}: {value!r} is longer than {how.length} characters")
    if written != written.rstrip() and isinstance(value, str):
        raise ValueError(f"{name}: {value!r} ends in blanks, which CODA drops")
    return written.ljust(how.length)


_Class = TypeVar("_Class", bound=type[Structured])


def coded(code: str) -> Callable[[_Class], _Class]:
    """Give a class of parts its three digits, and each part its place."""

    def decorate(cls: _Class) -> _Class:
        position, parts = 0, []
        for name, hint in get_type_hints(cls, include_extras=True).items():
            for how in getattr(hint, "__metadata__", ()):
                parts.append((name, slice(position, position + how.length), how))
                position += how.length
        cls.code, cls._parts, cls.width = code, tuple(parts), position
        cls._readers = tuple((where, how.parse) for _, where, how in parts)
        return cls

    return decorate


@dataclass(frozen=True, slots=True)
class OtherStructured(Structured):
    """A structured communication of a kind unknown here, or one that only version 1 had: kept as text."""

    kind: str = ""
    text: str = ""

    def format(self) -> str:
        """Return the text."""
        return self.text
