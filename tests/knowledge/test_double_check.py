"""A pack may ask a second person to enter facts again; a mistake in what it asks for is named."""

import pytest

from service.intake.documents import double_check_document
from tests.builders import checklist_for, request_for, result_for, shipped
from tests.double_check import ROW, asking, texts_that_ask
from tests.knowledge.edits import DRUG, assert_refused


def test_what_a_pack_asks_for_stands_in_its_results_and_nowhere_else():
    document = request_for("inebilizumab", "first dose, US")
    library = asking()
    said = result_for(document, library)["independent_double_check"]

    assert said["facts"] == ["ordered_dose", "anc"]
    assert said["because"] == "Two people read the dose."
    assert said["sources"][0]["ledger"] == [ROW]
    assert double_check_document(library.packs["inebilizumab"]) == said
    assert "independent_double_check" not in result_for(document)
    assert checklist_for(document, library).status is checklist_for(document).status


def test_no_shipped_pack_asks_for_one():
    assert [pack.id for pack in shipped().packs.values() if pack.double_check] == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"facts": "[ordered_dos]"}, 'the fact "ordered_dos" is not in rules/facts.yaml. Did you mean'),
        ({"facts": "[dose_number, dose_number]"}, "this fact stands twice"),
        ({"facts": "[]"}, "Shorter than minimum length 1"),
        ({"row": "ino.age"}, 'the ledger has no row "ino.age" for this drug'),
    ],
)
def test_a_mistake_in_what_is_asked_for_is_named(changes, said):
    texts = texts_that_ask(**changes)
    passage = "  cites: [{source" if "row" in changes else f"  facts: {changes['facts']}"
    assert texts[DRUG].count(passage) == 1
    assert_refused(texts, passage, "independent_double_check", said)
