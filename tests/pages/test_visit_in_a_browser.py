"""The page of a visit in a browser: with a finger, with keys alone, and without scripts."""

import pytest

from service.access.roles import Role
from service.app import create_app
from tests.double_check import asking
from tests.pages.conftest import accessibility_faults
from tests.pages.visit_forms import entries, made, send
from tests.people import PIN, signed_in

pytestmark = pytest.mark.any_database

WHY = {"reason": "risk-benefit-ratio", "comment": "Afebrile for 48 h; cannot wait."}


@pytest.fixture
def app(settings, clock):
    made = create_app(settings, asking(), clock)
    yield made
    made.extensions["dosegate"].store.records.close()


def press(page, key, times=1):
    for _ in range(times):
        page.keyboard.press(key)


def tab_to(page, words):
    """Go on with the tab key to the button, field or link that is called so."""
    for _ in range(120):
        page.keyboard.press("Tab")
        here = page.evaluate(
            "() => { const e = document.activeElement; const l = e.labels && e.labels[0];"
            " return ((l && l.innerText) || e.innerText || '').trim() }"
        )
        if here.startswith(words):
            return
    raise AssertionError(f"no way by keyboard to {words}")


def test_a_nurse_acknowledges_and_signs_with_keys_alone(app, a_person, sql):
    id = made(app, "resolved")
    page = a_person()
    page.goto(f"/checklists/{id}")
    tab_to(page, "What is asked for has been done")
    press(page, "Enter")
    page.wait_for_url("**#open")
    tab_to(page, "Your PIN or password")
    page.keyboard.type(PIN)
    press(page, "Enter")
    page.wait_for_url("**#signatures")
    assert page.get_by_text("Covers all that was done.").is_visible()
    assert (entries(sql, id, "warn.acknowledged"), entries(sql, id, "checklist.attested")) == (1, 1)


def test_a_wrong_pin_leads_back_to_its_field_with_the_focus_on_what_is_wrong(app, a_person):
    page = a_person(Role.PRESCRIBER)
    page.goto(f"/checklists/{made(app, 'serious')}")
    page.get_by_text("Override this block, as its prescriber").click()
    page.get_by_label("Reason").select_option("risk-benefit-ratio")
    page.get_by_label("Why, in your own words").fill(WHY["comment"])
    form = page.get_by_role("form", name="Override: Infection today")
    form.get_by_label("Your PIN or password").fill("314159")
    form.get_by_role("button", name="Override and sign").click()
    page.wait_for_function("document.activeElement.classList.contains('nhsuk-error-summary')")
    page.get_by_role("link", name="This is neither your PIN").click()
    assert page.evaluate("document.activeElement.id") == "answer-infection-infection-active-secret"
    assert form.get_by_label("Why, in your own words").input_value() == WHY["comment"]
    page.keyboard.type(PIN)
    press(page, "Enter")
    page.wait_for_url("**#open")
    assert page.get_by_text("Every finding is answered").first.is_visible()


def test_every_act_works_without_scripts(app, a_person, clock):
    page = a_person(Role.PRESCRIBER, java_script_enabled=False)
    warned, blocked = made(app, "resolved"), made(app, "serious")
    page.goto(f"/checklists/{warned}")
    page.get_by_text("Another reason, or a comment").click()
    page.get_by_label("Reason").select_option("expert-contradicts")
    page.get_by_role("button", name="Acknowledge", exact=True).click()
    assert "Say in a comment what this reason points to" in page.locator("main").inner_text()
    page.get_by_label("Comment").fill("Dr Ono, by telephone.")
    page.get_by_role("button", name="Acknowledge", exact=True).click()
    assert page.get_by_text("Every finding is answered").first.is_visible()

    page.goto(f"/checklists/{blocked}")
    page.get_by_text("Record how it ended").click()
    page.get_by_label("Infused to the end").check()
    page.get_by_label("Why", exact=True).select_option("urgent")
    page.get_by_label("What happened").fill("On a call of Dr Ono.")
    page.get_by_role("button", name="Record the outcome").click()
    assert "Watch until 13:00" in page.locator(".visit-watch").inner_text()
    page.get_by_label("Your PIN or password").fill(PIN)
    page.get_by_role("button", name="Sign: Reviewed").click()
    assert page.get_by_text("Covers all that was done.").is_visible()


def test_the_time_to_watch_is_counted_down_from_the_clock_of_the_server(app, a_person, clock):
    nina, id = signed_in(app, "nurse"), made(app)
    why = {"reason": "urgent", "comment": "Went ahead alone."}
    assert send(nina, id, "outcomes", outcome="infused", **why).status_code == 303
    clock.move(minutes=40)
    page = a_person()
    page.goto(f"/checklists/{id}")
    page.get_by_text("20 min left").wait_for()


def test_a_second_person_enters_the_facts_with_a_tablet_and_sees_the_difference(app, a_person):
    id = made(app)
    page = a_person()
    page.goto(f"/checklists/{id}/double-check")
    dose = page.locator("form", has=page.locator("#answer-ordered_dose"))
    dose.get_by_label("Value").fill("30")
    dose.get_by_label("mg", exact=True).check()
    dose.get_by_role("button", name="Save").last.click()
    page.get_by_text("1 answer is left.").wait_for()
    count = page.locator("form", has=page.locator("#answer-anc"))
    count.get_by_role("button", name="Not known").click()
    page.get_by_role("button", name="Compare").click()
    page.wait_for_url(f"**/checklists/{id}#double-check")
    row = page.get_by_role("row", name="ordered dose")
    assert row.inner_text().split("\t")[1:] == ["300 mg", "30 mg", "different"]
    assert page.get_by_text("The two differ: nothing is started on this.").is_visible()
    assert accessibility_faults(page) == []
