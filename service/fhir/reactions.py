"""Earlier reactions: allergies and intolerances, and adverse events of medicines."""

from collections.abc import Iterator

from service.fhir import adverse_events
from service.fhir.administrations import administrations
from service.fhir.chart import Chart
from service.fhir.drugs import product
from service.fhir.reads import Line, Read, ReadingContext, found, noted
from service.fhir.resources import Moment, Resource, called, code, keys, moment, objects, plain_codes, words
from service.fhir.statements import CHANGED, is_changed
from service.fhir.substances import REACTIONS, Substance, kind_of, occurred, substance

_SEVERITIES = frozenset({"mild", "moderate"})
_NOT_SO = frozenset({"refuted", "entered-in-error"})
_OVER = frozenset({"inactive", "resolved"})
_SEARCHES = ("allergies", "adverse_events")
_SEVERE = "recorded as severe, which does not say whether it was life-threatening"


def read(chart: Chart, context: ReadingContext) -> Iterator[Read]:
    """The earlier reactions."""
    for resource in chart.of_type("AllergyIntolerance"):
        yield from _allergy(resource, chart, context)
    yield from adverse_events.read(chart, context)


def _allergy(resource: Resource, chart: Chart, context: ReadingContext) -> Iterator[Read]:
    name, concept = chart.name(resource), resource.get("code")
    verified = plain_codes(resource.get("verificationStatus"))
    if verified and verified <= _NOT_SO:
        yield noted(name, f"{called(concept) or 'an allergy'}: {' and '.join(sorted(verified))}", REACTIONS)
    elif is_changed(resource):
        yield noted(name, f"{called(concept) or 'an allergy'}: {CHANGED}", REACTIONS, understood=False)
    elif _says_none(concept, context):
        yield from _none(resource, name, verified, chart, context)
    else:
        entries = list(_entries(resource, chart, context))
        if not entries:
            says = f"an allergy to something that is not said: {called(concept) or 'no code and no text'}"
            yield noted(name, says, REACTIONS, understood=False)
        yield from entries


def _says_none(concept: object, context: ReadingContext) -> bool:
    meant = {context.maps.meaning("none_known", key) for key in keys(concept, context.maps)}
    meant |= {context.maps.meaning("none_known", text=said) for said in words(concept)}
    return REACTIONS in meant


def _none(
    resource: Resource, name: str, verified: set[str], chart: Chart, context: ReadingContext
) -> Iterator[Read]:
    """A record that says that there is none.

    Only while it holds, where it names no reaction, is no older than the last dose of the drug, and where all
    of the allergies and adverse events were read.
    """
    says = called(resource.get("code"))
    doubtful = (verified - {"confirmed"}) | (plain_codes(resource.get("clinicalStatus")) - {"active"})
    if doubtful or resource.get("reaction"):
        why = ", ".join(sorted(doubtful)) or "with a reaction"
        yield noted(name, f"{says}: {why}", REACTIONS, understood=False)
    elif _is_before_a_dose(moment(resource.get("recordedDate")), chart, context):
        yield noted(name, f"{says}: recorded before the last dose", REACTIONS, understood=False)
    elif not chart.has_all(*_SEARCHES):
        yield noted(name, f"{says}: but not all of the record was read", REACTIONS, understood=False)
    else:
        yield Read(Line(name, REACTIONS, f"states that there is none: {says}", True), none_known=True)


def _is_before_a_dose(recorded: Moment | None, chart: Chart, context: ReadingContext) -> bool:
    """Whether a dose of the drug was given since then; a statement without a date is taken for newer."""
    at = context.infusion_at
    given = [
        each.day(at) for each in administrations(chart, context) if each.of.own and each.is_given_before(at)
    ]
    last = max((day for day in given if day is not None), default=None)
    return last is not None and recorded is not None and recorded.last < last


def _entries(resource: Resource, chart: Chart, context: ReadingContext) -> Iterator[Read]:
    """An entry for each reaction, or one where none is told."""
    of_all = substance(product(resource.get("code"), context.maps), context)
    for reaction in objects(resource.get("reaction")) or [{}]:
        own = substance(product(reaction.get("substance"), context.maps), context)
        to = own if own.name is not None and (own.own or not of_all.own) else of_all
        if to.name is not None:
            yield from _entry(resource, reaction, to, chart, context)


def _entry(
    resource: Resource, reaction: Resource, to: Substance, chart: Chart, context: ReadingContext
) -> Iterator[Read]:
    name = chart.name(resource)
    clinical = plain_codes(resource.get("clinicalStatus"))
    if clinical and clinical <= _OVER:
        says = f"reaction to {to.name}, {' and '.join(sorted(clinical))}"
        yield noted(name, says, REACTIONS, understood=not (to.own or to.unclear))
        return
    severity, kind = code(reaction.get("severity")), kind_of(reaction.get("manifestation"), context.maps)
    on = occurred((reaction.get("onset"), resource.get("lastOccurrence")), chart, context)
    more = [
        "unconfirmed" if plain_codes(resource.get("verificationStatus")) & {"unconfirmed"} else None,
        f"criticality {code(resource.get('criticality'))}" if resource.get("criticality") else None,
        _SEVERE if severity == "severe" else severity,
        kind and kind.replace("_", " "),
        on and f"on {on}",
    ]
    says = ", ".join([f"reaction to {to.name}", *(each for each in more if each)])
    yield found(
        name,
        REACTIONS,
        says,
        substance=to.name,
        severity=severity if severity in _SEVERITIES else None,
        type=kind,
        on=on,
    )
    if to.unclear is not None:
        yield noted(name, f"{to.name} {to.unclear}", REACTIONS, understood=False)
