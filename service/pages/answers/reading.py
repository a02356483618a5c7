"""An answer as it was sent, read as the fact of the public contract: refused or exactly what was typed."""

from datetime import date
from typing import Any

from werkzeug.datastructures import MultiDict

from service.checklist.facts import FactDefinition
from service.pages.answers.asked import Asked, is_from_the_chair, source_of
from service.pages.answers.controls import few_numbers
from service.pages.answers.form import (
    NOW,
    ON,
    REMOVE,
    SAVE,
    SAY,
    SEEN,
    TIME,
    UNDATED,
    UNIT,
    UNKNOWN,
    VALUE,
    WHEN,
    BadAnswer,
    Sheet,
)
from service.pages.answers.given import is_lost, readings_in, seen_key, without
from service.pages.answers.lists import read_list
from service.pages.texts import gettext


def read_answer(definition: FactDefinition, form: MultiDict[str, str], asked: Asked) -> Any:
    """The fact as a request gives it (public contract, section 4); None says that it is not known.

    What is already known of a result or a list (`asked.given`) stays beside the answer until it is removed.
    Raises BadAnswer.
    """
    sheet = Sheet(definition.name, form)
    given = asked.given.get(definition.name)
    if definition.type == "list":
        read = read_list(definition, sheet, asked, given)
    elif sheet.said(REMOVE):
        read = _removed(sheet, given)
    elif sheet.said(SAY) == UNKNOWN:
        read = None
    else:
        read = _answered(definition, sheet, asked, given)
    if not sheet.said(REMOVE) and _is_from_before(sheet, given) and is_lost(definition, given, read):
        # What was typed is not shown again: it would stand where the newer answer is to be seen.
        raise BadAnswer({VALUE: gettext("Somebody answered this meanwhile: look at what is known now.")}, {})
    sheet.close()
    return read


def _is_from_before(sheet: Sheet, given: Any) -> bool:
    """Whether the page that an answer was given on showed something else than what is known now."""
    seen = sheet.said(SEEN)
    return bool(seen) and seen != seen_key(given)


def _removed(sheet: Sheet, given: Any) -> Any:
    left = without(readings_in(given), sheet.said(REMOVE))
    if left is None:
        sheet.refuse(VALUE, gettext("This is no longer there; look again."))
        return None
    return _several(left)


def _several(readings: list[dict[str, Any]]) -> Any:
    return None if not readings else readings[0] if len(readings) == 1 else readings


def _answered(definition: FactDefinition, sheet: Sheet, asked: Asked, given: Any) -> Any:
    said = sheet.said(SAY)
    if said in definition.words:
        return {"value": said, "source": source_of(definition, asked)}
    if said not in ("", SAVE):
        sheet.refuse(VALUE, gettext("Choose an answer."))
        return None
    answer: dict[str, Any] = {"value": _value(definition, sheet)}
    if definition.type == "quantity":
        answer["unit"] = _unit(definition, sheet)
        for side in sorted(asked.limits.get(definition.name, ())):
            if sheet.said(side):
                answer[side] = sheet.number(side)
    if not definition.result:
        return {**answer, "source": source_of(definition, asked)}
    answer |= _taken(sheet, asked)
    answer |= {"status": "final", "source": source_of(definition, asked)}
    return _several([*_kept(readings_in(given), answer), answer])


def _value(definition: FactDefinition, sheet: Sheet) -> Any:
    text = sheet.said(VALUE)
    match definition.type:
        case "code":
            if text not in definition.values:
                sheet.refuse(VALUE, gettext("Choose an answer."))
            return text
        case "date":
            day = sheet.day(VALUE)
            return day.isoformat() if isinstance(day, date) else None
        case "integer":
            few = few_numbers(definition)
            if few and text not in map(str, few):
                sheet.refuse(VALUE, gettext("Choose an answer."))
                return None
            return sheet.number(VALUE, whole=True)
        case _:
            return sheet.number(VALUE)


def _unit(definition: FactDefinition, sheet: Sheet) -> str:
    unit = sheet.said(UNIT)
    if unit not in definition.units:
        sheet.refuse(UNIT, gettext("Choose the unit."))
    return unit


def _taken(sheet: Sheet, asked: Asked) -> dict[str, str]:
    """When a sample was taken or a value measured."""
    when = sheet.said(WHEN)
    if when in (NOW, UNDATED) and (sheet.said(ON) or sheet.said(TIME)):
        sheet.refuse(ON, gettext("Either enter the date, or say that there is none to enter; not both."))
    elif when == NOW:
        return {"at": asked.minute.isoformat()}
    elif when == UNDATED:
        return {}
    elif not sheet.said(ON):
        sheet.refuse(ON, gettext("Enter the date on which the sample was taken or the value measured."))
    elif (at := sheet.moment(ON, TIME, asked)) is not None:
        return {"at": at}
    return {}


def _kept(earlier: list[dict[str, Any]], answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The earlier readings without what somebody answered here for the same time: that was corrected."""
    return [
        each
        for each in earlier
        if each.get("at") != answer.get("at") or not is_from_the_chair(each.get("source"))
    ]
