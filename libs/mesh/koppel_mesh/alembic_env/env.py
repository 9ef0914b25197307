"""Alembic's environment for every service: called by ``koppel_mesh.migrations`` with an open connection."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table_schema=context.config.attributes["schema"])
with context.begin_transaction():
    context.run_migrations()
