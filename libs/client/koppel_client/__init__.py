"""Koppel's client: every call of every service, typed, generated from the OpenAPI document."""

from .koppel import Koppel, KoppelError, NoAnswerError, RefusedError

__all__ = ["Koppel", "KoppelError", "NoAnswerError", "RefusedError"]
