"""An answer from a page that is older than somebody else's answer: nothing is taken back unseen."""

import html
import re

import pytest

from service.access.roles import Role
from service.records.journal import Act
from service.records.visits import Person
from tests.people import signed_in

pytestmark = pytest.mark.any_database

REQUEST = {
    "drug": "inebilizumab",
    "infusion_at": "2026-10-06T13:00:00+00:00",
    "patient": {"id": "MRN-1001"},
    "facts": {"dose_number": 4},
}
NO_SIGNS = {"infection_signs.say": "none"}


@pytest.fixture
def draft(app):
    """A draft of two nurses, Nina and Bo: its address."""
    parts = app.extensions["dosegate"]
    by = Person("Nina Koch", Act("user:nina", "nurse", "begun", parts.clock()))
    return f"/drafts/{parts.drafting.begin(REQUEST, by).id}"


def page_of(client, draft, fact):
    """The hidden fields of the form that asks for a fact, as the page has them now."""
    shown = client.get(f"{draft}?change={fact}").text
    [form] = [each for each in re.findall(r"<form.*?</form>", shown, re.S) if f'value="{fact}"' in each]
    return {
        name: html.unescape(value)
        for name, value in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form)
    }


def sent(client, draft, hidden, **fields):
    return client.post(f"{draft}/answers", data={**hidden, **fields})


def fact_of(app, draft, fact):
    parts = app.extensions["dosegate"]
    act = Act("user:auditor", "auditor", "looked", parts.clock())
    return parts.drafting.read(draft.removeprefix("/drafts/"), act).facts.get(fact)


@pytest.mark.parametrize(
    ("fact", "first", "then"),
    [
        ("infection_signs", {"infection_signs.say": "save"}, {"infection_signs.say": "none"}),
        ("infection_signs", {"infection_signs.say": "save"}, {"infection_signs.say": "unknown"}),
        ("tb_active", {"tb_active.value": "yes"}, {"tb_active.value": "no"}),
        (
            "hbsag",
            {"hbsag.value": "positive", "hbsag.when": "undated"},
            {"hbsag.value": "negative", "hbsag.when": "undated"},
        ),
    ],
)
def test_an_answer_from_an_older_page_takes_nothing_back_that_somebody_said_meanwhile(
    app, draft, fact, first, then
):
    """Her page is older than his answer: hers is refused, his is shown; from the new page it counts."""
    nina, bo = signed_in(app, Role.NURSE), signed_in(app, Role.NURSE)
    before = page_of(nina, draft, fact)
    signs = app.extensions["dosegate"].library.vocabulary["infection_signs"].values
    ticked = {f"infection_signs.{code}": "yes" if code == "fever" else "no" for code in signs}
    assert sent(bo, draft, page_of(bo, draft, fact), **{**ticked, **first}).status_code == 303
    answered = fact_of(app, draft, fact)

    refused = sent(nina, draft, before, **then)

    assert refused.status_code == 422 and "Somebody answered this meanwhile" in refused.text
    assert fact_of(app, draft, fact) == answered
    if fact == "infection_signs":
        assert re.search(r'name="infection_signs.fever" type="radio" value="yes" checked', refused.text)
    assert sent(nina, draft, page_of(nina, draft, fact), **{**ticked, **first}).status_code == 303


def test_the_same_answer_twice_is_one_answer(app, draft):
    nina = signed_in(app, Role.NURSE)
    before = page_of(nina, draft, "infection_signs")
    assert sent(nina, draft, before, **NO_SIGNS).status_code == 303
    assert sent(nina, draft, before, **NO_SIGNS).status_code == 303


def test_an_entry_from_an_older_page_stands_beside_what_was_entered_meanwhile(app, draft):
    nina, bo = signed_in(app, Role.NURSE), signed_in(app, Role.NURSE)
    fact = "anti_infectives"
    before = page_of(nina, draft, fact)
    for client, said in ((bo, "aciclovir"), (nina, "cotrimoxazole")):
        added = {f"{fact}.say": "add", f"{fact}.drug": said, f"{fact}.purpose": "prophylaxis"}
        key = page_of(client, draft, fact)["form_key"]
        assert sent(client, draft, {**before, "form_key": key}, **added).status_code == 303
    assert [each["drug"] for each in fact_of(app, draft, fact)["value"]] == ["aciclovir", "cotrimoxazole"]
