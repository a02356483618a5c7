"""How a fact of any type is asked: made from its definition alone, with what is known and what was typed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.checklist.facts import FactDefinition
from service.pages.answers.asked import Asked
from service.pages.answers.blank import Blank
from service.pages.answers.chart import chart_of
from service.pages.answers.chart_asking import chart_buttons, chart_rows, start_in_words
from service.pages.answers.controls import Button, Control, Field, Row, choices_of, english, few_numbers
from service.pages.answers.form import (
    NOW,
    ON,
    SAVE,
    TIME,
    UNDATED,
    UNIT,
    UNKNOWN,
    VALUE,
    WHEN,
)
from service.pages.answers.given import known_of, readings_in, seen_key, unit_in_words
from service.pages.answers.list_asking import (
    entry_fields,
    list_buttons,
    sign_buttons,
    sign_fields,
)
from service.pages.texts import gettext

_NOTHING: Mapping[str, str] = {}
_UNTYPED: Mapping[str, Sequence[str]] = {}


@dataclass(frozen=True)
class _Parts:
    """The parts of a control that depend on the type of the fact."""

    fields: tuple[Field, ...]
    buttons: tuple[Button, ...]
    adding: tuple[Field, ...] = ()
    rows: tuple[Row, ...] = ()
    together: str = ""


def control_of(
    definition: FactDefinition,
    given: Any,
    asked: Asked,
    errors: Mapping[str, str] = _NOTHING,
    typed: Mapping[str, Sequence[str]] = _UNTYPED,
) -> Control:
    """The control of a fact: `given` is what the draft has of it, `errors` and `typed` those of BadAnswer."""
    blank = Blank(definition.name, errors, typed)
    parts = _list(definition, given, blank, asked) if definition.type == "list" else None
    if parts is None:
        parts = _Parts(tuple(_fields(definition, blank, asked)), tuple(_buttons(definition, given, blank)))
    shown = (*parts.fields, *parts.adding, *(field for row in parts.rows for field in row.fields))
    return Control(
        name=definition.name,
        id=blank.id(),
        seen=seen_key(given),
        question=definition.question,
        help=definition.help,
        kind=definition.type,
        answered_by=definition.answered_by,
        confusions=_confusions(definition, asked),
        known=known_of(definition, given, asked) if definition.result or parts.adding else (),
        can_remove=definition.result or bool(parts.adding),
        fields=parts.fields,
        adding=parts.adding,
        is_adding=blank.is_touched(parts.adding),
        rows=parts.rows,
        together=parts.together,
        buttons=parts.buttons,
        errors=blank.listed(shown, parts.rows),
        general=blank.general(shown, parts.rows),
        note=_note(definition, asked),
    )


def _list(definition: FactDefinition, given: Any, blank: Blank, asked: Asked) -> _Parts:
    if not definition.fields:
        fields = tuple(sign_fields(definition, given, blank))
        return _Parts(fields, tuple(sign_buttons(given, blank)))
    if (chart := chart_of(definition)) is not None:
        rows = tuple(chart_rows(definition, chart, given, blank, asked))
        return _Parts(
            (),
            tuple(chart_buttons(given, blank)),
            rows=rows,
            together=start_in_words(chart, definition.name, given, asked),
        )
    adding = tuple(entry_fields(definition, blank, asked))
    return _Parts((), tuple(list_buttons(given, blank)), adding=adding)


def _confusions(definition: FactDefinition, asked: Asked) -> tuple[tuple[str, str], ...]:
    return tuple((asked.vocabulary[name].label, says) for name, says in definition.confusions.items())


def _note(definition: FactDefinition, asked: Asked) -> str:
    """What is taken after the planned start does not count: said before it is entered in vain.

    A result of the laboratory is hardly from after it; at the top of the page it is said for all.
    """
    is_timed = definition.result or definition.ignored_after_infusion is not None
    if not is_timed or definition.answered_by == "record" or asked.minute <= asked.infusion_at:
        return ""
    return gettext("The planned start has passed. Move it first: what is taken after it does not count.")


def _fields(definition: FactDefinition, blank: Blank, asked: Asked) -> Iterator[Field]:
    match definition.type:
        case "integer" if not few_numbers(definition):
            yield blank.text(VALUE, gettext("Number"), number=True)
        case "date":
            yield blank.date(VALUE, gettext("Date"))
        case "quantity":
            yield from _quantity(definition, blank)
    if definition.result:
        yield from _taken(definition, blank)
    if definition.type == "quantity":
        words = {
            "ref_low": gettext("Laboratory's lower limit, in the same unit, if it is reported"),
            "ref_high": gettext("Laboratory's upper limit, in the same unit, if it is reported"),
        }
        for side in sorted(asked.limits.get(definition.name, ())):
            yield blank.text(side, words[side], number=True)


def _quantity(definition: FactDefinition, blank: Blank) -> Iterator[Field]:
    units = tuple((unit, unit_in_words(unit)) for unit in definition.units)
    if len(units) == 1:
        yield blank.text(VALUE, gettext("Value in %(unit)s", unit=units[0][1]), number=True)
        yield blank.hidden(UNIT, units[0][0])
        return
    yield blank.text(VALUE, gettext("Value"), number=True)
    yield blank.one_of(UNIT, gettext("Unit"), units)


def _taken(definition: FactDefinition, blank: Blank) -> Iterator[Field]:
    """When it was taken: a nurse may measure it now, a record may not say."""
    by_nurse = definition.answered_by == "nurse"
    label = gettext("Day it was taken or measured") if by_nurse else gettext("Day the sample was taken")
    yield blank.date(ON, label)
    yield blank.time(TIME, gettext("Time, if it is known"))
    if not by_nurse:
        yield blank.tick(WHEN, gettext("There is no date to be found"), UNDATED)
    elif definition.type == "code":
        yield blank.tick(WHEN, gettext("It was taken just now"), NOW)


def _buttons(definition: FactDefinition, given: Any, blank: Blank) -> Iterator[Button]:
    now = _chosen(definition, given)
    if definition.type == "code":
        for value, words in choices_of(definition.values):
            yield blank.button(VALUE, value, words, chosen=value == now)
    elif numbers := few_numbers(definition):
        for number in numbers:
            yield blank.button(VALUE, str(number), str(number), chosen=str(number) == now)
    else:
        yield blank.say(SAVE, gettext("Save"))
        if definition.result and definition.answered_by == "nurse":
            yield blank.button(WHEN, NOW, gettext("Save, measured just now"))
    for word, says in definition.words.items():
        yield blank.say(word, english(says))
    # What is on record is removed by itself: "not known" would lose it unseen.
    if not (definition.result and readings_in(given)):
        yield blank.say(UNKNOWN, gettext("Not known"), quiet=True)


def _chosen(definition: FactDefinition, given: Any) -> str | None:
    """The answer as it is, where it is one of the buttons; a result is listed with its date instead."""
    readings = readings_in(given)
    return str(readings[0]["value"]) if readings and not definition.result else None
