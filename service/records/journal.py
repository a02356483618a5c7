"""The journal: what was done, by whom, in one hash chain for each site. Pure: nothing here reads or writes.

An entry holds no patient data. It commits to what is kept apart: HMAC-SHA256 under a salt that is kept with
the data and erased with it, so that the chain still verifies when a patient has been erased, and tells nobody
who it was. The digest of an entry is SHA-256 over its RFC 8785 canonical JSON, the digest before it included.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import rfc8785

from service.records.tables import moment_text

NOTHING_BEFORE = "sha256:" + 64 * "0"
# What the entry of a checklist says of the call that asked for it; it stands nowhere else.
ASKED = ("hook", "hook_instance", "asked_by")


class Event(StrEnum):
    """What can happen. The words are stored: add to them, never rename one."""

    CHECKLIST_MADE = "checklist.made"
    CHECKLIST_VIEWED = "checklist.viewed"
    TRACE_VIEWED = "trace.viewed"
    RECORD_VIEWED = "record.viewed"
    CHECKLISTS_SEARCHED = "checklists.searched"
    CHECKLIST_REPLAYED = "checklist.replayed"
    WARN_ACKNOWLEDGED = "warn.acknowledged"
    BLOCK_OVERRIDDEN = "block.overridden"
    DOUBLE_CHECK_VIEWED = "double_check.viewed"
    DOUBLE_CHECKED = "checklist.double_checked"
    ATTESTED = "checklist.attested"
    OUTCOME_RECORDED = "outcome.recorded"
    DRAFT_KEPT = "draft.kept"
    DRAFT_VIEWED = "draft.viewed"
    DRAFT_DISCARDED = "draft.discarded"
    DRAFTS_SEARCHED = "drafts.searched"
    JOURNAL_VIEWED = "journal.viewed"
    QUALITY_VIEWED = "quality.viewed"
    IMPACT_ASSESSED = "impact.assessed"
    JOURNAL_EXPORTED = "journal.exported"
    CHECKLISTS_EXPORTED = "checklists.exported"
    PATIENT_ERASED = "patient.erased"
    PACK_LOADED = "pack.loaded"
    POLICY_CHANGED = "policy.changed"
    SIGNED_IN = "account.signed_in"
    SIGN_IN_FAILED = "account.sign_in_failed"
    SIGNED_OUT = "account.signed_out"
    SESSION_LOCKED = "session.locked"
    SESSION_UNLOCKED = "session.unlocked"
    UNLOCK_FAILED = "session.unlock_failed"
    SIGNATURE_FAILED = "signature.failed"
    ACCESS_REFUSED = "access.refused"
    ACCOUNT_ADDED = "account.added"
    ACCOUNT_CHANGED = "account.changed"
    KEY_MADE = "key.made"
    KEY_REVOKED = "key.revoked"
    SIGNING_KEY_USED = "signing_key.used"
    EHR_CLIENT_ADDED = "ehr_client.added"
    EHR_CLIENT_REVOKED = "ehr_client.revoked"
    OTHER_PATIENT_REFUSED = "other_patient.refused"
    CARD_ACCEPTED = "card.accepted"
    CARD_OVERRIDDEN = "card.overridden"
    ENDPOINT_ADDED = "endpoint.added"
    ENDPOINT_CHANGED = "endpoint.changed"
    ENDPOINT_PAUSED = "endpoint.paused"
    ENDPOINT_RESUMED = "endpoint.resumed"
    ENDPOINT_REMOVED = "endpoint.removed"
    DELIVERY_FAILED = "delivery.failed"
    DELIVERY_REPEATED = "delivery.repeated"
    SENDER_ADDED = "sender.added"
    SENDER_CHANGED = "sender.changed"
    SENDER_REVOKED = "sender.revoked"
    INFUSION_PLANNED = "infusion.planned"
    INFUSION_CHANGED = "infusion.changed"
    INFUSION_CANCELLED = "infusion.cancelled"
    INFUSIONS_SEARCHED = "infusions.searched"


@dataclass(frozen=True)
class Act:
    """Who does something, when, and in which request.

    `actor` is `user:NAME`, `key:PREFIX`, `ehr:NAME`, `sender:NAME`, `cli:NAME` or `service`; `role` is a
    role, or client, operator or service.
    """

    actor: str
    role: str
    request: str
    at: datetime


@dataclass(frozen=True)
class JournalEntry:
    """One entry. `details` hold texts, whole numbers, true or false, and lists and objects of these only."""

    site: str
    sequence: int
    at: datetime
    event: str
    actor: str
    role: str
    subject: str
    request: str
    details: Mapping[str, Any]
    commitments: Mapping[str, str]
    previous: str
    digest: str

    def document(self) -> dict[str, Any]:
        """The entry as JSON, as it is exported."""
        return {**vars(self), "at": moment_text(self.at)}

    @property
    def computed(self) -> str:
        """The digest that these fields have. Raises ValueError where they cannot be written as JSON."""
        return digest_of(self.document())


def digest_of(document: Mapping[str, Any]) -> str:
    """The digest of an entry's document, whatever digest it carries."""
    hashed = {key: value for key, value in document.items() if key != "digest"}
    return f"sha256:{hashlib.sha256(rfc8785.dumps(hashed)).hexdigest()}"


def link(
    place: tuple[str, int, str],
    act: Act,
    event: Event,
    subject: str,
    *,
    details: Mapping[str, Any],
    commitments: Mapping[str, str],
) -> JournalEntry:
    """The entry at a place: the site's chain, the sequence, and the digest of the entry before."""
    site, sequence, previous = place
    entry = JournalEntry(
        site=site,
        sequence=sequence,
        at=act.at,
        event=event.value,
        actor=act.actor,
        role=act.role,
        subject=subject,
        request=act.request,
        details=details,
        commitments=commitments,
        previous=previous,
        digest="",
    )
    return replace(entry, digest=entry.computed)


def commitment(salt: bytes, part: str, content: bytes) -> str:
    """What the journal holds in place of a content: it tells nothing without the salt."""
    keyed = hmac.new(salt, part.encode() + b"\0" + content, hashlib.sha256)
    return f"hmac-sha256:{keyed.hexdigest()}"


def commitments_of(salt: bytes, parts: Mapping[str, bytes]) -> dict[str, str]:
    """The commitment to each of several parts of one content."""
    return {part: commitment(salt, part, content) for part, content in parts.items()}
