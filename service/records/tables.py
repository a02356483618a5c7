"""The tables. What is known of a patient is in `contents` and `remarks` alone, and can be erased there.

What was done about a checklist (overrides, attestations, outcomes) is read from the journal itself, so that
there is no second account of it to alter. migrations/versions/ makes these tables, and a test compares both.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

metadata = MetaData()


class Moment(TypeDecorator[datetime]):
    """A point in time as UTC text of one width, so that its order as text is its order in time."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> str | None:
        return None if value is None else moment_text(value)

    def process_result_value(self, value: Any, dialect: Any) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


def moment_text(moment: datetime) -> str:
    """The time as `2026-10-06T18:00:00.000000Z`. Raises ValueError for one without an offset."""
    if moment.tzinfo is None:
        raise ValueError("a time without an offset")
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


_ID, _NAME, _DIGEST, _SITE = String(36), String(200), String(71), String(64)

# ---------------------------------------------------------------- the journal

# The last entry of each site's chain, signed, and locked while an entry is added: that keeps a chain whole.
chains = Table(
    "chains",
    metadata,
    Column("site", _SITE, primary_key=True),
    Column("sequence", Integer, nullable=False),
    Column("at", Moment, nullable=False),
    Column("digest", _DIGEST, nullable=False),
    Column("key", String(64), nullable=False),
    Column("signature", String(128), nullable=False),
)

journal = Table(
    "journal",
    metadata,
    Column("site", _SITE, primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("event", String(40), nullable=False),
    Column("actor", _NAME, nullable=False),
    Column("role", String(20), nullable=False),
    Column("subject", _NAME, nullable=False),
    Column("request", String(64), nullable=False),
    Column("details", JSON, nullable=False),
    Column("commitments", JSON, nullable=False),
    Column("previous", _DIGEST, nullable=False),
    Column("digest", _DIGEST, nullable=False),
    Index("journal_by_subject", "site", "subject", "sequence"),
    Index("journal_by_event", "site", "event", "sequence"),
    Index("journal_by_actor", "site", "actor", "sequence"),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("site", _SITE, primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("digest", _DIGEST, nullable=False),
    Column("key", String(64), nullable=False),
    Column("signature", String(128), nullable=False),
)

# ---------------------------------------------------------------- what checklists rest on

# The files of a pack by their digest: one row serves every checklist that was made with them.
knowledge = Table(
    "knowledge",
    metadata,
    Column("digest", _DIGEST, primary_key=True),
    Column("files", Text, nullable=False),
)

policies = Table(
    "policies",
    metadata,
    Column("digest", _DIGEST, primary_key=True),
    Column("text", Text, nullable=False),
)

# ---------------------------------------------------------------- checklists

checklists = Table(
    "checklists",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("site", _SITE, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("drug", _NAME, nullable=False),
    Column("status", String(5), nullable=False),
    Column("actor", _NAME, nullable=False),
    Column("pack", _DIGEST, nullable=False),
    Column("knowledge", ForeignKey(knowledge.c.digest), nullable=False),
    Column("policy", ForeignKey(policies.c.digest), nullable=False),
    Column("supersedes", ForeignKey("checklists.id"), unique=True),
    Index("checklists_by_time", "site", "created_at", "id"),
    Index("checklists_by_drug", "site", "drug", "created_at", "id"),
    Index("checklists_by_actor", "site", "actor", "created_at", "id"),
)

# Request, result and trace are bytes, as received and as answered: a replay compares bytes. `infusion_utc` is
# `infusion_at` once more, in the one form that can be searched.
contents = Table(
    "contents",
    metadata,
    Column("checklist", ForeignKey(checklists.c.id), primary_key=True),
    Column("site", _SITE, nullable=False),
    Column("patient", Text, nullable=False),
    Column("infusion_at", String(40), nullable=False),
    Column("infusion_utc", Moment, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("result", LargeBinary, nullable=False),
    Column("trace", LargeBinary, nullable=False),
    Index("contents_by_patient", "site", "patient"),
    Index("contents_by_infusion", "site", "infusion_utc"),
)

# Words of people about a patient: comments, the facts of a second person, what was searched for. The journal
# entry that commits to one names it under `remark`.
remarks = Table(
    "remarks",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("site", _SITE, nullable=False),
    Column("patient", Text),
    Column("salt", LargeBinary, nullable=False),
    Column("parts", JSON, nullable=False),
    Index("remarks_by_patient", "site", "patient"),
)

# The rules of each checklist that fired or could not be decided, to find checklists by them and to count.
flagged = Table(
    "flagged",
    metadata,
    Column("checklist", ForeignKey(checklists.c.id), primary_key=True),
    Column("rule", _NAME, primary_key=True),
    Column("check", String(64), nullable=False),
    Column("verdict", String(10), nullable=False),
    Column("status", String(5), nullable=False),
    CheckConstraint("verdict IN ('holds', 'undecided')", name="flagged_verdict"),
    Index("flagged_by_rule", "rule", "verdict"),
    Index("flagged_by_check", "check", "checklist"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("site", _SITE, primary_key=True),
    Column("actor", _NAME, primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("body", String(64), nullable=False),
    Column("checklist", ForeignKey(checklists.c.id), nullable=False),
)

# ---------------------------------------------------------------- people and machines

accounts = Table(
    "accounts",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("site", _SITE, nullable=False),
    Column("name", String(64), nullable=False),
    Column("full_name", _NAME, nullable=False),
    Column("role", String(20), nullable=False),
    Column("password", Text),
    Column("pin", Text),
    Column("password_expired", Boolean, nullable=False),
    Column("issuer", Text),
    Column("external", Text),
    Column("created_at", Moment, nullable=False),
    Column("disabled_at", Moment),
    Index("accounts_by_name", "site", "name", unique=True),
    Index("accounts_by_external", "site", "issuer", "external", unique=True),
)

# A session is known by the digest of its cookie. It locks when it is idle, and ends when it is too old.
sessions = Table(
    "sessions",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("site", _SITE, nullable=False),
    Column("account", ForeignKey(accounts.c.id), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("locked", Boolean, nullable=False),
    Column("wrong_pins", Integer, nullable=False),
    Column("form_key", String(64), nullable=False),
    Index("sessions_by_account", "account"),
)

# Failed sign-ins, counted in buckets: a bucket is a digest of what it counts, never a name or an address.
failures = Table(
    "failures",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("site", _SITE, nullable=False),
    Column("bucket", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Index("failures_by_bucket", "site", "bucket", "at"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("site", _SITE, nullable=False),
    Column("prefix", String(16), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("name", _NAME, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
    Column("revoked_at", Moment),
    Index("api_keys_by_prefix", "site", "prefix", unique=True),
)

# What a nurse has entered and not yet asked about: it outlives a lock, a reload and a change of nurse.
drafts = Table(
    "drafts",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("site", _SITE, nullable=False),
    Column("patient", Text),
    Column("updated_at", Moment, nullable=False),
    Column("actor", _NAME, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("drafts_by_patient", "site", "patient"),
)

# ---------------------------------------------------------------- EHRs: CDS Hooks

# EHRs whose signed calls are believed. Keys come from `jwks_url`, or are kept here as `jwks`.
ehr_clients = Table(
    "ehr_clients",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("site", _SITE, nullable=False),
    Column("name", String(64), nullable=False),
    Column("issuer", Text, nullable=False),
    Column("jwks_url", Text),
    Column("jwks", JSON),
    Column("tenants", JSON, nullable=False),
    Column("fhir_servers", JSON, nullable=False),
    Column("origins", JSON, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    Index("ehr_clients_by_name", "site", "name", unique=True),
)

# Digests of the tokens of EHRs that were used, for as long as they would be good: none is good twice.
used_tokens = Table(
    "used_tokens",
    metadata,
    Column("site", _SITE, primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("expires_at", Moment, nullable=False),
    Index("used_tokens_by_expiry", "site", "expires_at"),
)

# The cards that an EHR was given: which findings of which checklist each was about. `findings` are pairs of
# check and rule, `suggestions` the ids of what it offered.
cards = Table(
    "cards",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("site", _SITE, nullable=False),
    Column("checklist", ForeignKey(checklists.c.id), nullable=False),
    Column("client", _NAME, nullable=False),
    Column("findings", JSON, nullable=False),
    Column("suggestions", JSON, nullable=False),
    Index("cards_by_checklist", "checklist"),
)

# What was told of a card is entered once, however often it is told. `entry` is its place in the journal.
card_feedback = Table(
    "card_feedback",
    metadata,
    Column("card", ForeignKey(cards.c.id), primary_key=True),
    Column("outcome", String(10), primary_key=True),
    Column("at", Moment, primary_key=True),
    Column("entry", Integer, nullable=False),
)

# ---------------------------------------------------------------- webhooks

# Who is told of events. `read_to` is the last entry of the journal that was looked at for this endpoint: the
# journal is the outbox. The older secret is good until `older_until`. Nothing is sent before `held_until`,
# where the endpoint asked for that.
endpoints = Table(
    "endpoints",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("site", _SITE, nullable=False),
    Column("url", Text, nullable=False),
    Column("events", JSON, nullable=False),
    Column("full", Boolean, nullable=False),
    Column("secret", Text, nullable=False),
    Column("older_secret", Text),
    Column("older_until", Moment),
    Column("read_to", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("failing_since", Moment),
    Column("held_until", Moment),
    Column("paused_at", Moment),
    Column("paused_because", String(40)),
    Column("removed_at", Moment),
    Index("endpoints_by_site", "site"),
)

# One event for one endpoint. Deliveries of one thread (the checklists of one patient and drug) go out in
# order. `message` is the same for each attempt. `leased_until` is set while a worker sends it.
deliveries = Table(
    "deliveries",
    metadata,
    Column("endpoint", ForeignKey(endpoints.c.id), primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("type", String(40), primary_key=True),
    Column("site", _SITE, nullable=False),
    Column("message", _ID, nullable=False),
    Column("thread", _NAME, nullable=False),
    Column("state", String(10), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("first_at", Moment),
    Column("due_at", Moment, nullable=False),
    Column("leased_until", Moment),
    Column("last_answer", String(40)),
    Column("settled_at", Moment),
    CheckConstraint("state IN ('due', 'delivered', 'dead', 'erased')", name="delivery_state"),
    Index("deliveries_due", "endpoint", "state", "due_at"),
    Index("deliveries_by_thread", "endpoint", "thread", "sequence"),
    Index("deliveries_by_message", "message"),
)

# Who may tell us of infusions: their webhooks are signed with this secret.
senders = Table(
    "senders",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("site", _SITE, nullable=False),
    Column("name", String(64), nullable=False),
    Column("secret", Text, nullable=False),
    Column("older_secret", Text),
    Column("older_until", Moment),
    Column("created_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    Index("senders_by_name", "site", "name", unique=True),
)

# Messages that were taken, by the sender's own id: the same one again is given the same `answer`, which holds
# nothing of the patient. `body` is the digest of what was sent.
messages = Table(
    "messages",
    metadata,
    Column("sender", ForeignKey(senders.c.id), primary_key=True),
    Column("id", String(255), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("body", String(64), nullable=False),
    Column("site", _SITE, nullable=False),
    Column("patient", Text, nullable=False),
    Column("answer", JSON, nullable=False),
    Index("messages_by_patient", "site", "patient"),
)

# Infusions that are planned, by the reference of whoever planned them. `told_at` is the time of the newest
# message about it: an older one that comes later changes nothing.
infusions = Table(
    "infusions",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("site", _SITE, nullable=False),
    Column("sender", ForeignKey(senders.c.id)),
    Column("reference", _NAME, nullable=False),
    Column("patient", Text, nullable=False),
    Column("drug", _NAME, nullable=False),
    Column("infusion_at", String(40), nullable=False),
    Column("infusion_utc", Moment, nullable=False),
    Column("state", String(10), nullable=False),
    Column("told_at", Moment, nullable=False),
    CheckConstraint("state IN ('planned', 'cancelled')", name="infusion_state"),
    Index("infusions_by_reference", "site", "sender", "reference", unique=True),
    Index("infusions_by_time", "site", "infusion_utc"),
    Index("infusions_by_patient", "site", "patient"),
)

# ---------------------------------------------------------------- operations

# One row: the oldest revision whose service may go on with these tables while it is replaced.
compatibility = Table(
    "compatibility",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("oldest", String(32), nullable=False),
    CheckConstraint("id = 1", name="one_compatibility"),
)

# Each process that delivers webhooks says every so often that it is there.
couriers = Table(
    "couriers",
    metadata,
    Column("site", _SITE, primary_key=True),
    Column("process", String(64), primary_key=True),
    Column("seen_at", Moment, nullable=False),
)

# How often somebody has asked of late, by the digest of who and what; not journaled, and lost without harm.
rates = Table(
    "rates",
    metadata,
    Column("bucket", String(64), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("ends_at", Moment, nullable=False),
)
