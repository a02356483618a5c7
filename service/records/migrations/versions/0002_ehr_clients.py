"""EHRs: whose calls are believed, the tokens they used, the cards they were given and what came of them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# Rows of these are written once: neither changed nor taken away.
WRITTEN_ONCE = ("cards", "card_feedback")


def upgrade() -> None:
    """Make the tables and what guards them."""
    _tables()
    sqlite = op.get_bind().dialect.name == "sqlite"
    for table in WRITTEN_ONCE:
        if sqlite:
            _refuse_sqlite(table, "UPDATE")
            _refuse_sqlite(table, "DELETE")
        else:
            _refuse_postgresql(table)


def _refuse_sqlite(table: str, action: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table}"
        f" BEGIN SELECT RAISE(ABORT, '{table}: {action} is refused'); END"
    )


def _refuse_postgresql(table: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_refuse BEFORE UPDATE OR DELETE ON {table}"
        " FOR EACH ROW EXECUTE FUNCTION dosegate_refuse()"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION dosegate_refuse()"
    )


def _tables() -> None:
    op.create_table(
        "ehr_clients",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("jwks_url", sa.Text(), nullable=True),
        sa.Column("jwks", sa.JSON(), nullable=True),
        sa.Column("tenants", sa.JSON(), nullable=False),
        sa.Column("fhir_servers", sa.JSON(), nullable=False),
        sa.Column("origins", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.Column("revoked_at", sa.String(length=27), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ehr_clients_by_name", "ehr_clients", ["site", "name"], unique=True)
    op.create_table(
        "used_tokens",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("site", "digest"),
    )
    op.create_index("used_tokens_by_expiry", "used_tokens", ["site", "expires_at"], unique=False)
    op.create_table(
        "cards",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("checklist", sa.String(length=36), nullable=False),
        sa.Column("client", sa.String(length=200), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("suggestions", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["checklist"],
            ["checklists.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("cards_by_checklist", "cards", ["checklist"], unique=False)
    op.create_table(
        "card_feedback",
        sa.Column("card", sa.String(length=36), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("entry", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["card"],
            ["cards.id"],
        ),
        sa.PrimaryKeyConstraint("card", "outcome", "at"),
    )
