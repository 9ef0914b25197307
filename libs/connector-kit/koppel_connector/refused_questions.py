"""Questions that a vendor refuses, remembered for a day, so that not every document causes the same refusal.

Which filters a resource accepts, or whether it can be listed at all, is often shown by an error only. A vendor that counts
errors (``ErrorBudget``) may then block the endpoint, and the bookings with it. So the connector asks once, notes the refusal, and
asks in its other way from then on.

A question is named by its shape, not by its values: the connector chooses the name, such as ``"relations by VAT number"``.
"""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from .contract.errors import Rejected
from .contract.memory import Memory
from .contract.problems import Problem

BELIEVED_S: Final = 86_400.0

T = TypeVar("T")


async def known(memory: Memory, question: str) -> Rejected | None:
    """Return how the question was refused within the last day; None when it may be asked."""
    kept = await memory.recall(_key(question), BELIEVED_S)
    return Rejected(Problem(kept.value["code"], kept.value["detail"])) if kept else None


async def remember(memory: Memory, question: str, refused: Rejected) -> None:
    """Note a refusal: the question is not asked again for a day."""
    problem = refused.problem or Problem("vendor_refused")
    await memory.remember(_key(question), {"code": problem.code, "detail": problem.detail})


async def ask(memory: Memory, question: str, call: Callable[[], Awaitable[T]]) -> T | None:
    """Return the answer; None when the question is refused, now or within the last day.

    Raises:
        ConnectorError: anything but a refusal, which says nothing about the question.
    """
    if await known(memory, question) is not None:
        return None
    try:
        return await call()
    except Rejected as refused:
        await remember(memory, question, refused)
        return None


def _key(question: str) -> str:
    return f"refusal {question}"
