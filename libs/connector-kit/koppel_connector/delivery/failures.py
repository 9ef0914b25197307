"""What an exchange that failed is for its delivery: one event of the machine for each error (``contract.errors``)."""

import structlog

from koppel_connector.calls.rate_limits import ends_in
from koppel_connector.calls.vendor import OpenVendor
from koppel_connector.connection.breaker import Outage
from koppel_connector.contract.errors import (
    ActionRequired,
    ConnectorError,
    OutcomeUnknown,
    RateLimited,
    ReauthorisationRequired,
    Rejected,
    RetryLater,
    RetryNow,
)
from koppel_connector.contract.problems import Problem
from koppel_connector.infrastructure_errors import INFRASTRUCTURE_PAUSE_S
from koppel_mesh.http.internal_client import InternalCallError

from . import events
from .events import Event
from .store import DeliveryRow

log = structlog.get_logger(__name__)


def after_failure(vendor: OpenVendor, row: DeliveryRow, failure: ConnectorError) -> Event:
    """Return what a send that failed is for its delivery."""
    # A step that took effect and was not saved makes every "try again" a possible double: look first.
    if vendor.unsaved_effect and not isinstance(failure, Rejected):
        return doubtful(vendor, row, failure.problem)
    return event_of(failure, row, vendor)


def held_back(vendor: OpenVendor, row: DeliveryRow, error: Exception) -> Event:
    """Return what infrastructure that is away is for a delivery: it waits, and no try is spent."""
    log.warning("infrastructure unavailable, delivery deferred", delivery=str(row.id), error=repr(error))
    problem = Problem("document_unavailable", str(error)[:300]) if isinstance(error, InternalCallError) else None
    if vendor.unsaved_effect:
        return doubtful(vendor, row, problem)
    return events.Deferred(ends_in(row.now(), INFRASTRUCTURE_PAUSE_S), problem)


def doubtful(vendor: OpenVendor, row: DeliveryRow, problem: Problem | None) -> Event:
    """The vendor may have acted: the delivery is looked up before anything is sent again."""
    return events.Ambiguous(vendor.acted_at or row.now(), problem)


def event_of(failure: ConnectorError, row: DeliveryRow, vendor: OpenVendor) -> Event:
    """Return the event of an error.

    Raises:
        TypeError: it is none of the seven that a connector may raise.
    """
    match failure:
        case RetryNow(problem=problem):
            return events.RetryScheduled(None, problem)
        case RetryLater(retry_after_s=retry_after_s, problem=problem):
            return events.RetryScheduled(retry_after_s, problem)
        case RateLimited(until=until, problem=problem):
            return events.Deferred(until or row.now(), problem)
        case ActionRequired(problem=problem) | ReauthorisationRequired(problem=problem):
            return events.ActionNeeded(problem or Problem("internal"))
        case Rejected(problem=problem):
            return events.Refused(problem or Problem("rejected_by_vendor"))
        case OutcomeUnknown(problem=problem):
            return doubtful(vendor, row, problem)
    raise TypeError(f"{type(failure).__name__} is not one of the seven connector errors")


def while_away(vendor: OpenVendor, event: Event) -> Event:
    """Return what a "try later" means while the vendor is away: the delivery waits for it and spends no try on that."""
    if isinstance(event, events.RetryScheduled) and isinstance(vendor.observed, Outage):
        return events.VendorUnavailable(event.problem, vendor.has_opened_breaker)
    return event
