"""What is already known of a fact, as it stands in a draft: in words and by a key."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.checklist.facts import FactDefinition, FieldDefinition
from service.intake.documents import plain
from service.intake.values import is_unknown
from service.pages.answers.asked import Asked
from service.pages.moments import near
from service.pages.texts import gettext

_KEY_LENGTH = 16
_UNITS = {
    "10*9/L": "×10⁹/L",
    "/uL": "per µL",
    "umol/L": "µmol/L",
    "mg/m2": "mg/m²",
    "Cel": "°C",
    "[degF]": "°F",
    "[lb_av]": "lb",
    "[in_i]": "in",
}


@dataclass(frozen=True)
class Known:
    """One reading or entry: what it says, when it was taken, who said so. `key` names it for removal."""

    key: str
    words: str
    at: str
    source: str


def unit_in_words(unit: str) -> str:
    """A UCUM code as people write the unit."""
    return _UNITS.get(unit, unit)


def key_of(each: Any) -> str:
    """A short name of one reading or entry, the same for as long as it says the same."""
    text = json.dumps(plain(each), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_KEY_LENGTH]


def seen_key(given: Any) -> str:
    """A short name of what is known of a fact: the same for as long as nobody says anything else."""
    return key_of([given])


def is_lost(definition: FactDefinition, given: Any, now: Any) -> bool:
    """Whether something that is known is no longer said by an answer: a value, a reading, an entry.

    That a list may have other entries is known too.
    """
    if definition.type != "list":
        before, after = _without_sources(readings_in(given)), _without_sources(readings_in(now))
        return any(each not in after for each in before)
    if not is_list_known(given):
        return False
    if not is_list_known(now) or (is_open(given) and not is_open(now)):
        return True
    before, after = entries_in(given), entries_in(now)
    if not definition.fields or not before:  # a No is known too, where each is answered by itself
        return sorted(map(key_of, before)) != sorted(map(key_of, after)) or is_open(given) != is_open(now)
    return any(each not in after for each in before)


def _without_sources(readings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{name: part for name, part in each.items() if name != "source"} for each in readings]


def readings_in(given: Any) -> list[dict[str, Any]]:
    """The readings of a fact that is no list, each as an object; those that say nothing are left out."""
    several = given if isinstance(given, list) else [given]
    objects = [each if isinstance(each, Mapping) else {"value": each} for each in several]
    return [dict(each) for each in objects if not is_unknown(each["value"]) or each.get("unreadable")]


def entries_in(given: Any) -> list[Any]:
    """The entries of a list fact."""
    value = given["value"] if isinstance(given, Mapping) else given
    return [] if is_unknown(value) else list(value)


def is_list_known(given: Any) -> bool:
    """Whether anything was said about a list: entries, or that there are none."""
    return not is_unknown(given["value"] if isinstance(given, Mapping) else given)


def is_open(given: Any) -> bool:
    """Whether a list may have other entries than those that are known."""
    return isinstance(given, Mapping) and given.get("complete") == "no"


def known_of(definition: FactDefinition, given: Any, asked: Asked) -> tuple[Known, ...]:
    """What is known of a fact, each reading or entry by itself."""
    if definition.type != "list":
        return tuple(_reading(definition, each, asked) for each in readings_in(given))
    source = given.get("source", "") if isinstance(given, Mapping) else ""
    return tuple(
        Known(key_of(each), entry_in_words(definition, each, asked), "", source or "")
        for each in entries_in(given)
    )


def _reading(definition: FactDefinition, reading: Mapping[str, Any], asked: Asked) -> Known:
    value = reading["value"]
    if is_unknown(value):
        words = gettext("cannot be read: %(why)s", why=reading["unreadable"])
    else:
        words = {**definition.values, **definition.words}.get(str(value), str(plain(value)))
        if unit := reading.get("unit"):
            words = f"{words} {unit_in_words(unit)}"
    if (status := reading.get("status")) and status != "final":
        words = f"{words} ({status})"
    return Known(key_of(reading), words, when_in_words(reading.get("at"), asked), reading.get("source") or "")


def entry_in_words(definition: FactDefinition, entry: Any, asked: Asked) -> str:
    """One entry of a list, its parts in the order of their definition."""
    if not isinstance(entry, Mapping):
        return definition.values.get(entry, str(entry))
    return ", ".join(
        _part(field, entry[name], asked)
        for name, field in definition.fields.items()
        if not is_unknown(entry.get(name))
    )


def _part(field: FieldDefinition, value: Any, asked: Asked) -> str:
    if isinstance(value, Mapping):
        return f"{plain(value['value'])} {unit_in_words(value['unit'])}"
    if field.codes is not None and (code := asked.vocabulary.codes[field.codes].get(value)):
        return f"{code.label} ({value})"
    if field.type == "time":
        return when_in_words(value, asked)
    return field.values.get(value, str(value))


def is_day(at: str | None) -> bool:
    """Whether a moment is a date without a time, or not known at all."""
    return at is None or len(at) <= len("2026-11-10")


def when_in_words(at: str | None, asked: Asked) -> str:
    """A moment as the site's clock shows it, without the date where that is today; a date as it is."""
    if at is None or is_day(at):
        return at or ""
    return near(datetime.fromisoformat(at.upper()).astimezone(asked.zone), asked.minute)


def without(several: Sequence[Any], key: str) -> list[Any] | None:
    """The readings or entries without the first that has this key; None where none has it."""
    for place, each in enumerate(several):
        if key_of(each) == key:
            return [*several[:place], *several[place + 1 :]]
    return None
