"""Where a rule may speak less for knowing less: what it reads *on record*, and the choices of *first of*.

Everything else is monotone: an unknown fact leaves a rule as it was, or undecided.
"""

from functools import cache

from service.checklist.conditions import Recorded
from service.checklist.terms import FirstOf


@cache
def lenient_facts(rule):
    """The facts of which a rule may be ruled out, or hold, for want of knowing them."""
    return frozenset(_of_condition(rule.concern))


def _of_condition(condition):
    if isinstance(condition, Recorded):
        yield from condition.facts()
    for part in condition.parts:
        yield from _of_condition(part)
    if not condition.parts:
        for term in condition.measure.terms():
            yield from _of_term(term)


def _of_term(term):
    """An alternative that cannot be chosen gives way to the next one; nothing comes after the last."""
    if isinstance(term, FirstOf):
        for condition, value in term.alternatives[:-1]:
            yield from () if condition is None else condition.facts()
            yield from value.facts()
    for each in term.inputs():
        yield from _of_term(each)
