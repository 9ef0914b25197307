"""Octopus, as its sources say it behaves: strict where it is strict, with faults on request."""

from .app import create_app
from .seed import seeded
from .state import State

__all__ = ["State", "create_app", "seeded"]
