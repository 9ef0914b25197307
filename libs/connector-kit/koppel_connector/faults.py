"""Named points between two durable writes, where a test may end the process or make it stumble.

``arm("after_attempt_commit:exit")`` ends the process there at once, as kill -9 would; ``:raise`` raises; a number after a
second colon lets that many passes go by first. Only the workers of the conformance suite arm one (``KOPPEL_FAULT``, read by
them); elsewhere a point costs one comparison.
"""

import os
from typing import Final

POINTS: Final = (
    "after_claim_commit",
    "after_attempt_commit",
    "after_vendor_answer",
    "before_outcome_commit",
    "after_outcome_commit",
    "after_notice_commit",
    "before_notice_commit",
    "after_token_answer",
    "after_token_commit",
)
_armed: dict[str, tuple[str, int]] = {}


class FaultInjectedError(Exception):
    """Raised at an armed point."""


def arm(specification: str) -> None:
    """Arm one point: ``name:exit|raise[:passes]``."""
    name, action, *passes = specification.split(":")
    if name not in POINTS or action not in ("exit", "raise"):
        raise ValueError(f"no such fault: {specification!r}")
    _armed[name] = (action, int(passes[0]) if passes else 0)


def point(name: str) -> None:
    """Pass a named point."""
    if _armed and name in _armed:
        _strike(name)


def _strike(name: str) -> None:
    action, passes = _armed[name]
    if passes > 0:
        _armed[name] = (action, passes - 1)
        return
    if action == "exit":
        os._exit(137)
    del _armed[name]
    raise FaultInjectedError(name)
