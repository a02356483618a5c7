"""The tables. A row is written once and never changed."""

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, MetaData, String, Table, Text

metadata = MetaData()

# The files of a pack by their digest: one row serves every checklist that was made with them.
knowledge = Table(
    "knowledge",
    metadata,
    Column("digest", String(71), primary_key=True),
    Column("files", Text, nullable=False),
)

policies = Table(
    "policies",
    metadata,
    Column("digest", String(71), primary_key=True),
    Column("text", Text, nullable=False),
)

# Request, result and trace are bytes, as received and as answered: a replay compares bytes.
checklists = Table(
    "checklists",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("created_at", String(32), nullable=False),
    Column("patient", Text, nullable=False),
    Column("drug", String(200), nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("result", LargeBinary, nullable=False),
    Column("trace", LargeBinary, nullable=False),
    Column("pack", String(71), nullable=False),
    Column("knowledge", ForeignKey(knowledge.c.digest), nullable=False),
    Column("policy", ForeignKey(policies.c.digest), nullable=False),
    Index("checklists_by_patient", "patient", "created_at"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("key", String(255), primary_key=True),
    Column("body", String(64), nullable=False),
    Column("checklist", ForeignKey(checklists.c.id), nullable=False),
)
