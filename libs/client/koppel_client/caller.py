"""What the generated calls need of the one who makes them."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol


class Caller(Protocol):
    """Makes calls; ``Koppel`` is one."""

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        media_type: str | None = None,
        idempotency_key: str | None = None,
    ) -> Any:
        """Make a call; return what it answers."""

    def items(self, path: str, query: Mapping[str, Any]) -> Iterator[Any]:
        """Yield every item of a list, page by page."""
