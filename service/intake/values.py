"""One received value as a typed one: nothing is guessed, coerced or rounded."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from service.checklist.facts import FactDefinition, FieldDefinition
from service.knowledge.problems import did_you_mean

LONGEST_TEXT = 200
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATETIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?([Zz]|[+-]\d{2}:\d{2})?")
_YEARS = range(1880, 2201)
UNKNOWN_WORD = "unknown"


class Refused(Exception):
    """A value that is not of its fact; `part` is the key inside the fact, if any."""

    def __init__(self, message: str, part: str = "") -> None:
        self.message, self.part = message, part
        super().__init__(message)


def is_unknown(raw: Any) -> bool:
    """Absent, null and the word unknown all mean unknown."""
    return raw is None or raw == UNKNOWN_WORD


def read_code(raw: Any, values: Mapping[str, str]) -> str:
    """One of the allowed codes."""
    allowed = ", ".join(values)
    if isinstance(raw, bool):
        raise Refused(f"write one of {allowed} in words; true and false are not accepted")
    if not isinstance(raw, str):
        raise Refused(f"must be one of {allowed}")
    if raw not in values:
        raise Refused(f"is not one of {allowed}.{did_you_mean(raw[:60], values)}")
    return raw


def read_date(raw: Any) -> date:
    """A calendar date, written YYYY-MM-DD."""
    if not isinstance(raw, str) or not _DATE.fullmatch(raw):
        raise Refused("must be a date such as 2026-11-10")
    try:
        day = date.fromisoformat(raw)
    except ValueError:
        raise Refused("is no date of the calendar") from None
    if day.year not in _YEARS:
        raise Refused(f"is implausible: years {_YEARS[0]} to {_YEARS[-1]} are accepted")
    return day


def read_moment(raw: Any) -> date | datetime:
    """A date, or a datetime with an offset."""
    if isinstance(raw, str) and _DATE.fullmatch(raw):
        return read_date(raw)
    return read_datetime(raw)


def read_datetime(raw: Any) -> datetime:
    """A datetime with an offset (RFC 3339)."""
    if not isinstance(raw, str) or not (match := _DATETIME.fullmatch(raw)):
        raise Refused("must be a date and time with an offset, such as 2026-12-01T09:00:00-05:00")
    if match[3] is None:
        raise Refused("needs an offset from UTC, such as 2026-12-01T09:00:00-05:00")
    try:
        moment = datetime.fromisoformat(raw.upper())
    except ValueError:
        raise Refused("is no date and time of the calendar") from None
    if moment.year not in _YEARS:
        raise Refused(f"is implausible: years {_YEARS[0]} to {_YEARS[-1]} are accepted")
    return moment


def read_text(raw: Any, longest: int = LONGEST_TEXT) -> str:
    """A text of at most so many characters that says something."""
    if not isinstance(raw, str) or not raw.strip():
        raise Refused("must be a text that says something")
    if len(raw) > longest:
        raise Refused(f"is longer than {longest} characters")
    if any("\ud800" <= character <= "\udfff" or character == "\0" for character in raw):
        raise Refused("is not valid text")
    return raw.strip()


def read_integer(raw: Any, definition: FactDefinition) -> int:
    """A whole number in the plausible range."""
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise Refused("must be a whole number, without quotes")
    if definition.numbers and raw not in definition.numbers:
        raise Refused(f"must be one of {', '.join(map(str, definition.numbers))}")
    _plausible(Decimal(raw), definition, "")
    return raw


def read_number(raw: Any) -> Decimal:
    """A finite number, not a text."""
    if isinstance(raw, bool) or not isinstance(raw, int | Decimal | float):
        raise Refused("must be a number, without quotes")
    number = raw if isinstance(raw, Decimal) else Decimal(str(raw))
    if not number.is_finite():
        raise Refused("must be a finite number")
    return number


def read_quantity(raw: Any, unit: Any, definition: FactDefinition) -> tuple[Decimal, str]:
    """A number with an accepted unit, converted to the canonical one; the amount and that unit."""
    number = read_number(raw)
    accepted = ", ".join(definition.units)
    if unit is None:
        raise Refused(f"needs a unit: {accepted}", "unit")
    if not isinstance(unit, str) or unit not in definition.units:
        near = did_you_mean(str(unit)[:30], definition.units)
        raise Refused(f"is not a unit of this fact; accepted: {accepted}.{near}", "unit")
    converted = definition.units[unit].convert(number)
    _plausible(converted, definition, definition.units[unit].canonical)
    return converted, definition.units[unit].canonical


def _plausible(number: Decimal, definition: FactDefinition, unit: str) -> None:
    low, high = definition.low, definition.high
    if (low is not None and number < low) or (high is not None and number > high):
        raise Refused(
            f"is implausible: {low} to {high} {unit}".strip() + " is accepted; check value and unit"
        )


def read_any_quantity(raw: Any) -> Mapping[str, Any]:
    """A number with any unit: recorded, never compared."""
    if not isinstance(raw, dict) or set(raw) != {"value", "unit"}:
        raise Refused("must be a number with its unit: value and unit")
    return {"value": read_number(raw["value"]), "unit": read_text(raw["unit"])}


def read_field(raw: Any, definition: FieldDefinition) -> Any:
    """One field of a list's entry."""
    match definition.type:
        case "code":
            return read_code(raw, definition.values)
        case "date":
            return read_date(raw)
        case "time":
            return read_moment(raw)
        case "quantity":
            return read_any_quantity(raw)
        case _:
            return read_text(raw)
