"""Vaccines that were given, by their CVX codes."""

from collections.abc import Iterator

from service.checklist.evidence import day_of, is_after
from service.fhir.chart import Chart
from service.fhir.lifetimes import in_life
from service.fhir.reads import Read, ReadingContext, found, noted
from service.fhir.resources import Resource, called, code, keys, moment
from service.fhir.statements import CHANGED, is_changed

VACCINATIONS, CVX = "vaccinations", "cvx"
_GIVEN, _NOT_GIVEN = "completed", "not-done"
_NO_VACCINE, _UNSPECIFIED, _LIVE = "not_a_vaccine", "unspecified", "live"


def read(chart: Chart, context: ReadingContext) -> Iterator[Read]:
    """The vaccines. That none is recorded does not mean that none was given."""
    for resource in chart.of_type("Immunization"):
        yield from _vaccine(resource, chart.name(resource), chart, context)


def _vaccine(resource: Resource, name: str, chart: Chart, context: ReadingContext) -> Iterator[Read]:
    what, status = (
        called(resource.get("vaccineCode")) or "a vaccine without a name",
        code(resource.get("status")),
    )
    if status == _NOT_GIVEN:
        yield noted(name, f"{what}: not given", VACCINATIONS)
        return
    if status != _GIVEN or is_changed(resource):
        why = CHANGED if is_changed(resource) else f"status {status or 'missing'}"
        yield noted(name, f"{what}: {why}", VACCINATIONS, understood=False)
        return
    listed = context.vocabulary.codes[CVX]
    codes = {
        each.zfill(2) for system, each in keys(resource.get("vaccineCode"), context.maps) if system == CVX
    }
    known = {each: listed[each].settles.get("kind") for each in codes if each in listed}
    if known and set(known.values()) == {_NO_VACCINE}:
        yield noted(name, f"{what}: not a vaccine", VACCINATIONS)
        return
    at = in_life(moment(resource.get("occurrenceDateTime")), chart, context.infusion_at)
    exact = at.at if at is not None else None
    if exact is not None and is_after(exact, context.infusion_at):
        says = f"{what}: recorded as given, but dated after the infusion"
        yield noted(name, says, VACCINATIONS, understood=False)
        return
    day = day_of(exact, context.infusion_at.tzinfo) if exact is not None else None
    entry, doubt = _entry(known)
    on = day.isoformat() if day is not None else None
    dated = f"on {on}" if on is not None else f"dated {at.written if at is not None else 'nowhere'}"
    yield found(name, VACCINATIONS, f"{what}, {dated}", **entry, on=on)
    if doubt is not None:
        yield noted(name, f"{what}: {doubt}", VACCINATIONS, understood=False)


def _entry(known: dict[str, str | None]) -> tuple[dict[str, str], str | None]:
    """What an entry says of the vaccine, and why that is not all. Of several kinds a live one counts."""
    kinds = set(known.values())
    if len(kinds) == 1:
        return {CVX: min(known)}, None
    if _LIVE in kinds:
        live = min(each for each, kind in known.items() if kind == _LIVE)
        return {CVX: live}, "its codes are of different kinds; it is taken for a live one"
    why = "its codes are of different kinds" if kinds else "it has no CVX code that is known"
    return {"kind": _UNSPECIFIED}, f"{why}; its kind is unspecified"
