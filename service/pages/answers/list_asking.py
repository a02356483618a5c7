"""How a list is asked: each sign by itself, or one more entry, none, or all."""

from collections.abc import Iterator
from typing import Any

from service.checklist.facts import FactDefinition, FieldDefinition
from service.pages.answers.asked import Asked
from service.pages.answers.blank import Blank
from service.pages.answers.chart import CLOCK, DATE
from service.pages.answers.controls import Button, Field, choices_of, english
from service.pages.answers.form import ALL, NONE, SAVE, UNIT, UNKNOWN
from service.pages.answers.given import entries_in, is_list_known, is_open
from service.pages.answers.lists import AMOUNT, NO, YES
from service.pages.components import Choice, Text
from service.pages.texts import gettext


def sign_fields(definition: FactDefinition, given: Any, blank: Blank) -> Iterator[Field]:
    """A row for each plain code; nothing is chosen that was not answered."""
    entries = entries_in(given)
    absent = NO if is_list_known(given) and not is_open(given) else ""
    choices: tuple[Choice, ...] = (
        (NO, gettext("No")),
        (YES, gettext("Yes")),
        (UNKNOWN, gettext("Not known")),
    )
    for code, words in definition.values.items():
        yield blank.one_of(code, english(words), choices, default=YES if code in entries else absent)


def sign_buttons(given: Any, blank: Blank) -> Iterator[Button]:
    """None of them at once, or each as it was answered."""
    is_none = is_list_known(given) and not is_open(given) and not entries_in(given)
    yield blank.say(NONE, gettext("None of these"), chosen=is_none)
    yield blank.say(SAVE, gettext("Save these answers"))
    yield blank.say(UNKNOWN, gettext("Not known"), quiet=True)


def entry_fields(definition: FactDefinition, blank: Blank, asked: Asked) -> Iterator[Field]:
    """The fields of a new entry."""
    for field in definition.fields.values():
        label = _label(field, definition)
        match field.type:
            case "code":
                yield blank.one_of(
                    field.name,
                    label,
                    choices_of(field.values),
                    default=field.default or "",
                    hint=gettext("Only without a code.") if field.from_code else None,
                )
            case "date":
                yield blank.date(field.name, label)
            case "time":
                yield blank.date(f"{field.name}.{DATE}", label)
                yield blank.time(f"{field.name}.{CLOCK}", gettext("Time"))
            case "quantity":
                yield blank.text(f"{field.name}.{AMOUNT}", label, number=True)
                yield blank.text(f"{field.name}.{UNIT}", gettext("Unit"))
            case _ if field.codes is not None:
                hint = gettext("Type a part of the name, and choose from the list.")
                yield blank.search(field.name, label, _codes(field, definition, asked), hint)
            case _:
                yield blank.text(field.name, label)


def _label(field: FieldDefinition, definition: FactDefinition) -> Text:
    label = english(field.label)
    may_be_left = not field.required and field.default is None
    if may_be_left and field.name not in definition.at_least_one_of:
        return label + " " + gettext("(leave out if not known)")
    return label


def _codes(field: FieldDefinition, definition: FactDefinition, asked: Asked) -> tuple[Choice, ...]:
    """The codes of a list that can be an entry: what one settles must be a value of its field."""
    return tuple(
        (code, each.label)
        for code, each in asked.vocabulary.codes[field.codes or ""].items()
        if all(value in definition.fields[name].values for name, value in each.settles.items())
    )


def list_buttons(given: Any, blank: Blank) -> Iterator[Button]:
    """What can be said of a list as it is: none, not known, or whether these are all."""
    entries = entries_in(given)
    if not entries:
        is_none = is_list_known(given) and not is_open(given)
        yield blank.say(NONE, gettext("None"), chosen=is_none)
        yield blank.say(UNKNOWN, gettext("Not known"), quiet=True)
    elif is_open(given):
        yield blank.say(ALL, gettext("These are all"))
    else:
        yield blank.say(UNKNOWN, gettext("There may be others"), quiet=True)
