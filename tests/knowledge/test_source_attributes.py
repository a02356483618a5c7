"""The thirteen source attributes of each rule: what it rests on, and which personal data it uses."""

import pytest

from service.knowledge.library import library_from
from service.knowledge.source_attributes import KINDS, source_attributes
from tests.builders import shipped
from tests.knowledge.edits import DRUG, problems_of, texts_with
from tests.laws.asking import ask, patients

DRUGS = sorted(shipped().packs)
every_drug = pytest.mark.parametrize("drug", DRUGS)


def facts_in(node):
    """The facts that a node of a trace names, with all below it."""
    below = [name for part in node.get("of", ()) for name in facts_in(part)]
    return {*node.get("facts", ()), *below}


def uses_of(pack):
    """Rule -> the kinds that its attributes call used."""
    return {
        each.rule.id: {one.name for one in each.attributes if one.value.startswith("used: ")}
        for each in source_attributes(pack)
    }


@every_drug
def test_a_kind_is_used_exactly_where_a_fact_of_it_is_read_in_the_trace(drug):
    """And what a rule does not use changes no verdict of it, whoever the patient."""
    pack = shipped().packs[drug]
    uses = uses_of(pack)
    kinds = {name: set(fact.reported_as) for name, fact in pack.vocabulary.facts.items()}
    for request in patients(611, drug, 25):
        trace = ask(request).trace
        for rule in pack.rules:
            read = facts_in(trace.rule(rule)["concern"])
            assert uses[rule.id] == {kind for name in read - {"region"} for kind in kinds[name]}, rule.id
        for kind in KINDS:
            left = {name: fact for name, fact in request["facts"].items() if kind not in kinds[name]}
            if len(left) == len(request["facts"]):
                continue
            without = ask({**request, "facts": left}).trace.verdicts
            unused = [rule.id for rule in pack.rules if kind not in uses[rule.id]]
            assert {id: without[id] for id in unused} == {id: trace.verdicts[id] for id in unused}


def test_what_is_used_is_what_a_reader_of_the_labels_expects():
    rules = {rule: kinds for pack in shipped().packs.values() for rule, kinds in uses_of(pack).items()}
    assert rules["under-18"] == {"date_of_birth"}
    assert rules["pml-signs"] == {"health_status"}
    assert rules["hbv-active"] == set()
    assert rules["breastfeeding"] == {"sex", "health_status"}


def test_a_site_names_itself_and_its_money_in_the_pack():
    stated = "developer: '=Site pharmacy'\nfunding: The site's own budget"
    texts = texts_with(("developer: The Dosegate project", stated), ("released: 2026-11-22\n", ""))
    [pack] = library_from(texts).packs.values()
    _, developer, funding, dates, *_ = source_attributes(pack)[0].attributes
    assert (developer.value, funding.value) == ("=Site pharmacy", "The site's own budget")
    assert "released on a day that is not stated" in dates.value


def test_a_kind_of_data_that_there_is_not_is_refused():
    texts = texts_with(("reported_as: [sex]", "reported_as: [gender]"), file="facts.yaml")
    assert any("sex" in problem.place for problem in problems_of(texts))
    assert DRUG in texts
