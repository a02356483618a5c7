"""Answers about a list: none, one more entry, one entry less, or that these are all."""

from typing import Any

from service.checklist.facts import FactDefinition, FieldDefinition
from service.pages.answers.asked import Asked, source_of_list
from service.pages.answers.chart import CLOCK, DATE, chart_of, charted
from service.pages.answers.form import ADD, ALL, NONE, REMOVE, SAVE, SAY, UNIT, UNKNOWN, VALUE, Sheet
from service.pages.answers.given import entries_in, is_list_known, is_open, without
from service.pages.texts import gettext

YES, NO = "yes", "no"
AMOUNT = "amount"


def read_list(definition: FactDefinition, sheet: Sheet, asked: Asked, given: Any) -> Any:
    """The list as a request gives it, with what the form changes; None says that it is not known.

    Entries that are known stay until each is removed: neither *none* nor *not known* loses one unseen.
    """
    said, entries = sheet.said(SAY), entries_in(given)
    if key := sheet.said(REMOVE):
        left = without(entries, key)
        if left is None:
            sheet.refuse(VALUE, gettext("This is no longer there; look again."))
        return _listed(definition, asked, left, is_all=not is_open(given)) if left else None
    if said == UNKNOWN:
        return _listed(definition, asked, entries, is_all=False) if entries and definition.fields else None
    if not definition.fields:
        return _ticked(definition, sheet, asked, said)
    if said == NONE:
        _refuse_none(definition, sheet, entries)
        return _listed(definition, asked, [], is_all=True)
    if said == ALL and entries:
        return _listed(definition, asked, entries, is_all=True)
    if (chart := chart_of(definition)) is not None:
        now = charted(chart, sheet, asked, entries)
        return _listed(definition, asked, now, is_all=True) if now is not None else None
    if said != ADD:
        sheet.refuse(VALUE, gettext("Choose an answer."))
        return None
    item = _item(definition, sheet, asked)
    # Whoever names one has not said that there is no other.
    return _listed(definition, asked, [*entries, item], is_all=is_list_known(given) and not is_open(given))


def _listed(definition: FactDefinition, asked: Asked, entries: list[Any], *, is_all: bool) -> dict[str, Any]:
    given = asked.given.get(definition.name) if entries else None
    complete = {} if is_all else {"complete": "no"}
    return {"value": entries, **complete, "source": source_of_list(definition, asked, given)}


def _refuse_none(definition: FactDefinition, sheet: Sheet, entries: list[Any]) -> None:
    if entries:
        sheet.refuse(VALUE, gettext("Something is listed: remove it first if it is wrong."))
    typed = [name for name, field in definition.fields.items() if field.type == "text" and sheet.said(name)]
    for name in typed:
        sheet.refuse(name, gettext("Add this first, or empty it."))


def _ticked(definition: FactDefinition, sheet: Sheet, asked: Asked, said: str) -> Any:
    """A list of plain codes: each answered by itself; one that is not answered is no No."""
    answers = {code: sheet.said(code) for code in definition.values}
    if said == NONE:
        for code, answer in answers.items():
            if answer not in ("", NO):
                sheet.refuse(code, gettext("You answered this otherwise: save the answers instead."))
        return _listed(definition, asked, [], is_all=True)
    if said != SAVE:
        sheet.refuse(VALUE, gettext("Choose an answer."))
    for code, answer in answers.items():
        if answer not in (YES, NO, UNKNOWN):
            sheet.refuse(code, gettext("Answer this one too: No, Yes or Not known."))
    found = [code for code, answer in answers.items() if answer == YES]
    return _listed(definition, asked, found, is_all=UNKNOWN not in answers.values())


def _item(definition: FactDefinition, sheet: Sheet, asked: Asked) -> dict[str, Any]:
    parts = {name: _part(field, sheet, asked) for name, field in definition.fields.items()}
    for name, field in definition.fields.items():
        if field.required and parts[name] is None:
            sheet.refuse(name, gettext("Fill this in: %(label)s.", label=field.label))
    choice = definition.at_least_one_of
    if choice and all(parts[name] is None for name in choice):
        labels = gettext(" or ").join(definition.fields[name].label for name in choice)
        sheet.refuse(choice[0], gettext("Fill in one of these: %(labels)s.", labels=labels))
    return {name: part for name, part in parts.items() if part is not None}


def _part(field: FieldDefinition, sheet: Sheet, asked: Asked) -> Any:
    """What one field of a new entry says; None where it says nothing or was refused."""
    name = field.name
    match field.type:
        case "time":
            on, at = f"{name}.{DATE}", f"{name}.{CLOCK}"
            return sheet.moment(on, at, asked) if sheet.said(on) or sheet.said(at) else None
        case "quantity":
            return _quantity(name, sheet)
        case "date":
            day = sheet.day(name) if sheet.said(name) else None
            return day.isoformat() if day is not None else None
    said = sheet.said(name)
    if not said:
        return None
    if field.codes is not None:
        return _code(field, said, sheet, asked)
    if field.values and said not in field.values:
        sheet.refuse(name, gettext("Choose an answer."))
    return said


def _quantity(name: str, sheet: Sheet) -> dict[str, Any] | None:
    amount, unit = f"{name}.{AMOUNT}", f"{name}.{UNIT}"
    if not sheet.said(amount) and not sheet.said(unit):
        return None
    if not sheet.said(unit):
        sheet.refuse(unit, gettext("Enter the unit."))
    return {"value": sheet.number(amount), "unit": sheet.said(unit)}


def _code(field: FieldDefinition, said: str, sheet: Sheet, asked: Asked) -> str | None:
    """The code: as it is, or with its label as the list beside the field offers it."""
    codes = asked.vocabulary.codes[field.codes or ""]
    code, _, label = said.partition(" ")
    if code in codes and label.strip() in ("", codes[code].label):
        return code
    sheet.refuse(field.name, gettext("Choose one from the list, or enter the number alone."))
    return None
