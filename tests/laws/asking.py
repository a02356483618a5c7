"""Random patients put to the service, and what a law looks at in the answer."""

import json
import random
from datetime import UTC, datetime
from functools import cache

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from service.checklist.evaluate import evaluate
from service.checklist.evidence import Case
from service.checklist.trace import VERDICTS, Trace, measure
from service.intake.documents import result_document, trace_document
from service.intake.errors import BadInput
from service.intake.requests import read_request
from service.knowledge.library import library_from, load_library
from tests.random_patients import random_request

LIBRARY = load_library()
DRUGS = sorted(LIBRARY.packs)
WORST = ("pass", "warn", "block")
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)

# A seed shrinks to nothing simpler: `smallest` takes a request apart instead.
LAWS = settings(
    derandomize=True,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
SEEDS = st.integers(0, 2**32 - 1)


def patients(seed, drug, how_many):
    """Requests that the service takes; the same seed gives the same ones."""
    rng = random.Random(f"{drug} {seed}")
    found = []
    while len(found) < how_many:
        request = random_request(rng, drug)
        if is_taken(request):
            found.append(request)
    return found


def is_taken(request):
    """Whether the service takes the request: a change may make a value implausible, or a date too early."""
    try:
        read_request(request, LIBRARY)
    except BadInput:
        return False
    return True


def ask(request, **policy):
    """The checklist; `policy` are parameters with another value than the site's."""
    read = read_request(request, LIBRARY)
    return evaluate(read.pack, read.situation, {**LIBRARY.policy.values, **policy}, LIBRARY.engine(read.pack))


def decide(request):
    """The trace alone, with what the engine decided: all that a law about rules looks at."""
    read = read_request(request, LIBRARY)
    known = read.situation
    case = Case.of(
        read.pack.vocabulary, known.facts, known.infusion_at, known.region, dict(LIBRARY.policy.values)
    )
    values = measure(read.pack, case)
    return Trace(read.pack, case, values, LIBRARY.engine(read.pack).decide(values))


def in_words(truths):
    """Rule by rule, in words."""
    return {rule: VERDICTS[truth] for rule, truth in truths.items()}


def verdicts(checklist):
    """What the trace of a checklist says of each rule, in words."""
    return in_words(checklist.trace.verdicts)


def statuses(checklist):
    """The worst status of each check."""
    found = {}
    for finding in checklist.findings:
        found[finding.check] = max(found.get(finding.check, "pass"), finding.status.word, key=WORST.index)
    return found


def documents(request, checklist):
    """The result and the trace, byte for byte."""
    read = read_request(request, LIBRARY)
    result = result_document(checklist, read, LIBRARY, id="1", evaluated_at=NOON)
    return json.dumps(result), json.dumps(trace_document(checklist))


def smallest(request, still):
    """The request without whatever it does not need for `still` to hold of it."""
    smaller = True
    while smaller:
        smaller = False
        for less in one_thing_less(request):
            if is_taken(less) and still(less):
                request, smaller = less, True
                break
    return request


def one_thing_less(request):
    facts = request["facts"]
    for name, fact in facts.items():
        yield {**request, "facts": {other: each for other, each in facts.items() if other != name}}
        for place in range(len(fact)) if isinstance(fact, list) else ():
            yield {**request, "facts": {**facts, name: fact[:place] + fact[place + 1 :]}}


def compact(request):
    """One line to paste into a report."""
    said = (request["drug"], request.get("region", "-"), request["infusion_at"])
    return f"{' '.join(said)} {json.dumps(request['facts'])}"


@cache
def fresh_library():
    """The same rules, read and compiled once more."""
    return library_from(LIBRARY.texts)
