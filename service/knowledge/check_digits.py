"""Check digits: whether a code can be one of its system, or is a slip of the hand."""

from collections.abc import Callable, Mapping

_SHIFT = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
_SHIFTS = [tuple(range(10))]
for _ in range(7):
    _SHIFTS.append(tuple(_SHIFT[each] for each in _SHIFTS[-1]))


def mod10(code: str) -> bool:
    """Whether the digit behind the dash fits (as of credit cards). Codes of LOINC's answers have none."""
    if code.startswith("LA"):
        return True
    body, dash, digit = code.rpartition("-")
    if not (dash and _digits(body) and len(digit) == 1 and _digits(digit)):
        return False
    total = 0
    for place, each in enumerate(reversed(body)):
        doubled = int(each) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return (10 - total % 10) % 10 == int(digit)


def verhoeff(code: str) -> bool:
    """Whether the last digit fits, by Verhoeff; every slip of one digit, or of two side by side, is found."""
    if not _digits(code):
        return False
    total = 0
    for place, each in enumerate(reversed(code)):
        total = _turned(total, _SHIFTS[place % 8][int(each)])
    return total == 0


def _turned(left: int, right: int) -> int:
    """The product of two elements of the dihedral group of a pentagon, by their numbers."""
    turn = right if left < 5 else -right
    return (left + turn) % 5 + (5 if (left < 5) != (right < 5) else 0)


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


CHECKS: Mapping[str, Callable[[str], bool]] = {"mod10": mod10, "verhoeff": verhoeff}
