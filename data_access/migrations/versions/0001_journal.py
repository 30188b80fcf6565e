"""The journal, to which can only be added, and its sealed head."""

import hashlib
import hmac

import sqlalchemy as sa
from alembic import context, op

revision = "0001"
down_revision = None

TEXTS = (
    "at", "person", "name", "role", "branch_id", "action", "what", "sql_hash", "filters", "scope", "personal", "purpose",
    "file_name", "file_sha256",
)  # fmt: skip

ONLY_ADDED = "The journal is only added to: an entry is neither changed nor removed."

# REPLACE removes what stands in its way without asking the trigger on DELETE.
SQLITE = tuple(
    f"CREATE TRIGGER {name} BEFORE {event} BEGIN SELECT RAISE(ABORT, '{ONLY_ADDED}'); END"
    for name, event in (
        ("journal_no_update", "UPDATE ON journal"),
        ("journal_no_delete", "DELETE ON journal"),
        (
            "journal_no_replace",
            "INSERT ON journal WHEN EXISTS (SELECT 1 FROM journal WHERE number = NEW.number OR id = NEW.id)",
        ),
        ("journal_head_no_delete", "DELETE ON journal_head"),
        ("journal_head_no_replace", "INSERT ON journal_head WHEN EXISTS (SELECT 1 FROM journal_head)"),
    )
)

POSTGRESQL = (
    f"""CREATE FUNCTION journal_is_only_added_to() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '{ONLY_ADDED}'; END $$""",
    """CREATE TRIGGER journal_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
        FOR EACH STATEMENT EXECUTE FUNCTION journal_is_only_added_to()""",
    """CREATE TRIGGER journal_head_no_delete BEFORE DELETE OR TRUNCATE ON journal_head
        FOR EACH STATEMENT EXECUTE FUNCTION journal_is_only_added_to()""",
)


def upgrade() -> None:
    """Makes both tables, the triggers, and the head of a journal without entries."""
    op.create_table(
        "journal",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in TEXTS),
        sa.Column("rows", sa.BigInteger),
        sa.Column("expires_on", sa.Text),
        sa.Column("previous", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
    )
    op.create_index("journal_by_person", "journal", ["person", "at"])
    head = op.create_table(
        "journal_head",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("seal", sa.Text, nullable=False),
    )
    # A head from the first moment on: a journal without one was emptied, however many entries it had.
    nothing = "0" * 64
    seal = hmac.new(context.config.attributes["new_key"](), f"0 {nothing}".encode(), hashlib.sha256).hexdigest()
    op.bulk_insert(head, [{"number": 0, "hash": nothing, "seal": seal}])
    for statement in SQLITE if op.get_context().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    """There is no way back: it would remove entries."""
    raise NotImplementedError("The journal is only added to.")
