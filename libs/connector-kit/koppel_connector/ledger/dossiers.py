"""The dossiers that a login reaches, each with the right that is missing there: only the dossier shows it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final

from koppel_connector.contract.errors import ActionRequired, RateLimited, Rejected, RetryLater
from koppel_connector.contract.problems import Problem
from koppel_connector.contract.results import RemoteDossier

DOSSIERS_PROBED_MAX: Final = 25
"""A login of an office may reach hundreds, and each costs calls; the rights of further ones show when one is chosen."""


async def probed(
    dossiers: Sequence[RemoteDossier], missing_in: Callable[[RemoteDossier], Awaitable[str | None]]
) -> list[RemoteDossier]:
    """Return the dossiers; the first that can be reached with the right that ``missing_in`` names, or that its refusal names."""
    return [
        await _probed(dossier, missing_in) if dossier.reachable and index < DOSSIERS_PROBED_MAX else dossier
        for index, dossier in enumerate(dossiers)
    ]


async def _probed(
    dossier: RemoteDossier, missing_in: Callable[[RemoteDossier], Awaitable[str | None]]
) -> RemoteDossier:
    try:
        missing = await missing_in(dossier)
    except (ActionRequired, Rejected) as failure:
        missing = str(failure.problem or Problem("missing_right"))
    except (RateLimited, RetryLater):
        # It is busy; the person can choose it all the same.
        return dossier
    return replace(dossier, reachable=missing is None, missing_right=missing)
