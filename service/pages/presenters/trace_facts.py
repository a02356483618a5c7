"""The facts of a checklist: as they were received, as what they counted, and what was read from a bundle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.checklist.facts import Vocabulary
from service.pages.presenters.seen import label_of, value_in_words
from service.pages.texts import Later, gettext, lazy_gettext


@dataclass(frozen=True)
class FactLine:
    """A fact that a criterion read; `value` is None where it is not known, and `why` says why."""

    name: str
    label: str
    value: str | None
    why: str | None
    at: str | None
    source: str | None


def fact_line(name: str, known: Mapping[str, Any] | None, vocabulary: Vocabulary) -> FactLine:
    """A fact as it counted; None is one that the trace does not name."""
    definition, label = vocabulary.facts.get(name), label_of(name, vocabulary)
    if known is None or known["known"] == "no":
        why = gettext("not known") if known is None else str(known["detail"])
        return FactLine(name, label, None, why, None, None)
    value = value_in_words(known["value"], known.get("unit"), definition)
    limits = [f"{_LIMITS[each]} {known[each]}" for each in _LIMITS if each in known]
    if known.get("complete") == "no":
        limits.append(gettext("there may be others"))
    said = "; ".join([value, *limits])
    return FactLine(name, label, said, None, known.get("at"), known.get("source"))


_LIMITS: Mapping[str, Later] = {
    "ref_low": lazy_gettext("lower limit"),
    "ref_high": lazy_gettext("upper limit"),
}


def dose_number(trace: Mapping[str, Any]) -> int | None:
    """Which dose of the series it was, as it counted; None where that was not known."""
    return next((each.get("value") for each in trace["facts"] if each["fact"] == "dose_number"), None)


@dataclass(frozen=True)
class FactRow:
    """A fact: what was received, one line for each reading or entry, and as what it counted.

    `counted` is None where no rule of the drug reads it.
    """

    label: str
    name: str
    received: tuple[str, ...]
    counted: FactLine | None


def fact_rows(
    request: Mapping[str, Any], trace: Mapping[str, Any], vocabulary: Vocabulary
) -> tuple[FactRow, ...]:
    """The facts that the rules read, in their order, then the others that were received."""
    given = request.get("facts") or {}
    counted = {each["fact"]: fact_line(each["fact"], each, vocabulary) for each in trace["facts"]}
    from_bundle = _from_bundle(trace.get("reading", ()))
    names = dict.fromkeys([*counted, *given])
    return tuple(
        FactRow(
            label=label_of(name, vocabulary),
            name=name,
            received=(
                *(_received(given[name]) if name in given else ()),
                *from_bundle.get(name, ()),
            ),
            counted=counted.get(name),
        )
        for name in names
    )


def _from_bundle(reading: Sequence[Mapping[str, Any]]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in reading:
        if line["understood"] and line["fact"] is not None:
            found.setdefault(line["fact"], []).append(f"{line['resource']}: {line['says']}")
    return found


def _received(value: Any) -> tuple[str, ...]:
    """A fact as it was written, each reading or entry for itself."""
    if isinstance(value, list):
        return tuple(_written(each) for each in value) or ("an empty list: asked, none",)
    return (_written(value),)


def _written(value: Any) -> str:
    if value is None:
        return gettext("not known")
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_written(each)}" for name, each in value.items())
    if isinstance(value, list):
        return "[" + "; ".join(map(_written, value)) + "]"
    return str(value)


@dataclass(frozen=True)
class ReadingLine:
    """What was read from a resource of the bundle, or not understood."""

    resource: str
    label: str | None
    says: str
    understood: bool


def reading_lines(trace: Mapping[str, Any], vocabulary: Vocabulary) -> tuple[ReadingLine, ...] | None:
    """What was read from a bundle, what was not understood first; None where there was none."""
    if "reading" not in trace:
        return None
    lines = [
        ReadingLine(
            each["resource"],
            label_of(each["fact"], vocabulary) if each["fact"] is not None else None,
            each["says"],
            each["understood"],
        )
        for each in trace["reading"]
    ]
    return tuple(sorted(lines, key=lambda line: line.understood))
