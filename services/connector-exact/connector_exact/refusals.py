"""Questions that this Exact refuses, remembered: a refusal is one of the ten errors an hour that stop an endpoint (exact §4.3).

Which fields may be filtered, and whether terms may be joined, differs from resource to resource and is told by a 400 only
(exact §2). Asked anew with every document, a question that is always refused would soon stop the bookings at the same endpoint.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Final

from koppel_connector.contract.errors import Rejected
from koppel_connector.contract.memory import Memory
from koppel_connector.contract.problems import Problem

from .messages import UNKNOWN_SENTENCE
from .odata import Row

BELIEVED_S: Final = 86_400.0


def shape(resource: str, *terms: str) -> str:
    """Return what questions have in common that differ only in their values, or in how many terms they join."""
    kinds = sorted({re.sub(r"'(?:[^']|'')*'", "''", term) for term in terms})
    return f"{resource}: {' or '.join(kinds)}{' …' * (len(terms) > 1)}"


async def known(memory: Memory, question: str) -> Rejected | None:
    """Return how a question of this shape was refused, when that is less than a day ago."""
    kept = await memory.recall(_key(question), BELIEVED_S)
    return Rejected(Problem(kept.value["code"], kept.value["detail"])) if kept else None


async def remember(memory: Memory, question: str, failure: Rejected) -> None:
    """Have a question of this shape not asked for a day."""
    told = failure.problem or Problem(UNKNOWN_SENTENCE)
    await memory.remember(_key(question), {"code": told.code, "detail": told.detail})


async def asked(memory: Memory, question: str, ask: Callable[[], Awaitable[list[Row]]]) -> list[Row] | None:
    """Return the answer; None when the question is refused, now or within a day."""
    if await known(memory, question) is not None:
        return None
    try:
        return await ask()
    except Rejected as failure:
        await remember(memory, question, failure)
        return None


def _key(question: str) -> str:
    return f"refusal {question}"
