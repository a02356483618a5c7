"""Procedures that were done, and those that are planned."""

from collections.abc import Iterator

from service.fhir.chart import Chart
from service.fhir.reads import Read, ReadingContext, noted, unreadable
from service.fhir.resources import Moment, Resource, called, code, keys, moment, period
from service.fhir.statements import CHANGED, is_changed, said
from service.knowledge.code_maps import Statement

_PLANNED = "planned"
_NOT_DONE = {"preparation", "not-done"}
_NOT_PLANNED = {"revoked", "completed"}


def read(chart: Chart, context: ReadingContext) -> Iterator[Read]:
    """What procedures and orders for them give that the code maps know."""
    for procedure in chart.of_type("Procedure"):
        for statement in _about(procedure, context, planned=False):
            yield _done(procedure, chart.name(procedure), statement, context)
    for ordered in chart.of_type("ServiceRequest"):
        for statement in _about(ordered, context, planned=True):
            yield _ordered(ordered, chart.name(ordered), statement, context)


def _about(resource: Resource, context: ReadingContext, *, planned: bool) -> list[Statement]:
    found = [
        statement
        for key in keys(resource.get("code"), context.maps)
        for statement in context.maps.procedures.of(key)
        if (statement.period == _PLANNED) is planned
    ]
    return list({each.fact: each for each in reversed(found)}.values())


def _done(procedure: Resource, name: str, statement: Statement, context: ReadingContext) -> Read:
    what, status = called(procedure.get("code")), code(procedure.get("status")) or "without a status"
    if status in _NOT_DONE:
        return noted(name, f"{what}: {status}", statement.fact)
    if is_changed(procedure):
        return unreadable(name, statement.fact, f"{what}: {CHANGED}")
    if status != "completed":
        return unreadable(name, statement.fact, f"{what}: {status}")
    return said(name, what, statement, _performed(procedure), context)


def _performed(procedure: Resource) -> Moment | None:
    start, end = period(procedure.get("performedPeriod"))
    return moment(procedure.get("performedDateTime")) or end or start


def _ordered(ordered: Resource, name: str, statement: Statement, context: ReadingContext) -> Read:
    what, status = called(ordered.get("code")), code(ordered.get("status")) or "without a status"
    if status in _NOT_PLANNED or ordered.get("doNotPerform") is True:
        return noted(
            name, f"{what}: {'not to be done' if status not in _NOT_PLANNED else status}", statement.fact
        )
    if is_changed(ordered):
        return unreadable(name, statement.fact, f"{what}: {CHANGED}")
    if status != "active":
        return unreadable(name, statement.fact, f"{what}: {status}")
    return said(name, what, statement, None, context)
