"""The record: journal, checkpoints, checklists with what they rest on, accounts, sessions and keys."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# Rows of these are written once: neither changed nor taken away.
WRITTEN_ONCE = ("journal", "checkpoints", "knowledge", "policies", "checklists", "flagged")
# Rows of these are never changed, but are taken away when a patient is erased.
ERASABLE = ("contents", "remarks")


def upgrade() -> None:
    """Make the tables and what guards them."""
    _tables()
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgresql()


def _guard_sqlite() -> None:
    for table in WRITTEN_ONCE:
        _refuse_sqlite(table, "UPDATE")
        _refuse_sqlite(table, "DELETE")
    for table in ERASABLE:
        _refuse_sqlite(table, "UPDATE")
    _refuse_sqlite("chains", "DELETE")
    op.execute(
        "CREATE TRIGGER chains_grow BEFORE UPDATE ON chains"
        " WHEN NEW.site <> OLD.site OR NEW.sequence <> OLD.sequence + 1"
        " BEGIN SELECT RAISE(ABORT, 'a chain grows by one entry at a time'); END"
    )


def _refuse_sqlite(table: str, action: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table}"
        f" BEGIN SELECT RAISE(ABORT, '{table}: {action} is refused'); END"
    )


def _guard_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION dosegate_refuse() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN RAISE EXCEPTION '%: % is refused', TG_TABLE_NAME, TG_OP; END $$"
    )
    op.execute(
        "CREATE FUNCTION dosegate_grow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF NEW.site <> OLD.site OR NEW.sequence <> OLD.sequence + 1 THEN"
        " RAISE EXCEPTION 'a chain grows by one entry at a time'; END IF; RETURN NEW; END $$"
    )
    for table in WRITTEN_ONCE:
        _refuse_postgresql(table, "UPDATE OR DELETE")
    for table in ERASABLE:
        _refuse_postgresql(table, "UPDATE")
    _refuse_postgresql("chains", "DELETE")
    op.execute(
        "CREATE TRIGGER chains_grow BEFORE UPDATE ON chains FOR EACH ROW EXECUTE FUNCTION dosegate_grow()"
    )


def _refuse_postgresql(table: str, actions: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_refuse BEFORE {actions} ON {table}"
        " FOR EACH ROW EXECUTE FUNCTION dosegate_refuse()"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION dosegate_refuse()"
    )


def _tables() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("full_name", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("pin", sa.Text(), nullable=True),
        sa.Column("password_expired", sa.Boolean(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=True),
        sa.Column("external", sa.Text(), nullable=True),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.Column("disabled_at", sa.String(length=27), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("accounts_by_external", "accounts", ["site", "issuer", "external"], unique=True)
    op.create_index("accounts_by_name", "accounts", ["site", "name"], unique=True)
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.Column("expires_at", sa.String(length=27), nullable=False),
        sa.Column("used_at", sa.String(length=27), nullable=True),
        sa.Column("revoked_at", sa.String(length=27), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_index("api_keys_by_prefix", "api_keys", ["site", "prefix"], unique=True)
    op.create_table(
        "chains",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("site"),
    )
    op.create_table(
        "checkpoints",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("site", "sequence"),
    )
    op.create_table(
        "drafts",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("patient", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.String(length=27), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("drafts_by_patient", "drafts", ["site", "patient"], unique=False)
    op.create_table(
        "failures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("bucket", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("failures_by_bucket", "failures", ["site", "bucket", "at"], unique=False)
    op.create_table(
        "journal",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("request", sa.String(length=64), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("commitments", sa.JSON(), nullable=False),
        sa.Column("previous", sa.String(length=71), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.PrimaryKeyConstraint("site", "sequence"),
    )
    op.create_index("journal_by_actor", "journal", ["site", "actor", "sequence"], unique=False)
    op.create_index("journal_by_event", "journal", ["site", "event", "sequence"], unique=False)
    op.create_index("journal_by_subject", "journal", ["site", "subject", "sequence"], unique=False)
    op.create_table(
        "knowledge",
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("files", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "policies",
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "remarks",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("patient", sa.Text(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("remarks_by_patient", "remarks", ["site", "patient"], unique=False)
    op.create_table(
        "checklists",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.Column("drug", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=5), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("pack", sa.String(length=71), nullable=False),
        sa.Column("knowledge", sa.String(length=71), nullable=False),
        sa.Column("policy", sa.String(length=71), nullable=False),
        sa.Column("supersedes", sa.String(length=36), nullable=True),
        sa.ForeignKeyConstraint(
            ["knowledge"],
            ["knowledge.digest"],
        ),
        sa.ForeignKeyConstraint(
            ["policy"],
            ["policies.digest"],
        ),
        sa.ForeignKeyConstraint(
            ["supersedes"],
            ["checklists.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("supersedes"),
    )
    op.create_index("checklists_by_actor", "checklists", ["site", "actor", "created_at", "id"], unique=False)
    op.create_index("checklists_by_drug", "checklists", ["site", "drug", "created_at", "id"], unique=False)
    op.create_index("checklists_by_time", "checklists", ["site", "created_at", "id"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.Column("seen_at", sa.String(length=27), nullable=False),
        sa.Column("locked", sa.Boolean(), nullable=False),
        sa.Column("wrong_pins", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"],
            ["accounts.id"],
        ),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("sessions_by_account", "sessions", ["account"], unique=False)
    op.create_table(
        "contents",
        sa.Column("checklist", sa.String(length=36), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("patient", sa.Text(), nullable=False),
        sa.Column("infusion_at", sa.String(length=40), nullable=False),
        sa.Column("infusion_utc", sa.String(length=27), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("result", sa.LargeBinary(), nullable=False),
        sa.Column("trace", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["checklist"],
            ["checklists.id"],
        ),
        sa.PrimaryKeyConstraint("checklist"),
    )
    op.create_index("contents_by_infusion", "contents", ["site", "infusion_utc"], unique=False)
    op.create_index("contents_by_patient", "contents", ["site", "patient"], unique=False)
    op.create_table(
        "flagged",
        sa.Column("checklist", sa.String(length=36), nullable=False),
        sa.Column("rule", sa.String(length=200), nullable=False),
        sa.Column("check", sa.String(length=64), nullable=False),
        sa.Column("verdict", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=5), nullable=False),
        sa.CheckConstraint("verdict IN ('holds', 'undecided')", name="flagged_verdict"),
        sa.ForeignKeyConstraint(
            ["checklist"],
            ["checklists.id"],
        ),
        sa.PrimaryKeyConstraint("checklist", "rule"),
    )
    op.create_index("flagged_by_check", "flagged", ["check", "checklist"], unique=False)
    op.create_index("flagged_by_rule", "flagged", ["rule", "verdict"], unique=False)
    op.create_table(
        "idempotency",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("body", sa.String(length=64), nullable=False),
        sa.Column("checklist", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["checklist"],
            ["checklists.id"],
        ),
        sa.PrimaryKeyConstraint("site", "actor", "key"),
    )
