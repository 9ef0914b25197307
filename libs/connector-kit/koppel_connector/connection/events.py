"""What can happen to a connection: the events of ``state_machine``."""

from dataclasses import dataclass

from koppel_connector.contract.problems import Problem


@dataclass(frozen=True)
class ConsentGiven:
    """A person gave a new consent, and its grant is stored."""


@dataclass(frozen=True)
class SettingsChanged:
    """A person changed the settings; ``renews_login`` where they hold what the vendor had refused, a password."""

    renews_login: bool


@dataclass(frozen=True)
class VendorAnswered:
    """The vendor let us in and did what was asked: a document accepted, an import, a check that passed."""


@dataclass(frozen=True)
class UserNamed:
    """The vendor told through whom we are connected (R086). It says nothing of what an import found meanwhile."""

    user: str


@dataclass(frozen=True)
class LoginRefused:
    """The vendor no longer accepts our grant or password."""

    problem: Problem | None = None


@dataclass(frozen=True)
class ProblemFound:
    """The whole connection has a problem that a person must solve: a right, a registration, a year."""

    problem: Problem


@dataclass(frozen=True)
class Removed:
    """A person removed the connection."""


ConnectionEvent = ConsentGiven | SettingsChanged | VendorAnswered | UserNamed | LoginRefused | ProblemFound | Removed
