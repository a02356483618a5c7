"""Conditions: what they say of the patient while they are active, or ever."""

import re
from collections.abc import Iterator
from typing import Any

from service.fhir.chart import Chart
from service.fhir.reads import Read, ReadingContext, noted, unreadable
from service.fhir.resources import (
    Moment,
    Resource,
    called,
    codings,
    keys,
    moment,
    one_of,
    period,
    plain_codes,
    words,
)
from service.fhir.statements import CHANGED, is_changed, said
from service.knowledge.code_maps import Statement, folded

_ACTIVE = {"active", "recurrence", "relapse"}
_OVER = {"inactive", "remission", "resolved"}
_NOT_SO = {"refuted", "entered-in-error"}
# The name of a code may have such a word in it ("without coma"); a text of somebody's own negates with it.
_NEGATED = re.compile(
    r"\b(?:no|not|denies|denied|negative for|absence of|never had|ruled out|rule out|r/o|excluded|suspected|"
    r"possible|probable|questionable|family history|screening for|exposure to|contact with)\b"
)


def read(chart: Chart, context: ReadingContext) -> Iterator[Read]:
    """What the conditions give that the code maps know. That one is not listed says nothing."""
    for condition in chart.of_type("Condition"):
        concept = condition.get("code")
        about = dict.fromkeys(
            statement
            for key in keys(concept, context.maps)
            for statement in context.maps.conditions.of(key)
            if statement.period != "planned"
        )
        nearest = {each.fact: each for each in reversed(about)}
        for statement in nearest.values():
            yield _one(condition, chart.name(condition), statement, context)


def _one(condition: Resource, name: str, statement: Statement, context: ReadingContext) -> Read:
    what, fact = called(condition.get("code")), statement.fact
    verified = plain_codes(condition.get("verificationStatus"))
    if verified and verified <= _NOT_SO:
        return noted(name, f"{what}: {' and '.join(sorted(verified))}", fact)
    clinical = plain_codes(condition.get("clinicalStatus"))
    why_not = _why_not_read(condition, verified, clinical, context)
    if why_not is not None:
        return unreadable(name, fact, f"{what}: {why_not}")
    if statement.period == "active" and not clinical & _ACTIVE:
        return noted(name, f"{what}: {' and '.join(sorted(clinical))}", fact)
    return said(name, what, statement, _begun(condition), context)


def _why_not_read(
    condition: Resource, verified: set[str], clinical: set[str], context: ReadingContext
) -> str | None:
    """Why it cannot be told whether the patient has or had it."""
    if is_changed(condition):
        return CHANGED
    if verified - {"confirmed"}:
        return f"{' and '.join(sorted(verified))}, not confirmed"
    if len(clinical) != 1 or not clinical <= _ACTIVE | _OVER:
        return f"clinical status {' and '.join(sorted(clinical)) or 'missing'}"
    if clinical <= _ACTIVE and _is_abated(condition, context):
        return f"{clinical.pop()}, but with an end"
    if _is_negated(condition.get("code")):
        return "worded as negated or uncertain"
    return None


def _is_negated(concept: Any) -> bool:
    names = {folded(each.display) for each in codings(concept) if each.display}
    return any(_NEGATED.search(each) for each in map(folded, words(concept)) if each not in names)


def _is_abated(condition: Resource, context: ReadingContext) -> bool:
    for kind, value in one_of(condition, "abatement"):
        if value is None or value is False:
            continue
        ended = moment(value) if kind == "DateTime" else period(value)[1] if kind == "Period" else None
        if ended is None or ended.first <= context.infusion_at.date():
            return True
    return False


def _begun(condition: Resource) -> Moment | None:
    known = (
        moment(condition.get("onsetDateTime")),
        period(condition.get("onsetPeriod"))[0],
        moment(condition.get("recordedDate")),
    )
    return next((each for each in known if each is not None), None)
