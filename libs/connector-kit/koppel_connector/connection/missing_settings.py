"""Settings that a person must fill in before the vendor is asked."""

from typing import Any

from koppel_connector.contract import Purpose
from koppel_connector.contract.problems import Problem
from koppel_connector.kit import Kit


def missing_settings(kit: Kit, settings: Any, purpose: Purpose) -> list[str]:
    """Return the names of what is missing for a purpose, being let in included, each once."""
    missing = kit.connector.missing_settings
    return list(dict.fromkeys([*missing(settings, "login"), *missing(settings, purpose)]))


def problem_of_missing(kit: Kit, settings: Any, purpose: Purpose) -> Problem | None:
    """Return the problem that names what is missing for a purpose; None when nothing is."""
    missing = missing_settings(kit, settings, purpose)
    return Problem("settings_missing", missing=", ".join(missing)) if missing else None
