"""A checklist as a document: the result every client reads, and the trace an auditor reads."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from service.checklist.findings import Because, Checklist, Finding
from service.checklist.rules import Citation, Pack
from service.intake.requests import ChecklistRequest
from service.knowledge.library import Library

if TYPE_CHECKING:
    from service.fhir.reads import Line


def plain(value: Any) -> Any:
    """A value as JSON has it: dates in ISO form, decimals as numbers."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def result_document(
    checklist: Checklist,
    request: ChecklistRequest,
    library: Library,
    *,
    id: str,
    evaluated_at: datetime,
    site: str | None = None,
) -> dict[str, Any]:
    """The result of a request (public contract, section 3); one that is recorded names the site."""
    pack = checklist.pack
    asked = {"independent_double_check": double_check_document(pack)} if pack.double_check else {}
    return {
        "id": id,
        **({"site": site} if site else {}),
        "status": checklist.status.word,
        "drug": pack.id,
        "title": pack.title,
        "brands": list(pack.brands),
        "class": pack.drug_class,
        "look_alikes": look_alikes(pack, library),
        "region": request.situation.region,
        "patient": {"id": request.patient},
        "infusion_at": request.situation.infusion_at.isoformat(),
        "evaluated_at": evaluated_at.isoformat(),
        "pack": {"id": pack.id, "version": pack.version, "digest": pack.digest},
        "policy": {"digest": library.policy.digest},
        "findings": [finding_document(finding) for finding in checklist.findings],
        "eligible_from": plain(checklist.eligible_from),
        "needs": list(checklist.needs),
        "observation": _observation(checklist),
        **asked,
    }


def look_alikes(pack: Pack, library: Library) -> list[dict[str, Any]]:
    """The drugs whose names are easily taken for this one, with what tells them apart."""
    others = (library.packs[name] for name in pack.look_alikes if name in library.packs)
    return [{"drug": other.id, "brands": list(other.brands), "class": other.drug_class} for other in others]


def double_check_document(pack: Pack) -> dict[str, Any] | None:
    """What the pack asks a second person to enter, if anything."""
    asked = pack.double_check
    if asked is None:
        return None
    sources = citation_documents(asked.citations)
    return {"facts": list(asked.facts), "because": asked.because, "sources": sources}


def finding_document(finding: Finding) -> dict[str, Any]:
    """One finding."""
    document: dict[str, Any] = {
        "check": finding.check,
        "title": finding.title,
        "status": finding.status.word,
        "kind": finding.kind.value,
        "rule": finding.rule,
        "message": finding.message,
        "action": finding.action or None,
        "missing": list(finding.missing),
        "because": [because_document(because) for because in finding.because],
        "would_pass_when": [list(each) for each in finding.would_pass_when],
        "eligible_from": plain(finding.eligible_from),
        "sources": citation_documents(finding.citations),
        "override": finding.override.value if finding.override else None,
    }
    if finding.unverified:
        document["tags"] = ["unverified"]
    return document


def because_document(because: Because) -> dict[str, Any]:
    """A fact that settled a finding; only what is known of it."""
    parts = {"unit": because.unit, "at": plain(because.at), "source": because.source}
    return {
        "fact": because.fact,
        "value": plain(because.value),
        **{key: each for key, each in parts.items() if each is not None},
    }


def citation_documents(citations: tuple[Citation, ...]) -> list[dict[str, Any]]:
    """The sources of a rule, with section, revision and ledger rows."""
    return [
        {
            "id": citation.source.id,
            "title": citation.source.title,
            "section": citation.at,
            "revised": citation.source.revised,
            "ledger": list(citation.ledger),
        }
        for citation in citations
    ]


def _observation(checklist: Checklist) -> dict[str, Any] | None:
    plan = checklist.observation
    if plan is None:
        return None
    return {
        "minutes_after": plan.minutes_after,
        "text": plan.text,
        "sources": citation_documents(plan.citations),
    }


def trace_document(checklist: Checklist, reading: "Sequence[Line] | None" = None) -> dict[str, Any]:
    """Every rule of every check, fired or not, down to each compared value; and the facts behind them.

    Of a request with a bundle also what was read from which resource, and what was not understood.
    """
    trace = checklist.trace
    read = {} if reading is None else {"reading": [asdict(line) for line in reading]}
    if trace.fault is not None:
        return {"fault": trace.fault, "checks": [], "facts": [], **read}
    return {
        "fault": None,
        "checks": [
            {"check": check.id, "title": check.title, "rules": [trace.rule(rule) for rule in check.rules]}
            for check in checklist.pack.checks
        ],
        "facts": [_fact(name, checklist) for name in checklist.pack.facts_read],
        **read,
    }


def _fact(name: str, checklist: Checklist) -> dict[str, Any]:
    known = checklist.trace.case.evidence(name)
    if known.unknown is not None:
        return {
            "fact": name,
            "known": "no",
            "reason": known.unknown.reason.value,
            "detail": known.unknown.detail,
        }
    parts = {
        "unit": known.unit,
        "at": plain(known.at),
        "source": known.source,
        "ref_low": plain(known.ref_low),
        "ref_high": plain(known.ref_high),
    }
    shown = {key: each for key, each in parts.items() if each is not None}
    if known.others:
        shown["complete"] = "no"
    return {"fact": name, "known": "yes", "value": plain(known.value), **shown}
