"""From what was read of one fact to the fact itself, as section 4 of the public contract has it."""

from collections.abc import Iterable, Sequence
from typing import Any

from service.checklist.facts import FINAL_STATUSES, FactDefinition
from service.fhir.reads import Line, Read
from service.fhir.resources import moment

# As many as a request may hold, with some left for what is typed in beside them.
MOST_ENTRIES = 400
_LONGEST = 200

Fact = dict[str, Any]


def assembled(definition: FactDefinition, reads: Sequence[Read], *, whole: bool) -> Any:
    """The fact, or None where nothing is known of it.

    `whole` says of a list that all of the record was searched for it.
    """
    if definition.type == "list":
        return _list(definition.name, reads, whole=whole)
    given = [_with_source(each) for each in reads if each.given is not None]
    if not given:
        return None
    if definition.result:
        kept = _newest(given)
        return kept if len(kept) > 1 else kept[0]
    return _one(definition, given)


def _with_source(read: Read) -> Fact:
    given = {**(read.given or {}), "source": read.line.resource[:_LONGEST]}
    if "unreadable" in given:
        given["unreadable"] = str(given["unreadable"])[:_LONGEST]
    return given


def _newest(given: list[Fact]) -> list[Fact]:
    """The newest, and those without a date; the same in whatever order they came."""
    dated = sorted((each for each in given if "at" in each), key=_order, reverse=True)
    undated = sorted((each for each in given if "at" not in each), key=_order)
    return [*dated[: MOST_ENTRIES // 2], *undated[: MOST_ENTRIES // 2]]


def _order(given: Fact) -> tuple[str, float, str, str]:
    at = moment(given.get("at"))
    if at is None or at.at is None:
        return "", 0.0, given["source"], repr(sorted(given.items(), key=str))
    exact = at.at.timestamp() if hasattr(at.at, "timestamp") else 0.0
    return at.written[:10], exact, given["source"], repr(sorted(given.items(), key=str))


# What is no result has one value


def _one(definition: FactDefinition, given: list[Fact]) -> Fact:
    counted = [each for each in given if each.get("status", "final") in FINAL_STATUSES] or given
    newest = _last(counted)
    if definition.type == "date":
        return newest
    known = [each for each in counted if each.get("value") is not None]
    values = {str(each["value"]): each for each in known}
    is_yes = definition.type == "code" and {*definition.values} == {"yes", "no"} and {*values} == {"yes"}
    if len(values) == 1 and (is_yes or len(known) == len(counted)):
        return _last(known)
    if not known:
        return newest
    said = (_says(each) for each in sorted(counted, key=lambda each: str(each["source"])))
    return {
        "value": None,
        "unreadable": "; ".join(dict.fromkeys(said))[:_LONGEST],
        "source": _sources(sorted(each["source"] for each in counted)),
    }


def _last(given: list[Fact]) -> Fact:
    """The newest: a date counts for itself, everything else by the time at which it was so."""
    return max(given, key=lambda each: (str(_date_of(each)), str(each["source"]), str(each.get("value"))))


def _date_of(given: Fact) -> Any:
    value = given.get("value")
    as_date = moment(value)
    return as_date.written if as_date is not None and as_date.at is not None else given.get("at", "")


def _says(given: Fact) -> str:
    said = given["value"] if given.get("value") is not None else given.get("unreadable", "unknown")
    return f"{given['source']} says {said}"


# Lists


def _list(name: str, reads: Sequence[Read], *, whole: bool) -> Fact | None:
    entries = [dict(each.given) for each in reads if each.given is not None]
    stated = [each for each in reads if each.none_known]
    doubted = any(_doubts(each, name) for each in reads)
    complete = not doubted and (whole or (bool(stated) and not entries))
    if not entries and not complete:
        return None
    unique = list({repr(sorted(each.items(), key=str)): each for each in entries}.values())
    kept = sorted(unique, key=_entry_order, reverse=True)[:MOST_ENTRIES]
    fact: Fact = {"value": kept}
    if not complete or len(kept) < len(unique):
        fact["complete"] = "no"
    newest_first = sorted(
        (each for each in reads if each.given is not None),
        key=lambda each: _entry_order(dict(each.given or {})),
        reverse=True,
    )
    lines = [each.line for each in newest_first or stated]
    if lines:
        fact["source"] = _sources(line.resource for line in lines)
    return fact


def _doubts(read: Read, name: str) -> bool:
    return name in read.doubts or (read.line.fact == name and not read.line.understood)


def _entry_order(entry: Fact) -> tuple[str, str]:
    return str(entry.get("on") or entry.get("at") or ""), repr(sorted(entry.items(), key=str))


def _sources(names: Iterable[str]) -> str:
    """The names of resources, the first ones, as many as there is room for."""
    known = list(dict.fromkeys(names))
    shown = known
    while len(", ".join(shown)) > _LONGEST - 20:
        shown = shown[:-1]
    more = len(known) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def listed(reads: Sequence[Read], most: int = 20) -> list[Line]:
    """The lines as they are shown: of a fact with very many, the newest, and how many others there are.

    What was not understood is always among them.
    """
    by_fact: dict[str | None, list[Read]] = {}
    for read in reads:
        if read.line.fact is not None and read.line.understood:
            by_fact.setdefault(read.line.fact, []).append(read)
    left_out: set[int] = set()
    for several in by_fact.values():
        newest = sorted(several, key=lambda read: (_day(read), read.line.resource), reverse=True)
        left_out.update(id(read) for read in newest[most:])
    more = [
        Line(f"{len(several) - most} more", fact, "are read and not listed here", True)
        for fact, several in by_fact.items()
        if len(several) > most
    ]
    return [*(read.line for read in reads if id(read) not in left_out), *more]


def _day(read: Read) -> str:
    given = read.given or {}
    return str(given.get("at") or given.get("on") or "")[:10]
