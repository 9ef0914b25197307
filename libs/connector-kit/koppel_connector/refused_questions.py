"""Questions that a vendor refuses, remembered for a day, so that not every document causes the same refusal.

Which filters a resource accepts, or whether it can be listed at all, is often shown by an error only. A vendor that counts
errors (``ErrorBudget``) may then block the endpoint, and the bookings with it. So the connector asks once, notes the refusal, and
asks in its other way from then on.

A question is named by its shape, not by its values: the connector chooses the name, such as ``"relations by VAT number"``.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
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


async def ask_any(
    memory: Memory,
    terms: Sequence[str],
    *,
    named: Callable[[Sequence[str]], str],
    joined: Callable[[Sequence[str]], Awaitable[list[T]]],
) -> list[T]:
    """Return what any of several filter terms finds: in one question where the vendor joins terms, else term by term.

    One refused term hides no match of the others, and is left out for a day.

    Args:
        memory: of the connection.
        terms: what is searched.
        named: returns the name of the question that asks these terms.
        joined: asks them at once.

    Raises:
        Rejected: every term is refused.
        ConnectorError: anything but a refusal.
    """
    refused = {term: await known(memory, named([term])) for term in terms}
    asking = [term for term, failure in refused.items() if failure is None]
    if not asking:
        raise next(failure for failure in refused.values() if failure is not None)
    if len(asking) > 1 and (found := await ask(memory, named(asking), lambda: joined(asking))) is not None:
        return found
    return await _ask_each(memory, {term: named([term]) for term in asking}, joined)


async def _ask_each(
    memory: Memory, questions: Mapping[str, str], joined: Callable[[Sequence[str]], Awaitable[list[T]]]
) -> list[T]:
    found: list[T] = []
    refused: dict[str, Rejected] = {}
    answered: set[str] = set()
    for term, question in questions.items():
        try:
            found += await joined([term])
            answered.add(question)
        except Rejected as failure:
            refused[question] = failure
    for question in refused.keys() - answered:
        await remember(memory, question, refused[question])
    if refused and not answered:
        raise next(iter(refused.values()))
    return found


def _key(question: str) -> str:
    return f"refusal {question}"
