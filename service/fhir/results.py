"""Results: observations, their components and members, and reports that hold none."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from service.checklist.evidence import day_of
from service.checklist.facts import FINAL_STATUSES, OTHER_STATUSES, FactDefinition
from service.fhir.chart import Chart
from service.fhir.reads import Read, ReadingContext, found, noted, unreadable
from service.fhir.resources import Moment, Resource, called, code, keys, moment, objects, period
from service.fhir.statements import CHANGED, is_changed
from service.fhir.unknown_codes import About, not_known, unknown_codes
from service.fhir.values import NO_VALUE, Asked, Value, limits, value_of
from service.knowledge.code_maps import Result

_STATUSES = FINAL_STATUSES | OTHER_STATUSES
# A positive result that is not final is no result; but nothing older clears while it stands.
_NOT_YET = frozenset({"preliminary", "unknown"})
_CHANGED = frozenset({"amended", "corrected"})
_OF_REPORTS = {"partial": "preliminary", "appended": "amended"}


@dataclass(frozen=True)
class _Observed:
    """An observation, or a component or contained one, with the status and the time that hold for it."""

    body: Resource
    name: str
    status: str
    at: Moment | None
    parts: tuple[Resource, ...] = ()


def read(chart: Chart, context: ReadingContext) -> Iterator[Read]:
    """Every result that the code maps know, what looks like one, and codes that are not known here."""
    observed, about = list(_observed(chart)), About(context)
    reads = [read for each in observed for read in _of(each, about, context)]
    reads.extend(_reports(chart, observed, about, context))
    yield from reads
    if not chart.has_all("results", "reports"):
        yield from _beyond(reads, context)
    yield from unknown_codes(((each.name, each.body) for each in observed if not each.parts), about)


def _beyond(reads: Iterable[Read], context: ReadingContext) -> Iterator[Read]:
    """Where the record has more than was read, what would clear may not be the newest."""
    values: dict[str, set[object]] = {}
    for read in reads:
        if read.given is not None and read.line.fact is not None:
            values.setdefault(read.line.fact, set()).add(read.given.get("value"))
    for fact, known in values.items():
        definition = context.vocabulary[fact]
        if definition.result and not known & definition.never_stale:
            says = "not all of the record was read: a newer result may be there"
            yield unreadable("the search for results", fact, says)


def status_of(resource: Resource) -> str:
    """The status of a result as the vocabulary has it; one that is missing or odd is not final."""
    said = code(resource.get("status")) or "unknown"
    said = _OF_REPORTS.get(said, said)
    return said if said in _STATUSES else "unknown"


def time_of(resource: Resource) -> Moment | None:
    """When a sample was taken, or something measured; else when its result was given out."""
    start, end = period(resource.get("effectivePeriod"))
    events = [moment(each) for timing in objects(resource.get("effectiveTiming")) for each in _list(timing)]
    known = (
        moment(resource.get("effectiveDateTime")),
        moment(resource.get("effectiveInstant")),
        end,
        start,
        max((each for each in events if each), key=lambda each: each.day, default=None),
        moment(resource.get("issued")),
    )
    return next((each for each in known if each is not None), None)


def _list(timing: Resource) -> list[object]:
    events = timing.get("event")
    return events if isinstance(events, list) else [events]


def _observed(chart: Chart) -> Iterator[_Observed]:
    """Every observation of the chart, contained ones and components too."""
    for resource in chart.of_type("Observation"):
        yield from _with_parts(resource, chart, None)
    for report in chart.of_type("DiagnosticReport"):
        yield from _contained(report, chart, time_of(report))


def _with_parts(resource: Resource, chart: Chart, otherwise: Moment | None) -> Iterator[_Observed]:
    """An observation, then its components and the observations that it contains."""
    at, status, name = time_of(resource) or otherwise, status_of(resource), chart.name(resource)
    components = objects(resource.get("component"))
    members = (chart.resolve(each, resource) for each in objects(resource.get("hasMember")))
    parts = (*components, *(each for each in members if each is not None))
    yield _Observed(resource, name, status, at, parts)
    for component in components:
        yield _Observed({**component, **_of_all_parts(resource)}, name, status, at)
    yield from _contained(resource, chart, at)


def _of_all_parts(resource: Resource) -> Resource:
    """What holds of an observation and of all its components."""
    return {key: resource[key] for key in ("focus", "modifierExtension") if key in resource}


def _contained(resource: Resource, chart: Chart, otherwise: Moment | None) -> Iterator[_Observed]:
    for each in chart.contained(resource):
        if each.get("resourceType") == "Observation" and each is not resource and "contained" not in each:
            yield from _with_parts(each, chart, otherwise)


def _of(observed: _Observed, about: About, context: ReadingContext) -> Iterator[Read]:
    """What one observation gives. What is never read is not, whatever other codes it has.

    One that is only named like a fact cannot be read, and nothing older clears in its place.
    """
    codes = keys(observed.body.get("code"), context.maps)
    if observed.body.get("focus"):
        yield noted(
            observed.name, f"{called(observed.body.get('code'))} is about something else than the patient"
        )
        return
    why = next((context.maps.never_read[key] for key in codes if key in context.maps.never_read), None)
    if why is not None:
        yield noted(observed.name, f"{called(observed.body.get('code'))} is not read: {why}")
        return
    results = {result.fact: result for key in codes if (result := context.maps.results.get(key))}
    if len(results) > 1:
        says = f"its codes mean different things: {' and '.join(sorted(results))}"
        for fact in sorted(results):
            yield unreadable(observed.name, fact, says, status=observed.status, **_when(observed, context))
        return
    for result in results.values():
        yield from _result(observed, result, about, context)
    of_parts = frozenset().union(*map(about.facts, observed.parts))
    for fact in sorted(about.by_name(observed.body) - of_parts):
        status = None if observed.status in _NOT_YET else observed.status
        when = _when(observed, context)
        yield unreadable(observed.name, fact, not_known(observed.body), status=status, **when)


def _result(observed: _Observed, result: Result, about: About, context: ReadingContext) -> Iterator[Read]:
    definition = context.vocabulary[result.fact]
    if definition.type == "date":
        yield _dated(observed, definition)
        return
    value = value_of(observed.body, Asked(definition, result, context.maps))
    if value == NO_VALUE and any(result.fact in about.facts(part) for part in observed.parts):
        return
    if is_changed(observed.body):
        value = Value.none(CHANGED)
    partly = observed.at is not None and observed.at.at is None
    if value.unreadable is None and partly and value.value not in definition.never_stale:
        value = Value.none(f"{value.says}, but dated only {observed.at.written if observed.at else ''}")
    if value.value in definition.never_stale and observed.status in _NOT_YET:
        says = f"{value.says}{_on(observed)}, only {observed.status}"
        yield unreadable(observed.name, result.fact, says, **_when(observed, context))
        return
    if value.unreadable is None and _is_of_another_day(observed, definition, value, context):
        value = Value.none(f"{value.says}{_on(observed)}, not on the day of the infusion")
    if value.unreadable is not None:
        when = _when(observed, context)
        yield unreadable(observed.name, result.fact, value.unreadable, status=observed.status, **when)
        return
    unit = value.unit
    yield found(
        observed.name,
        result.fact,
        f"{value.says}{_on(observed)}{'' if observed.status in FINAL_STATUSES else f', {observed.status}'}",
        value=value.value,
        unit=unit,
        at=observed.at.written if observed.at is not None and not partly else None,
        status=observed.status,
        **(limits(observed.body, unit, definition, context.maps) if unit and definition.result else {}),
    )


def _is_of_another_day(
    observed: _Observed, definition: FactDefinition, value: Value, context: ReadingContext
) -> bool:
    """Whether it answers what is asked of the patient today with what was so on another day.

    A yes counts all the same: it would not clear.
    """
    if definition.result or definition.answered_by not in ("patient", "nurse") or value.value == "yes":
        return False
    at = observed.at.at if observed.at is not None else None
    return at is None or day_of(at, context.infusion_at.tzinfo) != context.infusion_at.date()


def _dated(observed: _Observed, definition: FactDefinition) -> Read:
    """A fact that is the date of an observation."""
    at = observed.at
    if observed.status not in FINAL_STATUSES or at is None or at.at is None:
        says = f"{observed.status}, dated {at.written if at is not None else 'nowhere'}"
        return unreadable(observed.name, definition.name, says)
    return found(observed.name, definition.name, f"on {at.written[:10]}", value=at.written[:10])


def _on(observed: _Observed) -> str:
    return f" on {observed.at.written[:10]}" if observed.at is not None else ", without a date"


def _when(observed: _Observed, context: ReadingContext) -> dict[str, str]:
    """The time of what cannot be read; of one that is known to a month or a year, the latest it can be."""
    if observed.at is None:
        return {}
    return {"at": latest(observed.at, context.infusion_at)}


def latest(at: Moment, infusion_at: datetime) -> str:
    """A moment as written; of a month or a year its last day, but for one that lies after the infusion."""
    if at.at is not None:
        return at.written
    infusion: date = infusion_at.date()
    return (min(at.last, infusion) if at.first <= infusion else at.last).isoformat()


def _reports(
    chart: Chart, observed: Iterable[_Observed], about: About, context: ReadingContext
) -> Iterator[Read]:
    """Reports of a test that is known here, or named like one, without an observation of it."""
    have = {(fact, each.at.day if each.at else None) for each in observed for fact in about.facts(each.body)}
    for report in chart.of_type("DiagnosticReport"):
        at = time_of(report)
        results = (chart.resolve(each, report) for each in objects(report.get("result")))
        within = [part for each in results if each for part in (each, *objects(each.get("component")))]
        atomic = {fact for part in within for fact in about.facts(part)}
        for fact in sorted(about.facts(report) - atomic):
            changed = status_of(report) in _CHANGED
            if changed or (fact, at.day if at is not None else None) not in have:
                what = _Observed(report, chart.name(report), status_of(report), at)
                says = f"a{'n amended' if changed else ''} report without a readable result"
                yield unreadable(what.name, fact, says, status=what.status, **_when(what, context))
