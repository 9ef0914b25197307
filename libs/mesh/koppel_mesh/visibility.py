"""Who may see what (P7): the one condition that every query of a route carries."""

from sqlalchemy import ColumnElement, TableClause, true

from .auth import Caller

VISIBLE = "(CAST(:firm_id AS uuid) IS NULL OR firm_id = :firm_id)"
"""For statements in text, which take the caller's firm as ``firm_id``."""


def visible(table: TableClause, caller: Caller) -> ColumnElement[bool]:
    """Return the condition that leaves the caller's firm; a token bound to none (our own services, admins) sees all."""
    return true() if caller.firm_id is None else table.c.firm_id == caller.firm_id
