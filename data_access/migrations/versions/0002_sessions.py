"""The list of sessions: which sign-ins still hold."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Makes the table, with nobody signed in."""
    op.create_table(
        "sessions",
        sa.Column("session_key", sa.String(64), primary_key=True),
        sa.Column("person", sa.Text, nullable=False, index=True),
        sa.Column("began_at", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.Column("holds_until", sa.BigInteger, nullable=False, index=True),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("ended_by", sa.Text),
    )


def downgrade() -> None:
    """Signs everybody out."""
    op.drop_table("sessions")
