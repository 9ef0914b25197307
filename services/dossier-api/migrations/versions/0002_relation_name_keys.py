"""Write the key of each relation's name anew: names are now compared without legal form and punctuation."""

import re
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ROWS = 1_000
_LEGAL_FORM = re.compile(
    r"\b(n\.?v|s\.?a|b\.?v\.?b\.?a|b\.?v|s\.?r\.?l|s\.?p\.?r\.?l|c\.?v\.?b\.?a|c\.?v|v\.?z\.?w|a\.?s\.?b\.?l|comm\.?v)\b\.?",
    re.IGNORECASE,
)
_NOT_IN_NAMES = re.compile(r"[^\w]+")


def upgrade() -> None:
    """Compare names as ``koppel_bookkeeping`` did when this was written; a migration must not change when the code does."""
    connection = op.get_bind()
    page = sa.text("SELECT id, name FROM relation WHERE id > :after ORDER BY id LIMIT :rows")
    change = sa.text("UPDATE relation SET name_key = :name_key WHERE id = :id AND name_key <> :name_key")
    after = UUID(int=0)
    while rows := connection.execute(page, {"after": after, "rows": _ROWS}).all():
        connection.execute(change, [{"id": row.id, "name_key": _name_key(row.name)} for row in rows])
        after = rows[-1].id


def _name_key(name: str) -> str:
    plain = _NOT_IN_NAMES.sub(" ", _LEGAL_FORM.sub(" ", name)).casefold().strip()
    return plain or _NOT_IN_NAMES.sub(" ", name).casefold().strip()
