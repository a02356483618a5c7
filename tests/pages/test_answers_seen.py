"""Every control in a browser: accessible, and high enough for a gloved finger."""

import pytest

from service.pages.answers import BadAnswer
from tests.pages.answering import VOCABULARY, answer, control, shows
from tests.pages.conftest import accessibility_faults

pytestmark = pytest.mark.any_database

KNOWN = {
    "hbsag": {"value": "negative", "at": "2026-09-30", "source": "Observation/31"},
    "vaccinations": {"value": [{"cvx": "187", "on": "2026-09-01"}], "complete": "no"},
    "premedications": [
        {"class": "corticosteroid", "status": "given", "at": "2026-10-06T13:40:00+02:00"},
        {"class": "antihistamine", "drug": "cetirizine", "status": "ordered"},
    ],
    "breastfeeding": "no",
    "infection_signs": ["fever"],
}
OF_EVERY_SORT = (
    "pregnant",
    "hbsag",
    "weight",
    "qtc",
    "immune_globulin_on",
    "dose_number",
    "cycle_day",
    "infection_signs",
    "vaccinations",
    "premedications",
)


def refused(fact):
    """The control of a fact after an empty form was sent."""
    with pytest.raises(BadAnswer) as caught:
        answer(fact, {"say": "add"} if VOCABULARY[fact].fields else {"say": "save"})
    return control(fact, None, caught.value.errors, caught.value.typed)


def test_a_page_with_every_control_is_accessible_and_made_for_gloves(app, a_person):
    shows(app, lambda: [control(fact, KNOWN.get(fact)) for fact in VOCABULARY.facts])
    page = a_person()
    page.goto("/account")
    assert page.locator(".dg-answer").count() == len(VOCABULARY.facts)
    assert accessibility_faults(page) == []
    low = page.locator(".dg-answer button:visible:not([aria-hidden]), .dg-answer input:visible").evaluate_all(
        "found => found.filter(each => each.type != 'radio' && each.type != 'checkbox'"
        " && each.getBoundingClientRect().height < 56).map(each => each.outerHTML)"
    )
    assert low == []
    ids = page.locator("main [id]").evaluate_all("found => found.map(each => each.id)")
    assert len(ids) == len(set(ids))


def test_enter_in_a_field_gives_no_answer_of_its_own(app, a_person):
    """The first button of a form answers to Enter: for a result that would be the first of its values."""
    shows(app, lambda: [control("hbsag")])
    page = a_person()
    page.goto("/account")
    page.get_by_label("Day the sample was taken").fill("2026-09-30")
    with page.expect_request(lambda request: request.method == "POST") as sent:
        page.get_by_label("Day the sample was taken").press("Enter")
    assert "hbsag.on=2026-09-30" in sent.value.post_data
    assert "hbsag.value" not in sent.value.post_data


def test_a_page_with_controls_of_every_sort_refused_is_accessible(app, a_person):
    shows(app, lambda: [refused(fact) for fact in OF_EVERY_SORT])
    page = a_person()
    page.goto("/account")
    assert page.locator(".dg-answer .nhsuk-error-message").count() >= len(OF_EVERY_SORT)
    assert accessibility_faults(page) == []
