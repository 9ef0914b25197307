"""Exact in other variants: the sandbox behind a small proxy that says the same in another way that the sources allow."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx2

from koppel_connector.testing import LoopbackServer, Request, http_answer

_UNSENT = {"content-length", "transfer-encoding", "connection", "host"}
_GUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


@dataclass
class VariedAnswer:
    """One exchange, as the sandbox answered it; a variant changes it in place."""

    method: str
    resource: str
    """``salesentry/SalesEntries``: the path behind the division, without a key."""
    query: dict[str, str]
    status: int
    headers: dict[str, str]
    body: Any

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Return every row of the answer, for a variant to change."""
        inner = self.body.get("d") if isinstance(self.body, dict) else None
        if isinstance(inner, dict):
            return list(inner["results"]) if "results" in inner else [inner]
        return inner if isinstance(inner, list) else []


Variant = Callable[[VariedAnswer], None]


class VariantServer(LoopbackServer):
    """Serves the sandbox in another variant."""

    def __init__(self, vendor_url: str, variant: Variant) -> None:
        self._vendor_url = vendor_url
        self._variant = variant
        self._http = httpx2.AsyncClient(timeout=10, trust_env=False)
        self.answers: list[VariedAnswer] = []

    async def __aexit__(self, *_: object) -> None:
        await super().__aexit__()
        await self._http.aclose()

    async def answer(self, writer: asyncio.StreamWriter, request: Request) -> bool:
        method, target, headers, body = request
        sent = {name: value for name, value in headers.items() if name not in _UNSENT}
        got = await self._http.request(method, self._vendor_url + target, headers=sent, content=body)
        split = urlsplit(target)
        answer = VariedAnswer(
            method,
            re.sub(r"^/api/v1/(\d+/)?|\(guid.*$", "", unquote(split.path)),
            {name: values[0] for name, values in parse_qs(split.query).items()},
            got.status_code,
            {name: value for name, value in got.headers.items() if name.lower() not in _UNSENT},
            json.loads(got.text.replace(self._vendor_url, self.url)) if got.text.startswith("{") else got.text,
        )
        self._variant(answer)
        self.answers.append(answer)
        content = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        writer.write(http_answer(answer.status, content.encode(), answer.headers))
        return True


def refuse(answer: VariedAnswer, status: int, sentence: str) -> None:
    """Answer with Exact's error envelope instead."""
    answer.status = status
    answer.body = {"error": {"code": "", "message": {"lang": "", "value": sentence}}}


def shouted(value: Any) -> Any:
    """Return ``value`` with every GUID in capitals."""
    if isinstance(value, dict):
        return {name: shouted(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shouted(each) for each in value]
    return _GUID.sub(lambda found: found[0].upper(), value) if isinstance(value, str) else value
