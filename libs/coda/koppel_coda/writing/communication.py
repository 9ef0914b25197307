"""Communications as text: free, or three digits and the parts behind them."""

from koppel_coda.communications import OtherStructured, Structured
from koppel_coda.errors import WriteError

from .record import checked_text


def text_of(
    communication: str | Structured, kinds: dict[str, type[Structured]], room: int, where: str
) -> tuple[str, str]:
    """Return the structured flag and the text, at most ``room`` long.

    Raises:
        WriteError: it is too long, of a kind that does not belong here, or a part is too long.
    """
    if isinstance(communication, str):
        return "0", checked_text(communication, room, where)
    return "1", checked_text(_structured(communication, kinds, where), room, where)


def _structured(value: Structured, kinds: dict[str, type[Structured]], where: str) -> str:
    if isinstance(value, OtherStructured):
        if len(value.kind) != 3 or value.kind in kinds or (not value.text and value.kind != value.kind.rstrip()):
            raise WriteError("kind", f"{value.kind!r} is not three characters, or has a type of its own", where)
        checked_text(value.text, len(value.text), where)
        return value.kind + value.text
    if kinds.get(value.code) is not type(value):
        raise WriteError("kind", f"a {type(value).__name__} does not belong here", where)
    try:
        data = value.format()
    except ValueError as error:
        raise WriteError("part", str(error), where) from None
    if value.parse(data.ljust(value.width)) != value:
        raise WriteError("part", f"CODA cannot hold {value!r} exactly", where)
    return value.code + data
