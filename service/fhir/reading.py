"""From the chart of a patient to the facts of one infusion, with what was read from which resource."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.checklist.rules import Pack
from service.fhir import (
    conditions,
    medicines,
    patient,
    prescriptions,
    procedures,
    reactions,
    results,
    vaccines,
)
from service.fhir.assembly import assembled, listed
from service.fhir.chart import COMPLETE, BadBundle, Chart
from service.fhir.drugs import medication, named
from service.fhir.orders import TYPE, is_order
from service.fhir.reads import Line, Read, ReadingContext
from service.fhir.resources import Resource
from service.fhir.searches import OF_MEDICINES
from service.knowledge.code_maps import CodeMaps
from service.knowledge.library import Library

__all__ = ["ChartReading", "Line", "facts_of"]

Reader = Callable[[Chart, ReadingContext], Iterator[Read]]

_READERS: tuple[Reader, ...] = (
    *(patient.read, prescriptions.read, results.read, conditions.read, procedures.read),
    *(reactions.read, vaccines.read, medicines.read),
)


@dataclass(frozen=True)
class ChartReading:
    """The facts that a chart gives, as section 4 of the public contract wants them, and a line for each."""

    facts: dict[str, Any]
    lines: tuple[Line, ...]


def facts_of(
    chart: Chart, pack: Pack, order: str | None, infusion_at: datetime, library: Library
) -> ChartReading:
    """What a chart says of an infusion of this drug at this time.

    `order` is the reference of the order; without it, it is the one order of this drug, if there is one.
    Raises BadBundle where it is not there, or is no order of something to be given now.
    """
    maps, vocabulary = library.code_maps, library.vocabulary
    ordered = _order(chart, pack, order, library)
    context = ReadingContext(pack, ordered, infusion_at, maps, vocabulary)
    reads = [each for reader in _READERS for each in reader(chart, context)]
    by_fact: dict[str, list[Read]] = {}
    for each in reads:
        for name in {each.line.fact, *each.doubts} - {None}:
            by_fact.setdefault(str(name), []).append(each)
    whole = _whole_lists(chart, context)
    facts = {}
    for name, definition in vocabulary.facts.items():
        fact = assembled(definition, by_fact.get(name, ()), whole=name in whole)
        if fact is not None:
            facts[name] = fact
    return ChartReading(facts, (*chart.lines, *listed(reads)))


def _order(chart: Chart, pack: Pack, order: str | None, library: Library) -> Resource | None:
    if order is not None:
        found = chart.resolve({"reference": order}, {})
        if found is None or found.get("resourceType") != TYPE:
            raise BadBundle([("order", f"is no {TYPE} of the bundle")])
        if not is_order(found):
            raise BadBundle([("order", "is over, or is no order to give something")])
        return found
    # Other packs play no part: a replay has none of them.
    packs = [library.packs[name] for name in (pack.id, *pack.look_alikes) if name in library.packs]
    maps = library.code_maps
    for_it = [
        each
        for each in chart.of_type(TYPE)
        if is_order(each) and named(medication(each, chart.resolve, maps), packs, maps).drug is pack
    ]
    return for_it[0] if len(for_it) == 1 else None


def _whole_lists(chart: Chart, context: ReadingContext) -> frozenset[str]:
    """The lists of medicines that the record is asked for, where all of it was searched for medicines."""
    if any(chart.searched.get(name) != COMPLETE for name in OF_MEDICINES):
        return frozenset()
    facts = context.vocabulary.facts
    return frozenset(
        name for name in _lists(context.maps) if name in facts and facts[name].answered_by == "record"
    )


def _lists(maps: CodeMaps) -> set[str]:
    """The facts that are lists of medicines."""
    by_code = (*maps.medicines.exact.values(), *maps.medicines.within.values())
    return {
        name
        for several in (*by_code, *maps.medicine_names.values())
        for each in several
        for name in each.lists
    }
