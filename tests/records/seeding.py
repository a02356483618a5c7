"""Many checklists at once, as the store keeps them, and what was done about some of them."""

import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert

from service.records.journal import Act, Event
from service.records.stored import Flag, StoredChecklist
from service.records.tables import checklists, contents, flagged, knowledge, policies

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
HBV = Flag("hbv-screening-incomplete", "hepatitis_b", "undecided", "block")
PML = Flag("pml-signs", "pml", "holds", "block")
IGG = Flag("igg-low", "immunoglobulins", "holds", "warn")


def finding(check, flag=None, message="Nothing found."):
    """A finding of a result, as far as it is exported."""
    return {
        "check": check,
        "status": flag.status if flag else "pass",
        "kind": "contraindication" if flag else "ok",
        "rule": flag.rule if flag else None,
        "message": message,
    }


def checklist(number=0, /, flags=(), **changes):
    """A checklist with these flags, made so many minutes after the first one."""
    at = changes.get("created_at", FIRST + timedelta(minutes=number))
    found = [finding(flag.check, flag, f"{flag.rule} {flag.verdict}.") for flag in flags]
    result = {"findings": [*found, finding("age")]}
    fields = {
        "id": str(uuid.UUID(int=number + 1)),
        "created_at": at,
        "patient": f"MRN-{number}",
        "drug": "inebilizumab",
        "status": max((flag.status for flag in flags), default="pass", key=["pass", "warn", "block"].index),
        "infusion_at": (at + timedelta(days=1)).isoformat(),
        "request": b'{"drug":\n"inebilizumab"} ',
        "result": json.dumps(result, sort_keys=True).encode(),
        "trace": b'{"checks":[]}',
        "pack": "sha256:pack",
        "actor": "user:nina",
        "flags": tuple(flags),
    }
    return StoredChecklist(**{**fields, **changes})


def keep_many(records, basis, made):
    """Keep many checklists in one go, without their journal entries."""
    site = {"site": records.site}
    rows = [vars(each) for each in made]
    shells = [
        {**{name: row[name] for name in _SHELL}, **site, "knowledge": basis.knowledge, "policy": basis.policy}
        for row in rows
    ]
    kept = [
        {
            **{name: row[name] for name in ("patient", "infusion_at", "request", "result", "trace")},
            **site,
            "checklist": row["id"],
            "infusion_utc": datetime.fromisoformat(row["infusion_at"]),
            "salt": b"salt",
        }
        for row in rows
    ]
    flags = [{"checklist": row["id"], **vars(flag)} for row in rows for flag in row["flags"]]
    with records.noting() as connection:
        texts = {"digest": basis.knowledge, "files": json.dumps(dict(basis.files))}
        connection.execute(insert(knowledge).values(texts))
        connection.execute(insert(policies).values(digest=basis.policy, text=basis.policy_text))
        connection.execute(insert(checklists), shells)
        connection.execute(insert(contents), kept)
        if flags:
            connection.execute(insert(flagged), flags)


_SHELL = ("id", "created_at", "drug", "status", "pack", "actor", "supersedes")
PRESCRIBER = Act("user:paul", "prescriber", "answering", FIRST)


def answer(writing, made, flag, reason="risk-benefit-ratio", after=timedelta(minutes=7), *, comment=None):
    """Override a block or acknowledge a warn so long after the checklist was made."""
    event = Event.BLOCK_OVERRIDDEN if flag.status == "block" else Event.WARN_ACKNOWLEDGED
    act = replace(PRESCRIBER, at=made.created_at + after)
    details = {"check": flag.check, "rule": flag.rule, "reason": reason}
    if comment is None:
        writing.enter(act, event, made.id, details)
    else:
        words = {"comment": comment}
        writing.remark(act, event, made.id, details=details, parts=words, patient=made.patient)


def outcome(writing, made, word):
    """Record how the visit of a checklist ended."""
    act = replace(PRESCRIBER, at=made.created_at + timedelta(hours=2))
    writing.enter(act, Event.OUTCOME_RECORDED, made.id, {"outcome": word, "reason": "finding-stands"})
