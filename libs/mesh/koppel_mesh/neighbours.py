"""Whether the services that this one calls are ready: reported beside readiness, never a part of it.

If a neighbour that is not ready made a pod not ready, the pod would no longer serve what it can serve alone, and its own callers
would follow: one failing service would take all of them out of rotation. So neighbours are asked in the background, each within
a bounded time, and their last answer is part of ``/health/ready`` without changing its status. ``/health/ready`` itself waits
for no neighbour, so services that call each other do not wait in a circle.
"""

import asyncio
import json
from collections.abc import Mapping

import structlog

from .http.client import HttpClient, NotSent, Unanswered
from .settings import MeshSettings

READY = "ready"
DEADLINE_S = 2.0
log = structlog.get_logger(__name__)


class Neighbours:
    """What is known of the services that one service calls."""

    def __init__(self, settings: MeshSettings, http: HttpClient, service: str) -> None:
        self._settings = settings
        self._http = http
        self._service = service
        self._state: dict[str, str] = {}

    @property
    def state(self) -> Mapping[str, str]:
        """Return the last answer of each: ``ready``, or why it is not."""
        return dict(self._state)

    async def ask(self, names: set[str]) -> None:
        """Ask each of ``names``; a change is logged."""
        for name, state in zip(names, await asyncio.gather(*map(self._ask, names)), strict=True):
            before = self._state.get(name)
            self._state[name] = state
            if before is not None and state != before:  # at the start of a mesh nobody is ready, which is no news
                write = log.info if state == READY else log.warning
                write("neighbour changed", service=self._service, neighbour=name, state=state)

    async def _ask(self, name: str) -> str:
        try:
            url = f"{self._settings.address_of(name)}/{name}/health/ready"
            answer = await self._http.request("GET", url, deadline_s=DEADLINE_S)
        except (NotSent, Unanswered) as error:
            return f"no answer: {error}"
        if answer.status == 200:
            return READY
        try:
            return "; ".join(json.loads(answer.content)["reasons"]) or f"HTTP {answer.status}"
        except (ValueError, KeyError, TypeError):
            return f"HTTP {answer.status}"
