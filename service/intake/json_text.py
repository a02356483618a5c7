"""JSON read strictly: no duplicate keys, no NaN, no bottomless nesting; decimals stay decimals."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any

from service.intake.errors import BadInput, FieldError

MOST_BYTES = 256 * 1024


def parse(text: bytes | str) -> Any:
    """The value, or BadInput with the line of what is wrong."""
    if len(text) > MOST_BYTES:
        raise _refused(f"the request is larger than {MOST_BYTES // 1024} KiB")
    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text
    except UnicodeDecodeError:
        raise _refused("the request is not UTF-8 text") from None
    if not decoded.strip():
        raise _refused("the request is empty: send a JSON object with drug, infusion_at, patient and facts")
    try:
        return json.loads(
            decoded,
            parse_float=_decimal,
            parse_int=_whole,
            parse_constant=_no_constant,
            object_pairs_hook=_unique,
        )
    except json.JSONDecodeError as error:
        raise _refused(f"this is not JSON: line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise _refused("the JSON is nested too deeply") from None


def _refused(message: str) -> BadInput:
    return BadInput([FieldError("", message)])


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise _refused(f"a number of {len(text)} characters is out of range") from None
    return _bounded(number, text)


def _whole(text: str) -> int:
    if len(text) > 30:
        raise _refused(f"a number of {len(text)} characters is out of range")
    return int(text)


def _bounded(number: Decimal, text: str) -> Decimal:
    if len(text) > 60 or (number and not -30 < number.adjusted() < 30):
        raise _refused(f"a number of {len(text)} characters is out of range")
    return number


def _no_constant(name: str) -> Any:
    raise _refused(f"{name} is not a number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _refused(f'the key "{key[:60]}" stands twice in one object')
        found[key] = value
    return found
