"""Questions that this Exact refuses, remembered: a refusal is one of the ten errors an hour that stop an endpoint (§4.3).

Which fields may be filtered, and whether terms may be joined, differs from resource to resource and is told by a 400 only
(§2). Asked anew with every document, a question that is always refused would soon stop the bookings at the same endpoint.
"""

import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from koppel_connector.connector import Master, MasterBook
from koppel_connector.verdicts import Rejected
from koppel_mesh.clock import utc_now

from .odata import Row

BELIEVED: Final = timedelta(days=1)
_KIND: Final = "refused_question"


def shape(resource: str, *terms: str) -> str:
    """Return what questions have in common that differ only in their values, or in how many terms they join."""
    kinds = sorted({re.sub(r"'(?:[^']|'')*'", "''", term) for term in terms})
    return f"{resource}: {' or '.join(kinds)}{' …' * (len(terms) > 1)}"


def known(book: MasterBook, question: str) -> bool:
    """Return whether a question of this shape was refused within a day."""
    line = book.get(_KIND, question)
    return line is not None and utc_now() - datetime.fromisoformat(line.data["told_at"]) < BELIEVED


async def remember(book: MasterBook, question: str) -> None:
    """Have a question of this shape not asked for a day."""
    await book.remember(Master(_KIND, question, question, question, {"told_at": utc_now().isoformat()}))


async def asked(book: MasterBook, question: str, ask: Callable[[], Awaitable[list[Row]]]) -> list[Row] | None:
    """Return the answer; None when the question is refused, now or within a day."""
    if known(book, question):
        return None
    try:
        return await ask()
    except Rejected:
        await remember(book, question)
        return None
