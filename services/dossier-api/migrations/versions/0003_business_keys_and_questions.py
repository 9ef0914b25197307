"""Keep what makes two documents one, and the questions that a person has to answer before a document goes."""

import re
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ROWS = 1_000
_SIDES = {
    "sales_invoice": "sale",
    "sales_credit_note": "sale",
    "daily_receipts": "sale",
    "purchase_invoice": "purchase",
    "purchase_credit_note": "purchase",
}
_LEGAL_FORM = re.compile(
    r"\b(n\.?v|s\.?a|b\.?v\.?b\.?a|b\.?v|s\.?r\.?l|s\.?p\.?r\.?l|c\.?v\.?b\.?a|c\.?v|v\.?z\.?w|a\.?s\.?b\.?l|comm\.?v)\b\.?",
    re.IGNORECASE,
)
_NOT_IN_NAMES = re.compile(r"[^\w]+")
_NOT_IN_NUMBERS = re.compile(r"[^0-9A-Za-z+*]")
_NOT_IN_DOCUMENT_NUMBERS = re.compile(r"[\W_]+")
_BELGIAN = re.compile(r"(?:BE)?([01]?)(\d{9})")


def upgrade() -> None:
    """Add the columns, and give the documents that are there their keys, so that a copy of one is recognised."""
    op.add_column(
        "document", sa.Column("business_keys", ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'"))
    )
    op.add_column("document", sa.Column("questions", JSONB, nullable=False, server_default=sa.text("'[]'::jsonb")))
    op.create_index("document_business_keys", "document", ["business_keys"], postgresql_using="gin")
    op.drop_index("document_pending", "document")
    pending = sa.text("state IN ('awaiting_entry', 'held', 'filed')")
    op.create_index("document_pending", "document", ["dossier_id"], postgresql_where=pending)
    op.create_table(
        "counterparty_answer",
        sa.Column("dossier_id", sa.Uuid, sa.ForeignKey("dossier.id"), primary_key=True),
        sa.Column("question", sa.Text, primary_key=True),
        sa.Column("counterparty", sa.Text, primary_key=True),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("answered_by", sa.Text, nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
    )
    _give_keys()


def _give_keys() -> None:
    connection = op.get_bind()
    page = sa.text(
        "SELECT id, kind, number, detail FROM document WHERE id > :after AND state <> 'awaiting_entry'"
        " ORDER BY id LIMIT :rows"
    )
    change = sa.text("UPDATE document SET business_keys = :keys WHERE id = :id")
    after = UUID(int=0)
    while rows := connection.execute(page, {"after": after, "rows": _ROWS}).all():
        if found := [{"id": row.id, "keys": keys} for row in rows if (keys := _keys(row))]:
            connection.execute(change, found)
        after = rows[-1].id


def _keys(row: Any) -> list[str]:
    """Return the keys as ``koppel_bookkeeping`` made them when this was written; a migration must not change with the code."""
    if row.kind in {"bank_statement", "cash_statement"}:
        return [_statement_key(one) for one in row.detail.get("statements", [])]
    number = _NOT_IN_DOCUMENT_NUMBERS.sub("", row.number or "").casefold()
    number = (number.lstrip("0") or number) if number.isdigit() else number
    party = row.detail.get("counterparty")
    if row.kind not in _SIDES or not number or not party:
        return []
    numbers = {_number_key(party.get("enterprise_number")), _number_key(party.get("vat_number"))} - {""}
    known = [f"number {key}" for key in sorted(numbers)]
    if name := _name_key(party.get("name")):
        known.append(f"name {name}")
    return [f"{_SIDES[row.kind]} {number} {key}" for key in known]


def _statement_key(one: dict[str, Any]) -> str:
    return (
        f"statement {one['account']} {one['currency']} {one['number'] or '-'} {one['opened_on']} {_plain(one['opening'])}"
        f" {one['closed_on']} {_plain(one['closing'])}"
    )


def _plain(amount: str) -> str:
    whole, _, cents = amount.partition(".")
    cents = cents.rstrip("0")
    return f"{whole}.{cents}" if cents else whole


def _number_key(number: str | None) -> str:
    bare = _NOT_IN_NUMBERS.sub("", number or "").upper()
    if found := _BELGIAN.fullmatch(bare):
        digits = (found[1] or "0") + found[2]
        if 97 - int(digits[:8]) % 97 == int(digits[8:]):
            return digits
    return bare.removeprefix("BE")


def _name_key(name: str | None) -> str:
    text = name or ""
    plain = _NOT_IN_NAMES.sub(" ", _LEGAL_FORM.sub(" ", text)).casefold().strip()
    return plain or _NOT_IN_NAMES.sub(" ", text).casefold().strip()
