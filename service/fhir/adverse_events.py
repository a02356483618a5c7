"""Adverse events of medicines, those that were infusion reactions or hypersensitivity."""

import re
from collections.abc import Iterator
from typing import Any

from service.fhir.chart import Chart
from service.fhir.drugs import Product, medication, product
from service.fhir.reads import Read, ReadingContext, found, noted
from service.fhir.resources import Resource, called, code, codings, number, objects, one_of, text, words
from service.fhir.statements import CHANGED, is_changed
from service.fhir.substances import (
    LIFE_THREATENING,
    REACTIONS,
    Substance,
    kind_of,
    occurred,
    severity_of,
    substance,
)

# Extensions that hold a grade of the CTCAE, by the end of their addresses; R4 has no element for it.
_GRADED = ("/ctcae-grade", "/ae-grade")
_GRADE = re.compile(r"(?:grade\W*)?([0-5])")
_NO_EVENT = 0
_BY_GRADE = {1: "mild", 2: "moderate", 3: "severe", 4: LIFE_THREATENING, 5: LIFE_THREATENING}
_WITH_MEDICATION = frozenset({"MedicationAdministration", "MedicationStatement", "MedicationRequest"})


def read(chart: Chart, context: ReadingContext) -> Iterator[Read]:
    """The adverse events that are reactions. One that may be, to the drug of this infusion, leaves doubt."""
    for event in chart.of_type("AdverseEvent"):
        if code(event.get("actuality")) == "potential":
            continue
        for to in _suspects(event, chart, context):
            yield from _event(event, to, chart, context)


def _suspects(event: Resource, chart: Chart, context: ReadingContext) -> list[Substance]:
    found_ones = []
    for suspect in objects(event.get("suspectEntity")):
        for pointer in objects(suspect.get("instance")):
            found_ones.append(substance(_product(pointer, event, chart, context), context))
    return found_ones or [Substance(None)]


def _product(pointer: Resource, event: Resource, chart: Chart, context: ReadingContext) -> Product:
    named_by = chart.resolve(pointer, event)
    kind = named_by.get("resourceType") if named_by is not None else None
    if named_by is not None and kind in _WITH_MEDICATION:
        return medication(named_by, chart.resolve, context.maps)
    if named_by is not None and kind in ("Medication", "Substance"):
        return product(named_by.get("code"), context.maps)
    display = text(pointer.get("display"))
    return Product((), (display,), display) if display is not None else Product()


def _event(event: Resource, to: Substance, chart: Chart, context: ReadingContext) -> Iterator[Read]:
    name, what = chart.name(event), called(event.get("event"))
    kind, grade = kind_of(event.get("event"), context.maps), _grade(event)
    if grade == _NO_EVENT:
        return
    says = f"{what or 'an event'} after {to.name or 'a medicine that is not said'}"
    if to.name is None or is_changed(event) or (what and kind is None):
        why = CHANGED if is_changed(event) else "whether it was a reaction to the drug is not known"
        if to.name is None and kind is None:
            yield noted(name, says)
        else:
            yield noted(name, f"{says}: {why}", REACTIONS, understood=not _matters(to))
        return
    severity, worded = _severity(event, grade, context)
    on = occurred((event.get("date"), event.get("detected")), chart, context)
    more = [worded, on and f"on {on}"]
    yield found(
        name,
        REACTIONS,
        ", ".join([says, *(each for each in more if each)]),
        substance=to.name,
        severity=severity,
        type=kind,
        on=on,
    )
    if to.unclear is not None:
        yield noted(name, f"{to.name} {to.unclear}", REACTIONS, understood=False)


def _matters(to: Substance) -> bool:
    """Whether it may be the drug of this infusion."""
    return to.own or to.unclear is not None or to.name is None


def _severity(event: Resource, grade: int | None, context: ReadingContext) -> tuple[str | None, str | None]:
    """The severity, and how it is worded."""
    if grade is not None:
        return _BY_GRADE[grade], f"grade {grade}"
    if severity_of(event.get("seriousness"), context.maps) == LIFE_THREATENING:
        return LIFE_THREATENING, "serious: life-threatening"
    severity = severity_of(event.get("severity"), context.maps)
    if severity is None and event.get("severity") is not None:
        said = called(event.get("severity")) or "something"
        return None, f"recorded as {said}, which does not say whether it was life-threatening"
    return severity, severity


def _grade(event: Resource) -> int | None:
    """The grade, where an extension holds one; of several the worst."""
    places = [event, *objects(event.get("severity")), *objects(event.get("event"))]
    extensions = [each for place in places for each in objects(place.get("extension"))]
    grades = [
        grade
        for each in extensions
        if (text(each.get("url")) or "").endswith(_GRADED)
        for _, value in one_of(each, "value")
        if (grade := _as_grade(value)) is not None
    ]
    return max(grades, default=None)


def _as_grade(value: Any) -> int | None:
    amount = number(value)
    if amount is not None:
        said = [f"{amount.normalize():f}"]
    else:
        said = [text(value) or "", *(each.code or "" for each in codings(value)), *words(value)]
    matches = (_GRADE.fullmatch(each.lower()) for each in said)
    return next((int(match[1]) for match in matches if match is not None), None)
