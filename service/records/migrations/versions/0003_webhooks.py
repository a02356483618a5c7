"""Webhooks: who is told of what, who tells us, and the infusions that are planned."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "endpoints",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("full", sa.Boolean(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("older_secret", sa.Text(), nullable=True),
        sa.Column("older_until", sa.String(length=27), nullable=True),
        sa.Column("read_to", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.Column("failing_since", sa.String(length=27), nullable=True),
        sa.Column("held_until", sa.String(length=27), nullable=True),
        sa.Column("paused_at", sa.String(length=27), nullable=True),
        sa.Column("paused_because", sa.String(length=40), nullable=True),
        sa.Column("removed_at", sa.String(length=27), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("endpoints_by_site", "endpoints", ["site"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column("endpoint", sa.String(length=36), nullable=False),
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("message", sa.String(length=36), nullable=False),
        sa.Column("thread", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.String(length=27), nullable=True),
        sa.Column("due_at", sa.String(length=27), nullable=False),
        sa.Column("leased_until", sa.String(length=27), nullable=True),
        sa.Column("last_answer", sa.String(length=40), nullable=True),
        sa.Column("settled_at", sa.String(length=27), nullable=True),
        sa.CheckConstraint("state IN ('due', 'delivered', 'dead', 'erased')", name="delivery_state"),
        sa.ForeignKeyConstraint(
            ["endpoint"],
            ["endpoints.id"],
        ),
        sa.PrimaryKeyConstraint("endpoint", "sequence", "type"),
    )
    op.create_index("deliveries_by_message", "deliveries", ["message"], unique=False)
    op.create_index("deliveries_by_thread", "deliveries", ["endpoint", "thread", "sequence"], unique=False)
    op.create_index("deliveries_due", "deliveries", ["endpoint", "state", "due_at"], unique=False)
    op.create_table(
        "senders",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("older_secret", sa.Text(), nullable=True),
        sa.Column("older_until", sa.String(length=27), nullable=True),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.Column("revoked_at", sa.String(length=27), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("senders_by_name", "senders", ["site", "name"], unique=True)
    op.create_table(
        "messages",
        sa.Column("sender", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("body", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("patient", sa.Text(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sender"],
            ["senders.id"],
        ),
        sa.PrimaryKeyConstraint("sender", "id"),
    )
    op.create_index("messages_by_patient", "messages", ["site", "patient"], unique=False)
    op.create_table(
        "infusions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("sender", sa.String(length=36), nullable=True),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("patient", sa.Text(), nullable=False),
        sa.Column("drug", sa.String(length=200), nullable=False),
        sa.Column("infusion_at", sa.String(length=40), nullable=False),
        sa.Column("infusion_utc", sa.String(length=27), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("told_at", sa.String(length=27), nullable=False),
        sa.CheckConstraint("state IN ('planned', 'cancelled')", name="infusion_state"),
        sa.ForeignKeyConstraint(
            ["sender"],
            ["senders.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("infusions_by_patient", "infusions", ["site", "patient"], unique=False)
    op.create_index("infusions_by_reference", "infusions", ["site", "sender", "reference"], unique=True)
    op.create_index("infusions_by_time", "infusions", ["site", "infusion_utc"], unique=False)
