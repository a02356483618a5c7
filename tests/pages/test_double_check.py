"""The blind double check on its page: a second person answers, and sees the first answers only then."""

import html
import json
import re

import pytest

from service.app import create_app
from service.records.visits import Person
from tests.api.sending import a_request
from tests.double_check import asking
from tests.pages.visit_forms import entries, made, page_of, send, words_of
from tests.people import PIN, signed_in

pytestmark = pytest.mark.any_database

DOSE = {"fact": "ordered_dose", "ordered_dose.unit": "mg", "ordered_dose.say": "save"}
COUNT = {
    "fact": "anc",
    "anc.value": "4.1",
    "anc.unit": "10*9/L",
    "anc.on": "2026-10-05",
    "anc.say": "save",
}


@pytest.fixture
def app(settings, clock):
    made = create_app(settings, asking(), clock)
    yield made
    made.extensions["dosegate"].store.records.close()


@pytest.fixture
def nina(app):
    return signed_in(app, "nurse", "nina")


@pytest.fixture
def omar(app):
    return signed_in(app, "nurse", "omar")


@pytest.fixture
def id(app):
    """A checklist that nina made, of a dose of 300 mg and a count of 4.1."""
    return made(app, by="user:nina")


def given_in(response):
    """What the page hands back of the answers so far."""
    return re.search(r'name="given" value="([^"]*)"', response.text).group(1)


def answer(client, id, given="{}", **fields):
    return send(client, id, "double-check", given=html.unescape(given), **fields)


def answered(client, id, dose="300", **count):
    """All answers entered one after another, not yet compared: what the page hands back."""
    first = answer(client, id, **DOSE, **{"ordered_dose.value": dose})
    assert first.status_code == 200
    second = answer(client, id, given_in(first), **{**COUNT, **count})
    assert second.status_code == 200, words_of(second.text)
    assert "All is answered" in second.text
    return given_in(second)


def compare(client, id, given):
    return answer(client, id, given, compare="yes")


def test_the_first_person_is_told_that_it_is_needed_by_whom_and_where(nina, id):
    text = words_of(page_of(nina, id))
    assert "It is needed, and nobody has made it." in text
    assert "ordered dose, absolute neutrophil count (ANC)" in text
    assert f"/checklists/{id}/double-check" in text
    assert "Sign: Made the independent double check" not in text


def test_the_second_person_sees_whose_and_what_for_and_nothing_of_the_first_ones_answers(omar, id, sql):
    text = words_of(page_of(omar, id, "/double-check"))
    for said in ("MRN-1001", "Inebilizumab", "2 answers are left.", "Two people read the dose."):
        assert said in text
    for first in ("300", "4.1", "4100", "Dose 1"):
        assert first not in text
    assert entries(sql, id, "double_check.viewed") == 1
    assert entries(sql, id, "record.viewed") == entries(sql, id, "checklist.viewed") == 0


def test_one_who_agrees_signs_it_and_the_first_page_says_so(nina, omar, id, sql):
    response = compare(omar, id, answered(omar, id))
    assert response.status_code == 303
    assert response.location.endswith(f"/checklists/{id}#double-check")
    text = words_of(page_of(omar, id))
    assert "Agrees : checked by omar".casefold() in text.casefold()
    assert "Made, and it agrees" in text
    assert "Sign: Made the independent double check, and it agrees" in text
    assert send(omar, id, "attestations", meaning="double_check", secret=PIN).status_code == 303
    first = words_of(page_of(nina, id))
    assert "Omar of the Test (Nurse): Made the independent double check, and it agrees" in first
    assert send(nina, id, "outcomes", outcome="infused").status_code == 303
    assert entries(sql, id, "checklist.double_checked") == 1


def test_where_they_differ_both_values_stand_there_with_what_to_do_and_nobody_signs_it(nina, omar, id):
    compare(omar, id, answered(omar, id, "30"))
    for client in (omar, nina):
        text = words_of(page_of(client, id))
        assert "ordered dose 300 mg 30 mg different" in text
        assert "The two differ: nothing is started on this." in text
        assert "correct the checklist below" in text
        assert "another colleague who has not opened this checklist" in text
    refused = send(omar, id, "attestations", meaning="double_check", secret=PIN)
    assert refused.status_code == 409
    assert "no blind double check of this visit that agrees" in refused.text
    assert send(nina, id, "outcomes", outcome="infused").status_code == 422


def test_a_second_tap_on_compare_is_one_double_check(omar, id, sql):
    given = answered(omar, id)
    assert [compare(omar, id, given).status_code for _ in range(2)] == [303, 303]
    assert entries(sql, id, "checklist.double_checked") == 1


def test_not_known_is_an_answer_and_agrees_with_nothing(omar, id):
    first = answer(omar, id, **DOSE, **{"ordered_dose.value": "300"})
    second = answer(omar, id, given_in(first), fact="anc", **{"anc.say": "unknown"})
    assert compare(omar, id, given_in(second)).status_code == 303
    text = words_of(page_of(omar, id))
    assert "not known different" in text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"ordered_dose.value": "three hundred"}, "number"),
        ({"ordered_dose.value": "300", "ordered_dose.unit": ""}, "unit"),
        ({"ordered_dose.value": "900000"}, "This answer"),
    ],
)
def test_a_bad_answer_is_refused_at_its_field_and_what_was_typed_stays(omar, id, fields, said, sql):
    response = answer(omar, id, **{**DOSE, **fields})
    assert response.status_code == 422
    assert 'class="nhsuk-error-summary"' in response.text
    assert said in words_of(response.text)
    assert f'value="{fields["ordered_dose.value"]}"' in response.text
    assert "2 answers are left." in response.text
    assert entries(sql, id, "checklist.double_checked") == 0


def test_what_is_not_all_answered_is_not_compared_and_foreign_facts_are_no_answers(omar, id, sql):
    response = compare(omar, id, "{}")
    assert response.status_code == 422
    assert "Answer this first" in response.text
    for given in ("[1]", "{", '{"anc": NaN}', '{"nothing": 1}', '{"anc": "4.1"}'):
        assert compare(omar, id, given).status_code == 422
    strange = answer(omar, id, fact="weight", **{"weight.value": "70", "weight.unit": "kg"})
    assert "2 answers are left." in strange.text
    assert entries(sql, id, "checklist.double_checked") == 0


def test_who_made_saw_or_signed_it_is_refused_with_words_and_a_way_on(nina, omar, id):
    for client in (nina, omar):
        page_of(client, id)
        for response in (client.get(f"/checklists/{id}/double-check"), compare(client, id, "{}")):
            assert response.status_code == 409
            assert "Ask a colleague who has not opened it." in words_of(response.text)
            assert f'href="/checklists/{id}"' in response.text


def test_who_made_it_is_refused_without_having_looked(nina, id):
    assert nina.get(f"/checklists/{id}/double-check").status_code == 409


def test_it_comes_before_the_outcome(nina, omar, id):
    why = {"reason": "urgent", "comment": "Could not wait."}
    send(nina, id, "outcomes", outcome="infused", **why)
    text = words_of(page_of(nina, id))
    assert "Double check Not made" in text
    assert "It was needed, and nobody made it in time." in text
    assert omar.get(f"/checklists/{id}/double-check").status_code == 409


def test_an_auditor_makes_none(app, id):
    assert signed_in(app, "auditor").get(f"/checklists/{id}/double-check").status_code == 403


@pytest.mark.parametrize("corrected", [False, True])
def test_who_answered_or_read_the_draft_of_it_is_refused_too(app, nina, omar, corrected):
    parts = app.extensions["dosegate"]

    def person(client):
        principal = client.account.principal
        return Person(principal.name, principal.act("drafting", parts.clock()))

    request = json.loads(json.dumps(a_request(), default=float))
    begun = parts.drafting.begin(request, person(nina))
    parts.drafting.read(begun.id, person(omar).act)
    kept = parts.drafting.record(begun.id, person(nina).act)
    if corrected:
        again = {**request, "supersedes": {"id": kept.id, "reason": "A result came in."}}
        kept = parts.drafting.record(parts.drafting.begin(again, person(nina)).id, person(nina).act)
    assert omar.get(f"/checklists/{kept.id}/double-check").status_code == 409
    assert signed_in(app, "nurse", "olga").get(f"/checklists/{kept.id}/double-check").status_code == 200
