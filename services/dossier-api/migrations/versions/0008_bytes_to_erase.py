"""Mark the bytes of each document that is deleted, and know which documents name some bytes.

Nobody waits for the documents that are there to be read: the eraser does that, in batches, before it erases anything.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# Each finds its tables whoever deletes a document: a person's session has another search_path.
_MARK = """
CREATE FUNCTION mark_content() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO content_to_erase AS held (sha256)
    SELECT DISTINCT decode(file ->> 'sha256', 'hex') FROM jsonb_array_elements(OLD.content) AS file
    ON CONFLICT (sha256) DO UPDATE SET marked_at = clock_timestamp();
    RETURN NULL;
END $$
"""
_NAME = """
CREATE FUNCTION name_content() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM content_named WHERE document_id = OLD.id AND sha256 IN
            (SELECT decode(file ->> 'sha256', 'hex') FROM jsonb_array_elements(OLD.content) AS file);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO content_named (sha256, document_id)
        SELECT DISTINCT decode(file ->> 'sha256', 'hex'), NEW.id FROM jsonb_array_elements(NEW.content) AS file
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    """Make the tables and the triggers."""
    op.create_table(
        "content_to_erase",
        sa.Column("sha256", sa.LargeBinary, primary_key=True),
        sa.Column("marked_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")),
        sa.Column("tried_at", sa.DateTime(timezone=True)),
    )
    op.create_index("content_to_erase_marked", "content_to_erase", ["marked_at"])
    op.create_table(
        "content_named",
        sa.Column("sha256", sa.LargeBinary, primary_key=True),
        sa.Column("document_id", sa.Uuid, primary_key=True),
    )
    op.create_table("content_to_read", sa.Column("after", sa.Uuid, primary_key=True))
    op.execute("INSERT INTO content_to_read VALUES ('00000000-0000-0000-0000-000000000000')")
    op.execute(_MARK)
    op.execute("CREATE TRIGGER document_deleted AFTER DELETE ON document FOR EACH ROW EXECUTE FUNCTION mark_content()")
    op.execute(_NAME)
    op.execute(
        "CREATE TRIGGER document_named AFTER INSERT OR DELETE OR UPDATE OF id, content ON document"
        " FOR EACH ROW EXECUTE FUNCTION name_content()"
    )
