"""An oracle: the rule language once more, slowly and plainly, sharing no code with the service.

    from tests.oracle import verdicts
    verdicts(request, "inebilizumab")  ->  {"under-18": "ruled_out", ...}

It reads the rule files and the request as they are written, exactly (fractions, never rounded), and
answers rule by rule. Where it and the service differ, one of the two has misread the language.
"""

from fractions import Fraction
from functools import cache
from pathlib import Path

from tests.oracle.chart import Chart
from tests.oracle.conditions import all_of, opposite, truth
from tests.oracle.rule_files import open_book

RULES = Path(__file__).parents[2] / "rules"
WORDS = {True: "holds", None: "undecided", False: "ruled_out"}

book_of = cache(open_book)


def verdicts(request, drug, *, unset=(), rules=RULES):
    """What becomes of every rule of the drug; `unset` are policy parameters without a value."""
    book = book_of(rules, drug)
    policy = {
        name: spec["value"] if spec["type"] == "code" else Fraction(spec["value"])
        for name, spec in book.policy.items()
        if spec["value"] != "null" and name not in unset
    }
    chart = Chart(request, book, policy)
    return {rule.name: WORDS[concern(rule, chart)] for rule in book.rules}


def concern(rule, chart):
    """Whether the rule speaks for this patient: all that narrows it, and what it is about."""
    narrowed = all_of(truth(each, chart) for each in rule.narrowed)
    if narrowed is False:
        return False
    about = truth(rule.about, chart, against=not rule.unless)
    return all_of([narrowed, opposite(about) if rule.unless else about])
