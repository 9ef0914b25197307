"""CloudEvents 1.0 in structured JSON: how a fact is written on the wire.

Structured mode because the AMQP binding of CloudEvents maps headers only for AMQP 1.0, and RabbitMQ clients speak 0-9-1.
"""

from typing import Any, Literal
from uuid import UUID, uuid5

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, SerializeAsAny, ValidationError

from .events import EVENT_TYPES, EventData

CONTENT_TYPE = "application/cloudevents+json"
_FOREIGN = UUID("5f0c3d52-7d0e-5b5e-9a43-3c8c6f5f9a01")
"""The name space of ids that others give; never to be changed."""


class UnreadableMessageError(Exception):
    """The bytes are not one of our messages; they go to quarantine, never back on the queue."""


class Envelope(BaseModel):
    """One message. ``id`` is a UUIDv7: AMQP ``message_id``, outbox key and inbox key alike.

    What CloudEvents leaves optional may be absent in what others publish; we always say it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: Literal["1.0"] = "1.0"
    id: UUID
    source: str
    type: str
    subject: str | None = None
    time: AwareDatetime | None = None
    datacontenttype: str = Field("application/json", pattern=r"^application/json *(;.*)?$")
    firmid: UUID | None = None
    traceparent: str | None = None
    data: SerializeAsAny[EventData]

    def to_bytes(self) -> bytes:
        """Return the structured JSON. An absent attribute is left out, as CloudEvents asks (no nulls)."""
        optional = ("subject", "time", "firmid", "traceparent")
        absent = {name for name in optional if getattr(self, name) is None}
        return self.model_dump_json(exclude=absent).encode()


class _Sealed(BaseModel):
    """The envelope before the shape of its data is known."""

    model_config = ConfigDict(extra="allow")
    id: str = Field(min_length=1)
    source: str = Field(min_length=1)
    type: str
    data: dict[str, JsonValue]

    def key(self) -> UUID:
        """Return the id; of one that is no UUID, as anybody may give, what stands for it and its source for good."""
        try:
            return UUID(self.id)
        except ValueError:
            return uuid5(_FOREIGN, f"{self.source} {self.id}")

    def known(self) -> dict[str, Any]:
        return {**(self.model_extra or {}), "id": self.key(), "source": self.source, "type": self.type}


def open_envelope(body: bytes) -> Envelope:
    """Read one message.

    Raises:
        UnreadableMessageError: not JSON, not CloudEvents 1.0, an unknown type, or data that misses what the type promises.
    """
    try:
        sealed = _Sealed.model_validate_json(body)
        event = EVENT_TYPES.get(sealed.type)
        if event is None:
            raise UnreadableMessageError(f"unknown type {sealed.type!r}")
        traceparent = (sealed.model_extra or {}).get("traceparent")
        data = event.model_validate(sealed.data).traced(traceparent if isinstance(traceparent, str) else None)
        return Envelope.model_validate({**sealed.known(), "data": data})
    except (ValidationError, ValueError, RecursionError) as error:
        raise UnreadableMessageError(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return str(error).splitlines()[0] if str(error) else type(error).__name__
