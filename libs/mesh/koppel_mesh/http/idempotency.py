"""Idempotency keys: the same POST twice has one effect and one answer (contract §4).

The key is claimed inside the transaction of the effect. Two equal requests at once therefore wait for each other on the
key's row: the second one sees the first one's answer, or, when the first one failed, takes its place.
"""

import hashlib
import json
import re
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.keyring import KeyRing, WrongKeyError
from koppel_mesh.prepared_sql import Statement

from .problems import HttpProblem

KEY_LENGTH_MAX = 255
_PURPOSE = "first answer"
_OPENED_S_MAX = 366 * 86_400
"""Longer than any answer is kept."""
_BOUNDARY = re.compile(r";\s*boundary=(?:\"([^\"]+)\"|([^\s;,]+))", re.IGNORECASE)

_CLAIM = Statement("""
    INSERT INTO idempotency_key (caller, key, route, request_hash) VALUES (:caller, :key, :route, :request_hash)
    ON CONFLICT DO NOTHING RETURNING key
""")
_EARLIER = Statement("SELECT * FROM idempotency_key WHERE caller = :caller AND key = :key AND route = :route")
_REMEMBER = Statement("""
    UPDATE idempotency_key SET status = :status, headers = CAST(:headers AS jsonb), body = :body
    WHERE caller = :caller AND key = :key AND route = :route
""")


class Idempotency:
    """The key one request came with, if any."""

    def __init__(self, request: Request, key: str | None, request_hash: str) -> None:
        self._request = request
        self._key = key
        self._hash = request_hash

    @property
    def _caller(self) -> str:
        caller = self._request.state.caller
        return f"{caller.subject}/{caller.firm_id}"

    @property
    def _route(self) -> str:
        return f"{self._request.method} {self._request.url.path}"

    async def claim(self, tx: AsyncConnection, ring: KeyRing | None = None) -> Response | None:
        """Return the first answer again when this request was answered before; None when it is ours to answer.

        Args:
            tx: the transaction of the effect.
            ring: what ``remember`` sealed the answer with, when it holds a secret.

        Raises:
            HttpProblem: 409 ``idempotency_key_reused`` when the key came with another body before.
        """
        if self._key is None:
            return None
        mine = self._mine()
        if await _CLAIM.one_or_none(tx, {**mine, "request_hash": self._hash}) is not None:
            return None
        return await self.answered(tx, ring)

    async def answered(self, reading: AsyncConnection, ring: KeyRing | None = None) -> Response | None:
        """Return the first answer again when this request was answered before, and claim nothing.

        It is for an effect of several transactions that may be repeated: ``claim`` comes in the one that remembers the answer.
        Arguments and errors as those of ``claim``.
        """
        if self._key is None:
            return None
        earlier = await _EARLIER.one_or_none(reading, self._mine())
        if earlier is None:
            return None
        if earlier.request_hash != self._hash:
            raise HttpProblem(409, "idempotency_key_reused", "This Idempotency-Key came with another request before.")
        body = bytes(earlier.body or b"")
        return Response(
            _opened(ring, body) if ring else body, earlier.status or 200, headers=dict(earlier.headers or {})
        )

    async def remember(
        self,
        tx: AsyncConnection,
        *,
        status: int,
        body: BaseModel | dict[str, Any],
        headers: dict[str, str] | None = None,
        ring: KeyRing | None = None,
    ) -> Response:
        """Return the answer, and keep it for the next request with this key — sealed with ``ring``, if it holds a secret."""
        response = JSONResponse(jsonable_encoder(body), status, headers=headers)
        if self._key is not None:
            kept = {"content-type": "application/json", **(headers or {})}
            content = _sealed(ring, response.body) if ring else bytes(response.body)
            answer = {"status": status, "headers": json.dumps(kept), "body": content}
            await _REMEMBER.run(tx, {**self._mine(), **answer})
        return response

    def _mine(self) -> dict[str, Any]:
        return {"caller": self._caller, "key": self._key, "route": self._route}


def _sealed(ring: KeyRing, body: bytes | memoryview) -> bytes:
    return ring.seal_text({"body": bytes(body).decode()}, _PURPOSE).encode()


def _opened(ring: KeyRing, sealed: bytes) -> bytes:
    try:
        body: str = ring.open_text(sealed.decode(), _PURPOSE, _OPENED_S_MAX)["body"]
    except WrongKeyError as error:
        title = "What was answered first cannot be read any more."
        raise HttpProblem(409, "first_answer_gone", title, "Use another Idempotency-Key.") from error
    return body.encode()


async def _idempotency(
    request: Request, key: Annotated[str | None, Header(alias="Idempotency-Key")] = None
) -> Idempotency:
    if key is None:
        return Idempotency(request, None, "")
    if not 0 < len(key) <= KEY_LENGTH_MAX or not key.isascii() or not key.isprintable():
        raise HttpProblem(422, "invalid_idempotency_key", "An Idempotency-Key is 1 to 255 printable ASCII characters.")
    media_type, body = _bare(request.headers.get("content-type", ""), await request.body())
    digest = hashlib.sha256(b"\n".join((media_type.encode(), request.url.query.encode(), body)))
    return Idempotency(request, key, digest.hexdigest())


def _bare(content_type: str, body: bytes) -> tuple[str, bytes]:
    """Return a request without the boundary of its multipart body: most clients draw a new one for each try."""
    found = _BOUNDARY.search(content_type) if content_type.lower().startswith("multipart/") else None
    if found is None:
        return content_type, body
    boundary = (found[1] or found[2]).encode("latin-1", "replace")
    return content_type[: found.start()], body.replace(b"--" + boundary, b"--")


IdempotencyKey = Annotated[Idempotency, Depends(_idempotency)]
"""For routes that also ``require`` a scope: a key belongs to the caller who sent it."""
