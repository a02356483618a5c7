"""A visit as documents: each act with its words, and the whole record."""

import json
from collections.abc import Mapping
from typing import Any

from service.records.journal import Event, JournalEntry
from service.records.reasons import OutcomeReason, Reason
from service.records.record import Visit
from service.records.subjects import Subject
from service.records.tables import moment_text
from service.records.visits import Record

Remarks = Mapping[str, Mapping[str, str]]


def answer_document(entry: JournalEntry, remarks: Remarks) -> dict[str, Any]:
    """An acknowledgement or an override."""
    words = _words(entry, remarks) or {}
    document = {
        **_said(entry, remarks, Reason.coded(entry.details["reason"])),
        "check": entry.details["check"],
        "rule": entry.details["rule"],
    }
    if entry.event == Event.BLOCK_OVERRIDDEN:
        document["order_reference"] = words.get("order_reference")
    return document


def attestation_document(entry: JournalEntry) -> dict[str, Any]:
    """A signature."""
    return {**_act(entry), **{name: entry.details[name] for name in ("meaning", "local_at", "record")}}


def double_check_document(entry: JournalEntry, compared: Any) -> dict[str, Any]:
    """What a second person entered; `compared` is each fact as both gave it, or None where it was erased."""
    details = {name: entry.details[name] for name in ("agrees", "differs")}
    return {**_act(entry), **details, "facts": compared}


def outcome_document(entry: JournalEntry, remarks: Remarks) -> dict[str, Any]:
    """An outcome."""
    reason = entry.details.get("reason")
    said = _said(entry, remarks, OutcomeReason.coded(reason) if reason else None)
    return {**said, **{name: entry.details[name] for name in ("outcome", "open", "double_check")}}


def record_document(record: Record) -> dict[str, Any]:
    """The whole record of a visit."""
    subject, visit, remarks = record.subject, record.visit, record.remarks
    kept = subject.kept
    return {
        "id": subject.id,
        "drug": subject.drug,
        "status": subject.status,
        "made_at": moment_text(subject.made_at),
        "actor": subject.actor,
        "erased": kept is None,
        "patient": None if kept is None else {"id": kept.patient},
        "infusion_at": None if kept is None else kept.infusion_at,
        "open": [finding.document() for finding in visit.open_findings],
        "acknowledgements": _answers(visit, Event.WARN_ACKNOWLEDGED, remarks),
        "overrides": _answers(visit, Event.BLOCK_OVERRIDDEN, remarks),
        "double_check": visit.double_check.value,
        "double_checks": [_double_checked(entry, remarks) for entry in visit.double_checks],
        "attestations": [
            {**attestation_document(entry), "covers_all": visit.is_signed_whole(entry)}
            for entry in visit.attestations
        ],
        "outcome": outcome_document(visit.outcome, remarks) if visit.outcome else None,
        "outcomes": [outcome_document(each, remarks) for each in visit.entries_of(Event.OUTCOME_RECORDED)],
        "supersedes": _correction(subject.supersedes, subject) if subject.supersedes else None,
        "superseded_by": _superseded(record.superseding) if record.superseding else None,
        "earlier": [_earlier(each, remarks) for each in record.earlier],
    }


def _act(entry: JournalEntry) -> dict[str, Any]:
    return {
        "sequence": entry.sequence,
        "at": moment_text(entry.at),
        "actor": entry.actor,
        "name": entry.details["name"],
        "role": entry.role,
    }


def _words(entry: JournalEntry, remarks: Remarks) -> Mapping[str, str] | None:
    """The words that go with an entry; None where they have been erased."""
    return remarks.get(entry.details["remark"]) if "remark" in entry.details else {}


def _said(entry: JournalEntry, remarks: Remarks, reason: Reason | OutcomeReason | None) -> dict[str, Any]:
    words = _words(entry, remarks)
    return {
        **_act(entry),
        "reason": reason.value if reason else None,
        "reason_text": reason.words if reason else None,
        "comment": (words or {}).get("comment"),
        "erased": words is None,
    }


def _double_checked(entry: JournalEntry, remarks: Remarks) -> dict[str, Any]:
    words = _words(entry, remarks)
    return double_check_document(entry, json.loads(words["compared"]) if words else None)


def _answers(visit: Visit, event: Event, remarks: Remarks) -> list[dict[str, Any]]:
    return [answer_document(entry, remarks) for entry in visit.entries_of(event)]


def _correction(id: str, newer: Subject) -> dict[str, Any]:
    """Which checklist `newer` corrects, or is; and why, as its request says."""
    return {"id": id, "reason": None if newer.kept is None else newer.request["supersedes"]["reason"]}


def _superseded(newer: Subject) -> dict[str, Any]:
    return {**_correction(newer.id, newer), "at": moment_text(newer.made_at), "actor": newer.actor}


def _earlier(visit: Visit, remarks: Remarks) -> dict[str, Any]:
    made = visit.entries[0]
    return {
        "id": made.subject,
        "status": made.details["status"],
        "made_at": moment_text(made.at),
        "outcome": outcome_document(visit.outcome, remarks) if visit.outcome else None,
        "overrides": _answers(visit, Event.BLOCK_OVERRIDDEN, remarks),
    }
