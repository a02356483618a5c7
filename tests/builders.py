"""What many tests stand on: the shipped library, the scenario files and their complete patients."""

import functools
import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from service.checklist.engine import Engine
from service.checklist.evidence import Case
from service.checklist.trace import Trace, measure
from service.intake.documents import result_document
from service.intake.facts import read_facts
from service.intake.requests import answer, read_request
from service.knowledge import strict_yaml
from service.knowledge.grammar import VERBS, SharedSchema
from service.knowledge.library import load_library
from service.knowledge.packs import build_pack, digest_of, validated

ROOT = Path(__file__).resolve().parents[1]
SCENARIOS = ROOT / "tests" / "scenarios"
EVALUATED_AT = datetime(2026, 10, 6, 18, 0, tzinfo=UTC)


@functools.cache
def shipped():
    """The packs, vocabulary, policy and ledger under `rules/`, read once."""
    return load_library()


@functools.cache
def scenario_file(drug):
    """The patients and scenarios of a drug."""
    path = SCENARIOS / f"{drug}.yaml"
    return strict_yaml.read(path.read_text("utf-8"), path.name).data


def request_for(drug, patient, /, *, with_=None, without=(), **changes):
    """The request of a complete patient of the drug's scenario file, with facts given anew or left out."""
    complete = scenario_file(drug)["patients"][patient]
    facts = {**complete["facts"], **(with_ or {})}
    return {
        "drug": drug,
        "region": complete["region"],
        "infusion_at": complete["infusion_at"],
        "patient": {"id": "MRN-1001"},
        "facts": {name: value for name, value in facts.items() if name not in without},
        **changes,
    }


def checklist_for(document, library=None):
    """The checklist of a request document."""
    library = library or shipped()
    return answer(read_request(document, library), library)


def result_for(document, library=None):
    """The result document of a request document."""
    library = library or shipped()
    request = read_request(document, library)
    return result_document(answer(request, library), request, library, id="1", evaluated_at=EVALUATED_AT)


def pack_of(rules, *, quantities=None, library=None):
    """A pack of these rules, each given by its verb and condition; read as a file would be.

    A rule that can be undecided warns then, unless it says otherwise.
    """
    library = library or shipped()
    spec = {
        "drug": "testmab",
        "title": "Testmab",
        "brands": ["Tester"],
        "class": "test antibody",
        "excipients": ["trehalose"],
        "regions": ["US", "EU"],
        "version": "1.0.0",
        "status": "draft",
        "owner": "tests",
        "review_by": "2027-01-01",
        "sources": {"book": {"title": "A book", "revised": "undated", "grade": "site"}},
        "quantities": quantities or {},
        "checks": {
            "dose": {
                "title": "Dose",
                "nothing_found": "Nothing found.",
                "rules": {name: _rule(rule) for name, rule in rules.items()},
            }
        },
        "observation": [],
    }
    document = strict_yaml.read(json.dumps(spec), "testmab.yaml")
    shared = validated(SharedSchema(), strict_yaml.read(library.texts["shared.yaml"], "shared.yaml"))
    digest = digest_of({"testmab.yaml": json.dumps(spec)})
    return build_pack(document, shared, library.vocabulary, library.policy, digest)


def _rule(rule):
    conditions = [rule[key] for key in rule if key in (*VERBS, "applies_if")]
    undecidable = any(may_be_undecided(each) for each in conditions)
    return {
        "kind": "caution",
        "because": "It is so.",
        "do": "Ask.",
        "cites": [{"source": "book", "at": "1", "ledger": ["x"]}],
        **({"if_unknown": {"warn": "Ask."}} if undecidable else {}),
        **rule,
    }


def may_be_undecided(tree):
    """Whether a condition asks anything that is not on record anyway."""
    (key, inner), *more = tree.items()
    if key in ("all", "any"):
        return any(map(may_be_undecided, inner))
    own = may_be_undecided(inner) if key == "not" else key not in ("recorded", "region")
    return own or any(may_be_undecided({name: each}) for name, each in more if key != "use")


INFUSION_AT = datetime(2026, 12, 1, 9, 0, tzinfo=timezone(timedelta(hours=-5)))


def measured(pack, facts, *, policy=None, region="US", infusion_at=INFUSION_AT):
    """The case of a patient, and the values that the pack's criteria compare."""
    vocabulary = shipped().vocabulary
    typed = read_facts(facts, vocabulary, infusion_at)
    policy = shipped().policy.values if policy is None else policy
    case = Case.of(vocabulary, typed, infusion_at, region, dict(policy))
    return case, measure(pack, case)


def verdicts(pack, engine, facts, **situation):
    """The truth of every rule in words: as the engine decides it, and as the trace does. They agree."""
    case, values = measured(pack, facts, **situation)
    decided = engine.decide(values)
    assert decided == Trace(pack, case, values, decided).verdicts
    return {rule: truth.word for rule, truth in decided.items()}


@contextmanager
def loaded(pack):
    """The engine of a pack, unloaded again at the end."""
    engine = Engine(pack)
    try:
        yield engine
    finally:
        engine.close()
