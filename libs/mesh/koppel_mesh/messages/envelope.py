"""CloudEvents 1.0 in structured JSON: how a fact is written on the wire.

Structured mode because the AMQP binding of CloudEvents maps headers only for AMQP 1.0, and RabbitMQ clients speak 0-9-1.
"""

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, JsonValue, SerializeAsAny, ValidationError

from .events import EVENT_TYPES, EventData

CONTENT_TYPE = "application/cloudevents+json"


class UnreadableMessageError(Exception):
    """The bytes are not one of our messages; they go to quarantine, never back on the queue."""


class Envelope(BaseModel):
    """One message. ``id`` is a UUIDv7: AMQP ``message_id``, outbox key and inbox key alike."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: Literal["1.0"] = "1.0"
    id: UUID
    source: str
    type: str
    subject: str
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    firmid: UUID | None = None
    traceparent: str | None = None
    data: SerializeAsAny[EventData]

    def to_bytes(self) -> bytes:
        """Return the structured JSON. An absent extension attribute is left out, as CloudEvents asks (no nulls)."""
        absent = {name for name in ("firmid", "traceparent") if getattr(self, name) is None}
        return self.model_dump_json(exclude=absent).encode()


class _Sealed(BaseModel):
    """The envelope before the shape of its data is known."""

    model_config = ConfigDict(extra="allow")
    type: str
    data: dict[str, JsonValue]


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
        return Envelope.model_validate({**(sealed.model_extra or {}), "type": sealed.type, "data": data})
    except (ValidationError, ValueError, RecursionError) as error:
        raise UnreadableMessageError(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return str(error).splitlines()[0] if str(error) else type(error).__name__
