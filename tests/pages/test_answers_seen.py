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


def test_a_page_with_every_control_refused_is_accessible(app, a_person):
    shows(app, lambda: [refused(fact) for fact in VOCABULARY.facts])
    page = a_person()
    page.goto("/account")
    assert page.locator(".dg-answer .nhsuk-error-message").count() >= len(VOCABULARY.facts)
    assert accessibility_faults(page) == []
