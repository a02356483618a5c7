"""How amounts and lists of words are written."""

from collections.abc import Iterable
from decimal import Decimal

UNITS = {
    "Cel": "°C",
    "[degF]": "°F",
    "10*9/L": "10⁹/L",
    "umol/L": "µmol/L",
    "/uL": "/µL",
    "mg/m2": "mg/m²",
    "m2": "m²",
    "percent": "%",
    "[in_i]": "in",
    "[lb_av]": "lb",
}


def listed(words: Iterable[str], joint: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    *most, last = list(words) or [""]
    return f"{', '.join(most)} {joint} {last}" if most else last


def number(value: int | Decimal) -> str:
    """A number to at most three decimals; a shortened one says so."""
    if isinstance(value, int):
        return str(value)
    short = round(value, 3)
    if value and not short:
        return f"about {value:.2g}"
    text = f"{short.normalize():f}"
    return text if short == value else f"about {text}"


def amount(value: int | Decimal, unit: str | None) -> str:
    """A number with its unit as it is written on a chart."""
    return f"{number(value)} {UNITS.get(unit, unit)}" if unit else number(value)
