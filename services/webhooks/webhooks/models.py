"""What callers send and are shown of endpoints, deliveries and events."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, model_validator

from koppel_connector.mail.addresses import Address
from koppel_mesh.messages import ProblemData

from .event_types import EVENTS

OVERLAP_MAX_S = 7 * 86_400
FIRMS_MAX = 500
"""Of one endpoint."""


def _known(event_types: list[str]) -> list[str]:
    if unknown := sorted(set(event_types) - set(EVENTS)):
        raise ValueError(f"no event: {', '.join(unknown)}; there are {', '.join(EVENTS)}")
    return sorted(set(event_types))


EventTypes = Annotated[list[str], Field(min_length=1, max_length=50), AfterValidator(_known)]
Url = Annotated[str, Field(min_length=1, max_length=2000)]
Firms = Annotated[
    list[UUID], Field(min_length=1, max_length=FIRMS_MAX), AfterValidator(lambda firms: sorted(set(firms)))
]
Text = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")]


class NewAuth(BaseModel):
    """How we get the bearer token that the endpoint wants: by client credentials (RFC 6749 §4.4)."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["oauth2"]
    token_url: Url
    client_id: Text
    client_secret: Annotated[SecretStr, Field(min_length=1, max_length=2000)]
    scope: Text | None = None
    audience: Text | None = None
    client_auth: Literal["basic", "post"] = "basic"
    """Where the client's secret goes: into Basic credentials or into the form."""


class ShownAuth(BaseModel):
    """The same without the secret."""

    kind: Literal["oauth2"]
    token_url: str
    client_id: str
    scope: str | None
    audience: str | None
    client_auth: Literal["basic", "post"]


class NewEndpoint(BaseModel):
    """An address that wants events."""

    model_config = ConfigDict(extra="forbid")
    url: Url
    event_types: EventTypes
    description: Text | None = None
    contact_email: Address | None = None
    """Who is told by mail when the endpoint is disabled."""
    firm_ids: Firms | None = None
    """The firms whose events are sent; each has to consent to it. Absent: the firm of the token."""
    auth: NewAuth | None = None


class EndpointChange(BaseModel):
    """What may be changed; what is absent stays. Another ``url`` has to answer a challenge first.

    Where ``url`` leads to another host or port and the endpoint has ``auth``, ``auth`` is given with it.
    """

    model_config = ConfigDict(extra="forbid")
    url: Url | None = None
    event_types: EventTypes | None = None
    description: Text | None = None
    contact_email: Address | None = None
    firm_ids: Firms | None = None
    auth: NewAuth | None = None
    state: Literal["paused"] | None = None
    """An endpoint that has to answer a challenge first is paused once it has."""

    @model_validator(mode="after")
    def _keeps_what_it_needs(self) -> "EndpointChange":
        for name in ("url", "event_types", "state"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"{name} cannot be taken away")
        return self


class ShownEndpoint(BaseModel):
    """An endpoint without its secrets."""

    id: UUID
    url: str
    event_types: list[str]
    description: str | None
    contact_email: str | None
    firm_ids: list[UUID]
    state: Literal["unverified", "active", "paused", "disabled"]
    paused: bool
    """Whether its owner wants nothing now, in whatever state it is; until it is enabled."""
    problem: ProblemData | None
    auth: ShownAuth | None
    verified_at: datetime | None
    failing_since: datetime | None
    created_at: datetime


class EndpointProblem(ProblemData):
    """Why an endpoint gets nothing, and since when."""

    endpoint_id: UUID
    first_seen_at: datetime


class NewEndpointShown(ShownEndpoint):
    """An endpoint with its secret, the only time it is shown."""

    secret: str


class Rotation(BaseModel):
    """For how long the secret before signs too."""

    model_config = ConfigDict(extra="forbid")
    overlap_s: Annotated[int, Field(ge=0, le=OVERLAP_MAX_S)] = 86_400


class NewSecret(BaseModel):
    """A secret, the only time it is shown, and until when the one before signs too."""

    secret: str
    previous_ends_at: datetime


class PublicKeys(BaseModel):
    """Keys by which ``v1a`` signatures of an endpoint are checked, as JSON Web Keys (RFC 8037)."""

    keys: list[dict[str, Any]]


class ShownAttempt(BaseModel):
    """One call to an endpoint."""

    at: datetime
    number: int
    outcome: str
    status: int | None
    duration_ms: int
    answer: str
    """The beginning of what was answered, or why nothing was."""


class TestResult(BaseModel):
    """What became of a test, and the state of the endpoint after it."""

    __test__ = False  # for pytest
    outcome: str
    status: int | None
    duration_ms: int
    answer: str
    state: str


class ShownDelivery(BaseModel):
    """What became of one event at one endpoint."""

    event_id: UUID
    type: str
    subject_id: UUID
    sequence: int
    recorded_at: datetime
    state: Literal["pending", "delivered", "failed", "withheld"]
    due_at: datetime | None
    delivered_at: datetime | None
    attempts: list[ShownAttempt]


class Replay(BaseModel):
    """Which events are sent again."""

    model_config = ConfigDict(extra="forbid")
    from_: Annotated[AwareDatetime, Field(alias="from")]
    to: AwareDatetime
    event_types: EventTypes | None = None

    @model_validator(mode="after")
    def _is_a_span(self) -> "Replay":
        if self.to <= self.from_:
            raise ValueError("to is not after from")
        return self


class ReplayStarted(BaseModel):
    """How many events are sent again."""

    count: int
