"""The source attributes of a drug's rules, as a document and as CSV with a line for each rule."""

from typing import Any

from service.checklist.rules import Pack
from service.knowledge.source_attributes import LABELS, source_attributes
from service.records.csv_lines import csv_line

_HEADINGS = ("Drug", "Pack version", "Pack digest", "Check", "Rule", "Severity", *LABELS.values())


def source_attributes_document(pack: Pack) -> dict[str, Any]:
    """Every rule of a pack with its thirteen attributes."""
    return {
        "drug": pack.id,
        "version": pack.version,
        "digest": pack.digest,
        "rules": [
            {
                "rule": each.rule.id,
                "check": each.rule.check,
                "status": each.rule.status.word,
                "attributes": [
                    {
                        "number": attribute.number,
                        "attribute": attribute.name,
                        "label": attribute.label,
                        "value": attribute.value,
                        "facts": list(attribute.facts),
                    }
                    for attribute in each.attributes
                ],
            }
            for each in source_attributes(pack)
        ],
    }


def source_attributes_csv(pack: Pack, check: str | None = None) -> bytes:
    """The same as CSV under a line of headings, for one check or all."""
    lines = [csv_line(_HEADINGS)]
    for each in source_attributes(pack):
        if check not in (None, each.rule.check):
            continue
        place = (pack.id, pack.version, pack.digest, each.rule.check, each.rule.id, each.rule.status.word)
        lines.append(csv_line((*place, *(attribute.value for attribute in each.attributes))))
    return b"".join(lines)
