"""What the intake refuses in an answer, brought back to the fields in which it was typed."""

import re
from collections.abc import Iterator

from markupsafe import Markup

from service.checklist.facts import FactDefinition
from service.intake.errors import BadInput, FieldError
from service.pages.answers.form import ON, UNIT, VALUE
from service.pages.texts import gettext, in_english

_PLACE = re.compile(r"\[\d+\]")
_PARTS = {"value": VALUE, "unit": UNIT, "at": ON, "ref_low": "ref_low", "ref_high": "ref_high"}


def input_errors(definition: FactDefinition, bad: BadInput) -> dict[str, str]:
    """The errors that concern this fact, by the control's fields, as sentences."""
    found: dict[str, str] = {}
    for field, message in _errors(definition, bad):
        found.setdefault(field, message)
    return found


def _errors(definition: FactDefinition, bad: BadInput) -> Iterator[tuple[str, str]]:
    start = f"facts.{definition.name}"
    for error in bad.errors:
        rest = error.path.removeprefix(start)
        if error.path.startswith(start) and rest[:1] in ("", ".", "["):
            yield _field(definition, _PLACE.sub("", rest).lstrip("."), error)


def _field(definition: FactDefinition, part: str, error: FieldError) -> tuple[str, str]:
    message = error.message.rstrip(".")
    if part in definition.fields:
        field = definition.fields[part]
        typed_in = f"{part}.date" if field.type == "time" else part
        return typed_in, f"{field.label[:1].upper()}{field.label[1:]}: {message}."
    field_name = _PARTS.get(part, VALUE)
    said = {
        VALUE: gettext("This answer"),
        UNIT: gettext("The unit"),
        ON: gettext("The date"),
        "ref_low": gettext("The laboratory's lower limit"),
        "ref_high": gettext("The laboratory's upper limit"),
    }
    return field_name, Markup("{} {}.").format(said[field_name], in_english(message))
