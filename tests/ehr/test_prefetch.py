"""What an EHR sent along: nothing of it is lost without a word, however it is wrapped."""

import pytest

from service.ehr.prefetch import entries, read_prefetch
from service.ehr.search_pages import page_of
from service.fhir.searches import Search
from tests.ehr.calls import bundle, order
from tests.ehr.fhir_server import outcome

SEARCH = Search("results", "Observation", "Observation?patient={{context.patientId}}")
ONE, TWO = ({"resourceType": "Observation", "id": id} for id in ("1", "2"))
NEXT = [{"relation": "next", "url": "https://fhir.ehr.example.org/r4/Observation?page=2"}]


def answer(sent):
    return read_prefetch({"results": sent}, [SEARCH])["results"]


def names(found):
    return [each.name for each in found]


def with_entry(entry, **more):
    """One result that was found, and this entry."""
    return {**bundle(ONE, **more), "entry": [{"resource": ONE}, entry]}


def included(resource, mode="include"):
    return {"resource": resource, "search": {"mode": mode}}


def batch(*entries):
    return {"resourceType": "Bundle", "type": "batch-response", "entry": list(entries)}


LOST = {
    "an entry that is a text": with_entry("Observation/2"),
    "an entry that is null": with_entry(None),
    "an entry with an address alone": with_entry({"fullUrl": "https://x.example/Observation/2"}),
    "an entry whose resource is a text": with_entry({"resource": "Observation/2"}),
    "a resource without a type": with_entry({"resource": {"id": "2"}}),
    "a type that is misspelt": with_entry({"resource": {**TWO, "resourceType": "observation"}}),
    "a type of another release": with_entry({"resource": {"resourceType": "MedicationUsage", "id": "2"}}),
    "another type that is called a match": with_entry(
        included({"resourceType": "Patient", "id": "2"}, "match")
    ),
    "an entry that was refused": with_entry({"response": {"status": "403 Forbidden"}}),
    "an entry that was refused by a number": with_entry({"resource": TWO, "response": {"status": 500}}),
    "a total that is a text": bundle(ONE, total="9"),
    "a total that is true": bundle(ONE, total=True),
    "a total that counts more": bundle(ONE, total=2),
    "a total that includes do not make up": with_entry(
        included({"resourceType": "Patient", "id": "2"}), total=2
    ),
    "a total that medicines do not make up": with_entry(
        {"resource": {"resourceType": "Medication", "id": "2"}}, total=2
    ),
    "a warning": bundle(ONE, outcome("warning")),
    "a next page without an address": bundle(ONE, link=[{"relation": "next"}]),
    "links that are a text": bundle(ONE, link="next"),
    "a Bundle in a Bundle in a Bundle": bundle(ONE, bundle(bundle(TWO))),
    "a part with further pages": batch({"resource": bundle(ONE, link=NEXT)}),
    "a part that is short": batch({"resource": bundle(ONE, total=2), "response": {"status": "200"}}),
    "a part with an entry that is a text": batch({"resource": with_entry("x")}),
}


@pytest.mark.parametrize("sent", LOST.values(), ids=LOST)
def test_a_search_of_which_something_is_lost_is_not_whole_and_the_rest_is_read(sent):
    found = answer(sent)
    assert found.state == "incomplete"
    assert "Observation/1" in names(found.found)
    assert found.next is None  # to read on would not bring it back


@pytest.mark.parametrize("entry", ["x", 5, {"resource": ONE}], ids=["text", "number", "object"])
def test_entries_that_are_no_list_are_not_whole(entry):
    assert answer({"resourceType": "Bundle", "entry": entry}).state == "incomplete"


WHOLE = {
    "an include": with_entry(included({"resourceType": "Patient", "id": "2"})),
    "an include beside a total": with_entry(included({"resourceType": "Patient", "id": "2"}), total=1),
    "a medicine": with_entry({"resource": {"resourceType": "Medication", "id": "2"}}),
    "a note among the results": with_entry(included(outcome("information"), "outcome")),
    "a note among the results, not counted": with_entry(included(outcome("information"), "outcome"), total=1),
    "a note of success": bundle(ONE, outcome("success")),
    "an answer that was good": with_entry({"resource": TWO, "response": {"status": "200 OK"}}),
    "the answer to a batch": batch({"resource": bundle(ONE, total=1), "response": {"status": "200"}}),
}


@pytest.mark.parametrize("sent", WHOLE.values(), ids=WHOLE)
def test_a_search_with_all_that_it_found_is_whole(sent):
    assert answer(sent).state == "complete"
    assert "Observation/1" in names(answer(sent).found)


@pytest.mark.parametrize("nothing", [None, bundle(), {"resourceType": "Bundle"}, bundle(total=0)])
def test_nothing_found_is_whole(nothing):
    assert (answer(nothing).state, answer(nothing).found) == ("complete", ())


@pytest.mark.parametrize(
    "sent",
    [
        *(
            {"resourceType": "Patient", "id": "pat-1"},
            {**ONE, "resourceType": "observation"},
            outcome("error"),
        ),
        *(bundle(ONE, outcome("error")), bundle(ONE, outcome("")), batch({"resource": outcome("fatal")})),
        batch({"response": {"status": "403", "outcome": outcome("error")}}),
        bundle(bundle(outcome("error"))),
    ],
)
def test_a_search_that_failed_or_was_another_one_has_failed(sent):
    assert answer(sent).state == "failed"


def test_what_is_in_a_bundle_in_a_bundle_is_found_at_its_place():
    found = answer(bundle(ONE, bundle(TWO)))
    assert [(each.name, each.path) for each in found.found] == [
        ("Observation/1", "prefetch.results.entry[0].resource"),
        ("Observation/2", "prefetch.results.entry[1].resource.entry[0].resource"),
    ]


def test_what_a_server_finds_is_read_in_the_same_way():
    page = page_of(bundle(ONE, bundle(TWO)), "Observation")
    assert (page.resources, page.problem) == ([ONE, TWO], None)
    assert page_of(bundle(ONE, {"resourceType": "Patient", "id": "2"}), "Observation").problem


def test_a_page_that_goes_on_says_where_and_how_many_there_are():
    found = answer(bundle(ONE, link=NEXT, total=3))
    assert (found.state, found.next, found.total) == ("incomplete", NEXT[0]["url"], 3)


def test_what_cannot_be_read_of_drafts_is_empty_at_its_place():
    drafts = {"resourceType": "Bundle", "entry": [{"fullUrl": "x"}, {"resource": bundle(order())}]}
    found = [(each.name, each.path, bool(each.resource)) for each in entries(drafts, "drafts")]
    assert found == [
        ("MedicationRequest/order-1", "drafts.entry[1].resource.entry[0].resource", True),
        (None, "drafts.entry[0]", False),
    ]
    assert [each.path for each in entries(bundle(order(), total=2), "drafts") if not each.resource] == [
        "drafts"
    ]
