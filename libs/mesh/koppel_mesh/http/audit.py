"""The log line ``audit``: who changed what through which call, when, from where, and with which outcome.

It holds neither bodies nor secrets: of the path only the ids, by their names. It is a line and no row, for a row would cost every
document one more transaction; identity, whose acts give and take rights, keeps rows besides.
"""

from typing import Any

import structlog
from starlette.types import Scope

CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
log = structlog.get_logger(__name__)


def source_of(scope: Scope) -> str:
    """Return the address that a request comes from, as ``KOPPEL_TRUSTED_PROXIES`` lets it be known; empty when nobody knows."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def note_change(scope: Scope, service: str, status: int) -> None:
    """Write the line for an answered request, unless it is one that only reads."""
    if scope["method"] not in CHANGING:
        return
    caller: Any = scope["state"].get("caller")
    route: Any = scope.get("route")
    log.info(
        "audit",
        service=service,
        client=getattr(caller, "subject", None),
        firm_id=str(caller.firm_id) if caller and caller.firm_id else None,
        method=scope["method"],
        route=getattr(route, "path", None),
        objects={name: str(value) for name, value in scope.get("path_params", {}).items() if name.endswith("_id")},
        status=status,
        source=source_of(scope),
    )
