"""Dossiers, documents, masters, and what connectors report."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; written out, because a migration must not change when the code does."""
    _dossier()
    _document()
    _relation()
    _ledger_account()
    _connection()
    _delivery()
    _problem()


def _at(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()"))


def _dossier_id() -> sa.Column[object]:
    return sa.Column("dossier_id", sa.Uuid, sa.ForeignKey("dossier.id"), nullable=False)


def _json(name: str, empty: str) -> sa.Column[object]:
    return sa.Column(name, JSONB, nullable=False, server_default=sa.text(f"'{empty}'::jsonb"))


def _dossier() -> None:
    op.create_table(
        "dossier",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("firm_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("enterprise_number", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("email", sa.Text),
        sa.Column("reference", sa.Text),
        sa.Column("export_frequency", sa.Text, nullable=False),
        sa.Column("approval_required", sa.Boolean, nullable=False),
        sa.Column("lock_after_export", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        _at("created_at"),
        _at("updated_at"),
    )
    op.create_index("dossier_firm", "dossier", ["firm_id", "id"])


def _document() -> None:
    op.create_table(
        "document",
        sa.Column("id", sa.Uuid, primary_key=True),
        _dossier_id(),
        sa.Column("firm_id", sa.Uuid, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("locked", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("number", sa.Text),
        sa.Column("issue_date", sa.Date),
        sa.Column("due_date", sa.Date),
        sa.Column("currency", sa.Text),
        sa.Column("total", sa.Numeric),
        sa.Column("reference", sa.Text),
        sa.Column("journal", sa.Text),
        sa.Column("ledger_account", sa.Text),
        _json("line_accounts", "{}"),
        sa.Column("relation", JSONB),
        _json("content", "[]"),
        _json("detail", "{}"),
        _json("findings", "[]"),
        _at("created_at"),
        _at("updated_at"),
        sa.Column("approved_at", sa.DateTime(timezone=True)),
        sa.Column("approved_by", sa.Text),
        sa.Column("exported_at", sa.DateTime(timezone=True)),
        sa.Column("booked_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("dossier_id", "sha256", name="document_same_bytes"),
    )
    op.create_index("document_dossier", "document", ["dossier_id", "id"])
    op.create_index("document_dossier_state", "document", ["dossier_id", "state", "id"])
    op.create_index("document_dossier_day", "document", ["dossier_id", "issue_date", "id"])
    op.create_index("document_firm", "document", ["firm_id", "id"])
    op.create_index("document_firm_state", "document", ["firm_id", "state", "id"])
    op.create_index("document_firm_day", "document", ["firm_id", "issue_date", "id"])
    pending = sa.text("state IN ('awaiting_entry', 'filed')")
    op.create_index("document_pending", "document", ["dossier_id"], postgresql_where=pending)


def _relation() -> None:
    op.create_table(
        "relation",
        sa.Column("id", sa.Uuid, primary_key=True),
        _dossier_id(),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_key", sa.Text, nullable=False),
        sa.Column("enterprise_number", sa.Text),
        sa.Column("vat_number", sa.Text),
        sa.Column("email", sa.Text),
        sa.Column("iban", sa.Text),
        sa.Column("is_customer", sa.Boolean, nullable=False),
        sa.Column("is_supplier", sa.Boolean, nullable=False),
        sa.Column("journal", sa.Text),
        sa.Column("ledger_account", sa.Text),
        sa.Column("remote_id", sa.Text),
        _at("updated_at"),
        sa.UniqueConstraint("dossier_id", "source", "code", name="relation_code"),
    )
    op.create_index("relation_dossier", "relation", ["dossier_id", "id"])
    op.create_index("relation_enterprise_number", "relation", ["dossier_id", "enterprise_number"])
    op.create_index("relation_vat_number", "relation", ["dossier_id", "vat_number"])
    op.create_index("relation_name", "relation", ["dossier_id", "name_key"])


def _ledger_account() -> None:
    op.create_table(
        "ledger_account",
        sa.Column("id", sa.Uuid, primary_key=True),
        _dossier_id(),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("remote_id", sa.Text),
        _at("updated_at"),
        sa.UniqueConstraint("dossier_id", "source", "code", name="ledger_account_code"),
    )
    op.create_index("ledger_account_dossier", "ledger_account", ["dossier_id", "id"])


def _connection() -> None:
    op.create_table(
        "connection",
        sa.Column("id", sa.Uuid, primary_key=True),
        _dossier_id(),
        sa.Column("connector", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("connected_via_user", sa.Text),
        sa.Column("problem", JSONB),
        _at("updated_at"),
    )
    op.create_index("connection_dossier", "connection", ["dossier_id"])


def _delivery() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("document_id", sa.Uuid, sa.ForeignKey("document.id"), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("connector", sa.Text, nullable=False),
        sa.Column("connection_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("entry_number", sa.Text),
        sa.Column("entry_url", sa.Text),
        sa.Column("exported_at", sa.DateTime(timezone=True)),
        sa.Column("booked_at", sa.DateTime(timezone=True)),
        sa.Column("problem", JSONB),
        _at("updated_at"),
    )
    op.create_index("delivery_document", "delivery", ["document_id"])


def _problem() -> None:
    op.create_table(
        "problem",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("firm_id", sa.Uuid, nullable=False),
        _dossier_id(),
        sa.Column("document_id", sa.Uuid, sa.ForeignKey("document.id")),
        sa.Column("connector", sa.Text, nullable=False),
        sa.Column("connection_id", sa.Uuid, nullable=False),
        sa.Column("delivery_id", sa.Uuid),
        sa.Column("subject_id", sa.Uuid, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("message", JSONB, nullable=False),
        sa.Column("who_can_fix", sa.Text, nullable=False),
        sa.Column("detail", sa.Text),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer, nullable=False, server_default="1"),
        sa.Column("resolved_at", sa.DateTime(timezone=True)),
    )
    still_open = sa.text("resolved_at IS NULL")
    columns = {
        "problem_open_firm": ["firm_id", "id"],
        "problem_open_dossier": ["dossier_id", "id"],
        "problem_open_document": ["document_id"],
    }
    op.create_index("problem_open_subject", "problem", ["subject_id", "code"], unique=True, postgresql_where=still_open)
    for name, indexed in columns.items():
        op.create_index(name, "problem", indexed, postgresql_where=still_open)
