"""Medication orders: which drug of the library each is for, and when it is to be infused."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from service.checklist.rules import Pack
from service.fhir.chart import Chart
from service.fhir.drugs import medication, named
from service.fhir.resources import Moment, Resource, code, id_of, moment, objects, period, reference, type_of
from service.knowledge.library import Library

TYPE = "MedicationRequest"
# An order that is over, or was none, is not to be given now. One without a status is being written.
_OVER = frozenset({"completed", "stopped", "ended", "cancelled", "entered-in-error"})
_NO_ORDER = frozenset({"option"})


@dataclass(frozen=True)
class Ordered:
    """An order that may be given now. `named` is what it says it is for, empty where it names nothing.

    `look_alikes` are the drugs to whose names the ordered one is only similar; `problem` says why it cannot
    be told for which drug it is although it names one. Without these and `drug` it is for another drug.
    """

    reference: str
    drug: Pack | None
    look_alikes: tuple[Pack, ...]
    named: str
    infusion_at: datetime | date | None
    problem: str | None


def orders_in(
    resources: Sequence[Resource], chart: Chart, library: Library, *, now: datetime | None = None
) -> list[Ordered]:
    """The orders among these resources, in their order; what else they are is left out.

    Medications are looked up in the chart and among the resources. With `now`, a time of an earlier day is
    none for which this order could still be.
    """

    def resolve(referred: Any, inside: Resource) -> Resource | None:
        found = chart.resolve(referred, inside)
        return found if found is not None else _beside(reference(referred), resources)

    found = []
    for resource in resources:
        if is_order(resource):
            product = medication(resource, resolve, library.code_maps)
            is_for = named(product, library.packs.values(), library.code_maps)
            found.append(
                Ordered(
                    name_of(resource, chart),
                    is_for.drug,
                    is_for.look_alikes,
                    product.said,
                    infusion_time(resource, now),
                    is_for.problem,
                )
            )
    return found


def is_order(resource: Any) -> bool:
    """Whether this is an order of a medicine that may be given now."""
    return (
        isinstance(resource, dict)
        and type_of(resource) == TYPE
        and code(resource.get("status")) not in _OVER
        and code(resource.get("intent")) not in _NO_ORDER
        and resource.get("doNotPerform") is not True
    )


def infusion_time(order: Resource, now: datetime | None) -> datetime | date | None:
    """When an order is to be given: its first time, or else the start of its course.

    When it was written says nothing about that. With `now`, only a time of that day or of a later one.
    """
    events, starts = [], []
    for dosage in objects(order.get("dosageInstruction")):
        events.extend(events_of(dosage))
        start, _ = bounds_of(dosage)
        starts.extend([start] if start is not None else [])
    for several in (events, starts):
        coming = [each for each in several if each.at is not None and not _is_past(each, now)]
        if coming:
            return min(coming, key=_place).at
    return None


def events_of(dosage: Resource) -> list[Moment]:
    """The times at which a dosage is to be given."""
    return [each for timing in objects(dosage.get("timing")) for each in _moments(timing.get("event"))]


def bounds_of(dosage: Resource) -> tuple[Moment | None, Moment | None]:
    """The first and the last day of a dosage."""
    for timing in objects(dosage.get("timing")):
        for repeat in objects(timing.get("repeat")):
            return period(repeat.get("boundsPeriod"))
    return None, None


def day_in(at: Moment, moment_of: datetime) -> date:
    """The day of a time, where a datetime is counted in the offset of another."""
    return at.at.astimezone(moment_of.tzinfo).date() if isinstance(at.at, datetime) else at.day


def _moments(value: Any) -> Iterator[Moment]:
    for each in value if isinstance(value, list) else [value]:
        found = moment(each)
        if found is not None:
            yield found


def _is_past(at: Moment, now: datetime | None) -> bool:
    if now is None:
        return False
    today = now.astimezone(at.at.tzinfo) if isinstance(at.at, datetime) else now
    return at.day < today.date()


def _place(at: Moment) -> tuple[date, datetime]:
    exact = at.at if isinstance(at.at, datetime) else None
    return at.day, exact.astimezone(UTC) if exact is not None else datetime.max.replace(tzinfo=UTC)


def _beside(written: str | None, resources: Sequence[Resource]) -> Resource | None:
    for each in resources:
        if f"{type_of(each)}/{id_of(each)}" == written:
            return each
    return None


def name_of(resource: Resource, chart: Chart) -> str:
    """What an order is called, whether or not it is in the chart yet."""
    name = chart.name(resource)
    return f"{TYPE}/{id_of(resource)}" if name == TYPE and id_of(resource) else name
