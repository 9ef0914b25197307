"""What is ready to leave: what the log and the budget know of it, and, of a call by HTTP, its address and headers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from opentelemetry import trace

from koppel_connector.contract.calls import Call
from koppel_connector.contract.errors import Rejected
from koppel_connector.contract.limits import Window
from koppel_connector.contract.problems import Problem

from .attempts import NewAttempt
from .redaction import clean, excerpt_of


@dataclass(frozen=True)
class Outgoing:
    """One exchange of one worker, by HTTP or by mail."""

    attempt: NewAttempt
    windows: Sequence[Window]
    """Those that count it."""
    is_counted: bool


@dataclass(frozen=True)
class HttpRequest:
    """A call, ready but for what lets it in."""

    call: Call
    url: str
    headers: Mapping[str, str]
    body: bytes | None


def url_of(base_url: str, path: str) -> str:
    """Return the address of a path.

    Raises:
        Rejected: it is an address of another host: a token must not leave for wherever an answer points.
    """
    base = base_url.rstrip("/")
    if path.startswith(("http://", "https://")):
        if not path.startswith(f"{base}/"):
            raise Rejected(Problem("internal", "the vendor pointed to another host; not followed"))
        return path
    return f"{base}/{path.lstrip('/')}"


def request_excerpt(call: Call, secrets: Collection[str]) -> str:
    """Return what the sync log keeps of a request."""
    query = "&".join(f"{name}={value}" for name, value in call.params.items())
    line = f"{call.method} {call.path}{'?' + query if query else ''}"
    body = call.content if call.json is None else call.json
    excerpt = None if call.is_confidential else excerpt_of(body, secrets)
    return clean(line, secrets) + (f"\n{excerpt}" if excerpt else "")


def trace_id() -> str | None:
    """Return the id of the trace under way."""
    context = trace.get_current_span().get_span_context()
    return format(context.trace_id, "032x") if context.is_valid else None
