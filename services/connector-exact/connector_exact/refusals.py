"""Questions that this Exact refuses, remembered: a refusal is one of the ten errors an hour that stop an endpoint (§4.3).

Which fields may be filtered, and whether terms may be joined, differs from resource to resource and is told by a 400 only
(§2). Asked anew with every document, a question that is always refused would soon stop the bookings at the same endpoint.
"""

import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from koppel_connector.contract.connector import MasterDataStore, MasterRecord
from koppel_connector.contract.errors import Rejected
from koppel_connector.contract.problems import Problem
from koppel_mesh.clock import utc_now

from .messages import UNKNOWN_SENTENCE
from .odata import Row

BELIEVED: Final = timedelta(days=1)
_KIND: Final = "refusal"


def shape(resource: str, *terms: str) -> str:
    """Return what questions have in common that differ only in their values, or in how many terms they join."""
    kinds = sorted({re.sub(r"'(?:[^']|'')*'", "''", term) for term in terms})
    return f"{resource}: {' or '.join(kinds)}{' …' * (len(terms) > 1)}"


def known(book: MasterDataStore, question: str) -> Rejected | None:
    """Return how a question of this shape was refused, when that is less than a day ago."""
    line = book.get(_KIND, question)
    if line is None or utc_now() - datetime.fromisoformat(line.data["told_at"]) >= BELIEVED:
        return None
    return Rejected(Problem(line.data["code"], line.data["detail"]))


async def remember(book: MasterDataStore, question: str, failure: Rejected) -> None:
    """Have a question of this shape not asked for a day."""
    told = failure.problem or Problem(UNKNOWN_SENTENCE)
    data = {"told_at": utc_now().isoformat(), "code": told.code, "detail": told.detail}
    await book.remember(MasterRecord(_KIND, question, question, question, data))


async def asked(book: MasterDataStore, question: str, ask: Callable[[], Awaitable[list[Row]]]) -> list[Row] | None:
    """Return the answer; None when the question is refused, now or within a day."""
    if known(book, question) is not None:
        return None
    try:
        return await ask()
    except Rejected as failure:
        await remember(book, question, failure)
        return None
