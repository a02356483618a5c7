"""Amounts: what a written number, a fact, a quantity or an expression is worth for one patient."""

import re
from datetime import date, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache
from math import isqrt

WRITTEN = re.compile(r"(-?\d+(?:\.\d+)?)(?: (\S+))?")
exact = cache(Fraction)  # rules write the same few numbers for every patient


def worth(tree, chart):
    """A number, a date or a word; None where it is unknown."""
    if isinstance(tree, str):
        return word_worth(tree, chart)
    [expression] = [name for name in EXPRESSIONS if name in tree]
    return EXPRESSIONS[expression](tree, chart)


def word_worth(word, chart):
    if word == "infusion":
        return chart.today
    if word == "region":
        return chart.region
    if word.startswith("policy."):
        return chart.policy.get(word.removeprefix("policy."))
    if word in chart.book.quantities:
        if word not in chart.worths:
            chart.worths[word] = worth(chart.book.quantities[word], chart)
        return chart.worths[word]
    name, _, part = word.partition(".")
    if name in chart.book.facts:
        return fact_worth(name, part, chart.book.facts[name].get("unit"), chart)
    return exact(WRITTEN.fullmatch(word)[1])


def fact_worth(name, part, unit, chart):
    """The value of a result, of the one before it (previous), or the day it was collected."""
    reading = chart.previous(name) if part == "previous" else chart.newest(name)
    if reading is None:
        return None
    if part == "collected":
        return None if reading.at is None else chart.day(reading.at)
    if reading.value in chart.book.facts[name].get("or", {}):
        return None  # a word such as never is no date and no number
    return reading.value if reading.unit == unit else None


def written_in(text, fact):
    """A written amount in the fact's first unit."""
    number, name = WRITTEN.fullmatch(text).groups()
    unit = fact.get("units", {}).get(name, {})
    if name is None or not unit:
        return exact(number)
    number = exact(number) - exact(unit.get("minus", "0"))
    return number * exact(unit.get("times", "1")) / exact(unit.get("over", "1"))


# ---- expressions


def days(tree, chart):
    start, end = worth(tree["days"]["from"], chart), worth(tree["days"]["to"], chart)
    return None if start is None or end is None else Fraction((end - start).days)


def years(tree, chart):
    """Completed years; born on 29 February, the birthday of other years is 1 March."""
    born, day = worth(tree["years"]["from"], chart), worth(tree["years"]["to"], chart)
    if born is None or day is None:
        return None
    had_birthday = (day.month, day.day) >= (born.month, born.day)
    return Fraction(day.year - born.year - (0 if had_birthday else 1))


def later(tree, chart):
    """Months later, the day cut to the month's end; then days later."""
    start = worth(tree["date"], chart)
    if start is None:
        return None
    months = start.year * 12 + start.month - 1 + int(tree.get("plus_months", 0))
    year, month = months // 12, months % 12 + 1
    last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month, min(start.day, last)) + timedelta(days=int(tree.get("plus_days", 0)))


def first_of(tree, chart):
    """The first alternative that certainly applies and is known."""
    from tests.oracle.conditions import truth  # conditions and amounts need each other

    for each in tree["first_of"]:
        if "when" not in each or truth(each["when"], chart) is True:
            value = worth(each["take"], chart)
            if value is not None:
                return value
    return None


def numbers(trees, chart):
    found = [worth(each, chart) for each in trees]
    return None if any(not isinstance(each, Fraction) for each in found) else found


def total(tree, chart):
    found = numbers(tree["sum"], chart)
    return None if found is None else sum(found)


def difference(tree, chart):
    found = numbers(tree["difference"], chart)
    return None if found is None else found[0] - sum(found[1:])


def product(tree, chart):
    found, result = numbers(tree["product"], chart), Fraction(1)
    for each in found or []:
        result *= each
    return None if found is None else result


def ratio(tree, chart):
    found = numbers(tree["ratio"], chart)
    if found is None or 0 in found[1:]:
        return None
    result = found[0]
    for each in found[1:]:
        result /= each
    return result


def percent_change(tree, chart):
    found = numbers([tree["percent_change"]["from"], tree["percent_change"]["to"]], chart)
    return None if not found or found[0] == 0 else (found[1] - found[0]) * 100 / found[0]


def adjusted(tree, chart):
    """A value plus or minus another, or a percentage of itself."""
    [(how, by)] = [(key, each) for key, each in tree.items() if key != "value"] or [("plus", "0")]
    found = numbers([tree["value"], by], chart)
    if found is None:
        return None
    value, by = found
    change = value * by / 100 if how.endswith("percent") else by
    return value + change if how.startswith("plus") else value - change


def body_surface_area(tree, chart):
    """m2 from cm and kg: Mosteller sqrt(cm x kg / 3600); Du Bois 0.007184 x kg^0.425 x cm^0.725."""
    spec = tree["body_surface_area"]
    found, formula = numbers([spec["height"], spec["weight"]], chart), worth(spec["formula"], chart)
    if found is None or formula is None:
        return None
    height, weight = found
    if formula == "mosteller":
        return root(height * weight / 3600)
    with localcontext(prec=50):
        power = decimal(weight) ** Decimal("0.425") * decimal(height) ** Decimal("0.725")
        return Fraction(Decimal("0.007184") * power)


def root(number):
    """The square root: exact where there is one, else to 50 digits."""
    above, below = isqrt(number.numerator), isqrt(number.denominator)
    if above**2 == number.numerator and below**2 == number.denominator:
        return Fraction(above, below)
    with localcontext(prec=50):
        return Fraction(decimal(number).sqrt())


def decimal(number):
    return Decimal(number.numerator) / Decimal(number.denominator)


def bands(tree, chart):
    """The value of the band it lies in: `from` inclusive, `below` exclusive."""
    by = worth(tree["bands"]["by"], chart)
    for band in tree["bands"]["of"] if by is not None else []:
        start, below = (band.get(key, "").split(" ")[0] for key in ("from", "below"))
        if (not start or by >= Fraction(start)) and (not below or by < Fraction(below)):
            return Fraction(band["value"].split(" ")[0])
    return None


EXPRESSIONS = {
    "policy": lambda tree, chart: chart.policy.get(tree["policy"]),
    "fact": lambda tree, chart: fact_worth(
        tree["fact"], "", tree.get("unit", chart.book.facts[tree["fact"]].get("unit")), chart
    ),
    "days": days,
    "years": years,
    "date": later,
    "first_of": first_of,
    "sum": total,
    "difference": difference,
    "product": product,
    "ratio": ratio,
    "percent_change": percent_change,
    "value": adjusted,
    "body_surface_area": body_surface_area,
    "bands": bands,
}
