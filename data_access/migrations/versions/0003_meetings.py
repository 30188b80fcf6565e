"""Meetings with what they showed, what was agreed in them, and what was delivered of them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Makes the tables, with no meeting held."""
    op.create_table(
        "meetings",
        sa.Column("meeting_id", sa.String(16), primary_key=True),
        sa.Column("branch_id", sa.Text, nullable=False),
        sa.Column("week", sa.Date, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("slide", sa.Integer, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("data_until", sa.Date),
        sa.Column("started_at", sa.Text),
        sa.Column("ended_at", sa.Text),
        sa.Column("started_by", sa.Text, nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.UniqueConstraint("branch_id", "week", name="meetings_of_a_week"),
    )
    op.create_table(
        "meeting_items",
        sa.Column("item_id", sa.String(16), primary_key=True),
        sa.Column("meeting_id", sa.String(16), nullable=False, index=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("view", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("remark", sa.Text, nullable=False),
        sa.Column("kept", sa.Boolean, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
    )
    op.create_table(
        "meeting_answers",
        sa.Column("meeting_id", sa.String(16), primary_key=True),
        sa.Column("question_sha256", sa.String(64), primary_key=True),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "actions",
        sa.Column("action_id", sa.String(16), primary_key=True),
        sa.Column("branch_id", sa.Text, nullable=False, index=True),
        sa.Column("meeting_id", sa.String(16), nullable=False),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("what", "who_kind", "who", "who_name", "measure", "filters")
        ),
        sa.Column("due_on", sa.Date, nullable=False),
        *(sa.Column(name, sa.Double) for name in ("baseline", "baseline_of", "aim")),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("agreed_on", sa.Date, nullable=False),
        sa.Column("ended_on", sa.Date),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
    )
    op.create_table(
        "action_changes",
        sa.Column("action_id", sa.String(16), primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("changed", sa.Text, nullable=False),
    )
    op.create_table(
        "deliveries",
        sa.Column("key_sha256", sa.String(64), primary_key=True),
        sa.Column("delivery_key", sa.Text, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("claim", sa.String(32), nullable=False),
        sa.Column("claimed_until", sa.Text, nullable=False),
        sa.Column("sent_at", sa.Text),
    )


def downgrade() -> None:
    """There is no way back: it would lose what was agreed."""
    raise NotImplementedError("What was agreed in meetings is not removed.")
