"""How an exchange with a vendor may end, named by what happens next.

A connector raises (or ``classify`` returns) one of these and nothing else; the machine turns it into a move of the
delivery. Anything else that is raised is a bug of ours: before bytes left it is tried again later, afterwards it is an
unknown outcome.

    ConnectorError
    ├── RetryNow                 a definite "no" that another try may turn into a yes: prepared and sent again at once
    ├── RetryLater               a definite "not now": tried again by schedule, one attempt spent
    ├── RateLimited              no budget: goes back with a later due time, no attempt spent
    ├── ActionRequired           waits for a person, no attempt spent
    ├── ReauthorisationRequired  the grant is gone: the connection and all its deliveries wait for a new consent
    │   └── SessionOver          only the session is: it is renewed and the call made again
    │       └── DossierSessionOver   only that of the dossier is: the login or the consent beneath it is not renewed
    ├── Rejected                 a definite "no": failed
    └── OutcomeUnknown           the vendor may have acted: looked up before anything is sent again
"""

from datetime import datetime
from typing import ClassVar, Literal

from .problems import Problem, ProblemCatalogue


class ConnectorError(Exception):
    """Base of the seven endings; ``problem`` is what a person is told."""

    counts_as_error: bool = False
    """Whether the vendor takes the call for an error of ours, which the error budget of its endpoint counts (``ErrorBudget``)."""

    is_answer: ClassVar[bool] = True
    """Whether a vendor that answers so is well. One that is not well is left alone for a while (``connection/breaker.py``)."""

    def __init__(self, problem: Problem | None = None) -> None:
        super().__init__(str(problem) if problem else type(self).__name__)
        self.problem = problem


class RetryNow(ConnectorError):
    """The vendor refused without effect, and what it refused can be made anew at once: a number that was taken meanwhile.

    The kit prepares and sends again, a few times; then it counts as ``RetryLater``.
    """


class RetryLater(ConnectorError):
    """The vendor did not act and may do so later."""

    is_answer = False

    def __init__(self, retry_after_s: float | None = None, problem: Problem | None = None) -> None:
        super().__init__(problem)
        self.retry_after_s = retry_after_s


class RateLimited(ConnectorError):
    """The vendor (or our own count of its budget) asks us to wait until ``until``; the kit finds the time when None.

    Args:
        until: when calls may leave again.
        problem: what a person is told, where the wait is long.
        holds: who waits: the whole connection, or only the operation that was to leave; the connection's others go on then.
    """

    def __init__(
        self,
        until: datetime | None = None,
        problem: Problem | None = None,
        *,
        holds: Literal["connection", "operation"] = "connection",
    ) -> None:
        super().__init__(problem)
        self.until = until
        self.holds = holds


class ActionRequired(ConnectorError):
    """A person must change something first: a setting, a right, a period."""

    counts_as_error = True

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)


class ReauthorisationRequired(ConnectorError):
    """The vendor no longer accepts our grant; only a new consent repairs it."""

    counts_as_error = True

    def __init__(self, problem: Problem | None = None) -> None:
        super().__init__(problem or Problem("reauthorise"))


class SessionOver(ReauthorisationRequired):
    """The session or the access token that let the call in is over: a definite no, and another one may let it in.

    The kit renews it and makes the call again; only where that does not help is it what its base says.
    """


class DossierSessionOver(SessionOver):
    """The session of the dossier is over, and nothing beneath it: a new one is opened once, with the login or consent as it is.

    Where that does not help, the connector is told, and knows what it means: this resource takes no such session, say.
    """


class Rejected(ConnectorError):
    """The vendor refused this document for good; sending the same again cannot help."""

    counts_as_error = True

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)


def refusal(problem: Problem, catalogue: ProblemCatalogue) -> ActionRequired | Rejected:
    """Return how a refusal ends: it waits for a person, or fails the delivery, as the catalogue says."""
    return ActionRequired(problem) if catalogue.kind_of(problem).blocks else Rejected(problem)


class OutcomeUnknown(ConnectorError):
    """No definite answer to a call that acts. A subclass for what a well vendor says clearly sets ``is_answer``."""

    is_answer = False

    def __init__(self, detail: str = "", problem: Problem | None = None) -> None:
        super().__init__(problem)
        self.detail = detail

    def __str__(self) -> str:
        """Return the reason, for the sync log."""
        return self.detail or super().__str__()
