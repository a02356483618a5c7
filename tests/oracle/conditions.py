"""Conditions: True, False, or None where it cannot be known (Kleene's strong connectives).

`against` is the answer that would hold the infusion. Evidence that is too old may give that answer and
no other: it may hold an infusion, never clear one.
"""

import operator
from datetime import date, datetime, timedelta
from fractions import Fraction

from tests.oracle.amounts import worth, written_in

BILLION = 10**9
COMPARISONS = {
    "is": operator.eq,
    "is_not": operator.ne,
    "is_one_of": lambda value, codes: value in codes,
    "is_none_of": lambda value, codes: value not in codes,
    "above": operator.gt,
    "at_least": operator.ge,
    "below": operator.lt,
    "at_most": operator.le,
}


def opposite(answer):
    return None if answer is None else not answer


def all_of(answers):
    """What one of them settles is settled: those after it are not asked for."""
    known = True
    for answer in answers:
        if answer is False:
            return False
        known = known and answer is not None
    return True if known else None


def any_of(answers):
    return opposite(all_of(opposite(answer) for answer in answers))


def truth(tree, chart, against=True):
    """The answer to a condition; several parts in one mapping must all hold."""
    return all_of(part(key, each, chart, against) for key, each in tree.items())


def part(key, tree, chart, against):
    if key == "all":
        return all_of(truth(each, chart, against) for each in tree)
    if key == "any":
        return any_of(truth(each, chart, against) for each in tree)
    if key == "not":
        return opposite(truth(tree, chart, not against))
    if key == "recorded":  # what is unknown is not on record
        return truth(tree, chart, against) is True
    comparisons = {name: each for name, each in tree.items() if name != "no_older_than"}
    answer = all_of(compared(key, name, each, chart) for name, each in comparisons.items())
    if answer is None or "no_older_than" not in tree or is_fresh(key, tree["no_older_than"], chart):
        return answer
    return answer if answer is against else None


def compared(subject, name, operand, chart):
    """One comparison of one subject, whatever the age of the evidence."""
    match name:
        case "any":
            return some_entry(subject, operand, chart)
        case "none":
            return opposite(some_entry(subject, operand, chart))
        case "is_recorded":
            return True if chart.newest(subject) else None
        case "in_conflict":
            timeline, undated = chart.timeline(subject)
            return None if (timeline or undated) and chart.newest(subject) is None else False
        case "between":
            limits = zip(("at_least", "at_most"), operand, strict=True)
            return all_of(compared(subject, each, limit, chart) for each, limit in limits)
        case "outside":
            limits = zip(("below", "above"), operand, strict=True)
            return any_of(compared(subject, each, limit, chart) for each, limit in limits)
    value, other = sides(subject, operand, chart)
    if value is None or other is None:
        return None
    if isinstance(value, Fraction):  # to the billionth: a smaller difference is none
        return COMPARISONS[name](round((value - other) * BILLION), 0)
    return COMPARISONS[name](value, other)


def sides(subject, operand, chart):
    """What is compared, and with what."""
    name, _, _ = subject.partition(".")
    fact = chart.book.facts.get(name, {})
    if isinstance(operand, str) and operand in fact.get("or", {}):
        reading = chart.newest(name)
        return reading and (reading.value if isinstance(reading.value, str) else "given"), operand
    value = worth(subject, chart)
    if isinstance(operand, list) or is_code(subject, chart):
        return value, operand
    if isinstance(operand, dict) and ("times_upper_limit" in operand or "times_lower_limit" in operand):
        return value, own_limit(name, operand, chart)
    is_written = isinstance(operand, str) and (operand[0].isdigit() or operand[0] == "-")
    return value, written_in(operand, fact) if is_written else worth(operand, chart)


def is_code(subject, chart):
    if subject == "region":
        return True
    if subject.startswith("policy."):
        return chart.book.policy[subject.removeprefix("policy.")]["type"] == "code"
    return chart.book.facts.get(subject.removesuffix(".previous"), {}).get("type") == "code"


def own_limit(fact, operand, chart):
    """A multiple of the laboratory's limit for this very result; without one, what `else` says."""
    reading = chart.newest(fact)
    upper = "times_upper_limit" in operand
    limit = reading and (reading.high if upper else reading.low)
    if limit is None:
        return worth(operand["else"], chart) if "else" in operand else None
    return limit * Fraction(operand["times_upper_limit" if upper else "times_lower_limit"])


def is_fresh(subject, age, chart):
    """Whether the evidence is young enough: whole days back from `before`, or hours from the infusion."""
    name, _, which = subject.partition(".")
    reading = chart.previous(name) if which == "previous" else chart.newest(name)
    at = reading.value if isinstance(reading.value, date) else reading.at
    limit = worth(age.get("days") or age.get("hours") or {"policy": age.get("policy")}, chart)
    if at is None or limit is None:
        return False
    if "hours" in age:
        if not isinstance(at, datetime):  # sometime on that day: as old as it may be
            at = datetime(at.year, at.month, at.day, tzinfo=chart.infusion_at.tzinfo)
        return chart.infusion_at - at <= timedelta(hours=int(limit))
    anchor = worth(age.get("before", "infusion"), chart)
    return anchor is not None and (anchor - chart.day(at)).days <= limit


# ---- lists


def some_entry(fact, tests, chart):
    """Whether one entry of a list meets every test."""
    reading = chart.newest(fact)
    if reading is None:
        return None
    return any_of(
        all_of(field_test(entry.get(field), test, chart) for field, test in tests.items())
        for entry in reading.value
    )


def field_test(value, test, chart):
    if value is None:
        return None
    if "days_before" in test or "minutes_before" in test:
        return time_test(value, test, chart)
    return all_of(word_test(value, name, operand, chart) for name, operand in test.items())


def word_test(value, name, operand, chart):
    if name not in ("in", "not_in"):
        return COMPARISONS[name](value, operand)
    sets = operand if isinstance(operand, list) else [operand]
    found = any(value.strip().casefold() in chart.book.sets[each] for each in sets)
    return found is (name == "in")


def time_test(at, test, chart):
    """How long before: whole days before a date, or whole minutes before the infusion."""
    if "minutes_before" in test:
        before = (chart.infusion_at - at) // timedelta(minutes=1) if isinstance(at, datetime) else None
    else:
        anchor = worth(test["days_before"], chart)
        before = None if anchor is None else (anchor - chart.day(at)).days
    answers = []
    for name, operand in test.items():
        if name == "between":
            answers.append(within(before, "at_least", operand[0], chart))
            answers.append(within(before, "at_most", operand[1], chart))
        elif name in COMPARISONS:
            answers.append(within(before, name, operand, chart))
    return all_of(answers)


def within(before, name, operand, chart):
    limit = worth(operand, chart)
    return None if before is None or limit is None else COMPARISONS[name](before, limit)
