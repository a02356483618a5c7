"""What the service knows, as documents: the drugs with their rules in words, and the vocabulary."""

from typing import Any

from service.checklist.facts import FactDefinition, FieldDefinition, ItemTiming, Vocabulary
from service.checklist.rules import Check, Pack, Rule
from service.intake.documents import citation_documents, double_check_document, look_alikes, plain
from service.knowledge.ledger import LedgerRow
from service.knowledge.library import Library
from service.knowledge.review import coverage
from service.knowledge.words import in_words


def drug_summary(pack: Pack) -> dict[str, Any]:
    """One drug in the list of drugs."""
    return {
        "id": pack.id,
        "title": pack.title,
        "brands": list(pack.brands),
        "aliases": list(pack.aliases),
        "class": pack.drug_class,
        "regions": list(pack.regions),
        "version": pack.version,
        "status": pack.status,
        "digest": pack.digest,
        "review_by": pack.review_by,
    }


def drug_document(pack: Pack, library: Library) -> dict[str, Any]:
    """Everything that is known of one drug."""
    account = coverage(pack, library.ledger)
    rows = [row for row in library.ledger.values() if row.row in account.rows | account.site]
    return {
        **drug_summary(pack),
        "owner": pack.owner,
        "released": pack.released,
        "developer": pack.developer,
        "funding": pack.funding,
        "excipients": list(pack.excipients),
        "look_alikes": look_alikes(pack, library),
        "sources": [
            {
                "id": source.id,
                "title": source.title,
                "revised": source.revised,
                "grade": source.grade,
                "region": source.region,
            }
            for source in pack.sources.values()
        ],
        "checks": [_check(check, library) for check in pack.checks],
        "observation": [
            {
                "minutes_after": plan.minutes_after,
                "when": in_words(plan.when, library.policy) if plan.when else None,
                "text": plan.text,
                "sources": citation_documents(plan.citations),
            }
            for plan in pack.observations
        ],
        "independent_double_check": double_check_document(pack),
        "facts_read": list(pack.facts_read),
        "ledger": [_row(row) for row in rows],
        "not_checked": [
            {"row": each.row, "reason": each.reason, "used_in": each.used_in} for each in pack.not_checked
        ],
        "conflicts": [
            {"about": each.about, "says": dict(each.says), "chosen": each.chosen, "why": each.why}
            for each in pack.conflicts
        ],
    }


def _check(check: Check, library: Library) -> dict[str, Any]:
    return {
        "check": check.id,
        "title": check.title,
        "nothing_found": check.nothing_found,
        "applies_when": in_words(check.applies, library.policy) if check.applies else None,
        "not_applicable": check.not_applicable or None,
        "rules": [_rule(rule, library) for rule in check.rules],
    }


def _rule(rule: Rule, library: Library) -> dict[str, Any]:
    unknown = rule.if_unknown
    return {
        "rule": rule.id,
        "status": rule.status.word,
        "kind": rule.kind.value,
        "when": in_words(rule.concern, library.policy),
        "message": rule.message,
        "action": rule.action,
        "if_unknown": {"status": unknown.status.word, "action": unknown.action} if unknown else None,
        "override": rule.override.value,
        "unverified": rule.unverified,
        "facts": list(dict.fromkeys(rule.concern.facts())),
        "sources": citation_documents(rule.citations),
    }


def _row(row: LedgerRow) -> dict[str, Any]:
    return {
        "row": row.row,
        "check": row.check,
        "statement": row.statement,
        "severity": row.severity,
        "unknown": row.unknown,
        "source": row.source,
        "verified": row.verified,
    }


def vocabulary_document(vocabulary: Vocabulary) -> dict[str, Any]:
    """Every fact that may be given, and the code lists that its fields use."""
    return {
        "digest": vocabulary.digest,
        "facts": [fact_document(definition) for definition in vocabulary.facts.values()],
        "codes": {
            name: {code: {"label": each.label, **each.settles} for code, each in codes.items()}
            for name, codes in vocabulary.codes.items()
        },
    }


def fact_document(definition: FactDefinition) -> dict[str, Any]:
    """One fact: its question, type, units and limits."""
    return {
        "fact": definition.name,
        "label": definition.label,
        "type": definition.type,
        "result": definition.result,
        "question": definition.question,
        "help": definition.help,
        "answered_by": definition.answered_by,
        "may_change": definition.may_change,
        "reported_as": list(definition.reported_as),
        "values": dict(definition.values),
        "numbers": list(definition.numbers),
        "words": dict(definition.words),
        "unit": definition.unit,
        "units": list(definition.units),
        "from": plain(definition.low),
        "to": plain(definition.high),
        "earliest": definition.earliest,
        "latest": definition.latest,
        "item": definition.item or None,
        "fields": [_field(each) for each in definition.fields.values()],
        "at_least_one_of": list(definition.at_least_one_of),
        "refused_after_infusion": _timing(definition.refused_after_infusion),
        "ignored_after_infusion": _timing(definition.ignored_after_infusion),
        "not_to_confuse_with": dict(definition.confusions),
    }


def _field(field: FieldDefinition) -> dict[str, Any]:
    return {
        "field": field.name,
        "label": field.label,
        "type": field.type,
        "values": dict(field.values),
        "required": field.required,
        "default": field.default,
        "codes": field.codes,
        "earliest": field.earliest,
        "latest": field.latest,
    }


def _timing(timing: ItemTiming | None) -> dict[str, Any] | None:
    return {"field": timing.field, "when": dict(timing.when)} if timing else None
