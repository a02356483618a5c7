"""What settled a finding: facts and their values, as they are recorded and as they are read."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from service.checklist.facts import FactDefinition, Vocabulary
from service.pages.moments import minute

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True)
class Seen:
    """A value that settled a finding: the fact in words, the value, and when and where it comes from.

    `value` and `at` are as they are recorded; `says` and `says_at` have times by the clock of the place.
    """

    fact: str
    label: str
    value: str
    at: str | None
    source: str | None
    says: str = ""
    says_at: str = ""


def label_of(name: str, vocabulary: Vocabulary) -> str:
    """What a fact is called; one that the vocabulary no longer has, by its name."""
    return vocabulary[name].label if name in vocabulary else name.replace("_", " ")


def seen_of(because: Mapping[str, Any], vocabulary: Vocabulary, zone: tzinfo) -> Seen:
    """A value that settled a finding, as it is shown at a place."""
    name, at = because["fact"], because.get("at")
    definition = vocabulary.facts.get(name)
    value = value_in_words(because["value"], because.get("unit"), definition)
    return Seen(
        fact=name,
        label=label_of(name, vocabulary),
        value=value,
        at=at,
        source=because.get("source"),
        says=_by_the_clock(value, zone),
        says_at=_by_the_clock(at or "", zone),
    )


def _by_the_clock(text: str, zone: tzinfo) -> str:
    """A text with the moments in it to the minute, at the clock of a place."""
    return _MOMENT.sub(lambda found: minute(datetime.fromisoformat(found[0]).astimezone(zone)), text)


def value_in_words(value: Any, unit: str | None, definition: FactDefinition | None) -> str:
    """A value as it is read: its label, its unit, or the entries of a list."""
    if isinstance(value, list):
        return "; ".join(_entry(each, definition) for each in value) or "none"
    words = {**definition.values, **definition.words} if definition is not None else {}
    said = words.get(str(value), str(value))
    return f"{said} {unit}" if unit and str(value) not in words else said


def _entry(entry: Any, definition: FactDefinition | None) -> str:
    if not isinstance(entry, Mapping):
        return definition.values.get(entry, str(entry)) if definition is not None else str(entry)
    return ", ".join(_parts(entry, definition))


def _parts(entry: Mapping[str, Any], definition: FactDefinition | None) -> Iterator[str]:
    for name, value in entry.items():
        known = definition.fields.get(name) if definition is not None else None
        is_quantity = isinstance(value, Mapping)
        said = f"{value['value']} {value['unit']}" if is_quantity else str(value)
        yield known.values.get(said, said) if known is not None else said
