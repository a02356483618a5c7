"""JSON read strictly: no duplicate keys, no NaN, no bottomless nesting; decimals stay decimals.

No text that a database cannot keep comes in: none with a NUL, and none with half of a surrogate pair.
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any

from service.intake.errors import MOST_ERRORS, BadInput, FieldError

MOST_BYTES = 256 * 1024
MOST_WITH_BUNDLE = 4 * 1024 * 1024
MOST_DEPTH = 100  # a FHIR resource has a dozen; how deep Python itself goes depends on who asks it
_LONGEST_KEY, _LONGEST_PATH = 60, 200  # as written in a path
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_TOO_DEEP = f"the JSON is nested more than {MOST_DEPTH} deep"
_NO_TEXT_SAYS = "holds a character that is none: U+0000, or half of a surrogate pair"

# Where a value stands: the place of what it is in, and its key there. A path is written out for an error
# alone: thousands of them, each as long as the nesting is deep, would take more memory than there is.
Place = tuple[()] | tuple["Place", Any]


def parse(text: bytes | str, most_bytes: int = MOST_BYTES) -> Any:
    """The value, or BadInput with the line, or the path, of what is wrong."""
    if len(text) > most_bytes:
        raise _refused(f"the request is larger than {most_bytes // 1024} KiB")
    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text
    except UnicodeDecodeError:
        raise _refused("the request is not UTF-8 text") from None
    if not decoded.strip():
        raise _refused("the request is empty: send a JSON object with drug, infusion_at, patient and facts")
    try:
        value = json.loads(
            decoded,
            parse_float=_decimal,
            parse_int=_whole,
            parse_constant=_no_constant,
            object_pairs_hook=_unique,
        )
        check_texts(value)
    except json.JSONDecodeError as error:
        raise _refused(f"this is not JSON: line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise _refused(_TOO_DEEP) from None
    return value


def parse_request(text: bytes) -> Any:
    """The value of a request for a checklist, which may be longer where it brings a bundle along.

    Raises BadInput.
    """
    if not fits(text):
        raise _refused(f"the request is larger than {MOST_BYTES // 1024} KiB")
    value = parse(text, MOST_WITH_BUNDLE)
    if len(text) > MOST_BYTES and not (isinstance(value, dict) and "bundle" in value):
        raise _refused(f"the request is larger than {MOST_BYTES // 1024} KiB")
    return value


def fits(text: bytes) -> bool:
    """Whether a request for a checklist is no longer than is taken, as far as a glance can tell."""
    return len(text) <= MOST_BYTES or (len(text) <= MOST_WITH_BUNDLE and b'"bundle"' in text)


def check_texts(value: Any) -> None:
    """Return where every text in it, keys too, can be kept, and it is not nested too deeply.

    Raises BadInput naming the paths of the first texts that cannot.
    """
    found = islice(_not_kept(value, (), MOST_DEPTH), MOST_ERRORS)
    if bad := [FieldError(path, _NO_TEXT_SAYS) for path in dict.fromkeys(map(_written, found))]:
        raise BadInput(bad)


def _not_kept(value: Any, place: Place, deeper: int) -> Iterator[Place]:
    """The places of texts that cannot be kept; of such a key, the place of its object."""
    if isinstance(value, str):
        if _NO_TEXT.search(value):
            yield place
        return
    if not deeper and isinstance(value, dict | list):
        raise _refused(_TOO_DEEP)
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        if isinstance(key, str) and _NO_TEXT.search(key):
            yield place
            continue
        yield from _not_kept(part, (place, key), deeper - 1)


def _written(place: Place) -> str:
    """A place as a path, no longer than is shown."""
    keys: list[str] = []
    while place:
        place, key = place
        keys.append(str(key)[:_LONGEST_KEY])
    return ".".join(reversed(keys))[:_LONGEST_PATH]


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
