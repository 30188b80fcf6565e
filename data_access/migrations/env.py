"""What Alembic runs to apply the steps: on the connection, and in the transaction, of `data_access.own_database`."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], version_table="dashboard_version")
context.run_migrations()
