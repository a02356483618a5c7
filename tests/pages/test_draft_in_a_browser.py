"""The checklist in the making at a tablet: answers in place, keys, where one stands; and without scripts."""

import pytest

from service.records.visits import Person
from tests.pages.conftest import PHONE, accessibility_faults
from tests.pages.test_drafts import REQUEST, RETURNING

pytestmark = pytest.mark.any_database

FOCUSED = "document.activeElement.closest('[data-question]')?.id ?? document.activeElement.id"


@pytest.fixture
def begin(app):
    """Begins a draft of this person's; its address."""

    def begun(page, request=REQUEST, without=(), **facts):
        parts = app.extensions["dosegate"]
        person = Person(page.account.full_name, page.account.principal.act("begun", parts.clock()))
        given = {name: value for name, value in request["facts"].items() if name not in without}
        return f"/drafts/{parts.drafting.begin({**request, 'facts': {**given, **facts}}, person).id}"

    return begun


def test_keys_answer_go_on_and_can_be_turned_off(a_person, begin):
    page = a_person()
    page.goto(begin(page, RETURNING, without=("infection_signs", "anti_infectives", "active_infection")))
    page.keyboard.press("j")
    assert page.evaluate(FOCUSED) == "ask-infection_signs"
    page.keyboard.press("1")
    page.locator("#ask-anti_infectives:focus-within").wait_for()
    page.keyboard.press("1")
    page.locator("#ask-active_infection:focus-within").wait_for()
    page.keyboard.press("1")
    page.locator("#end:focus-within").wait_for()
    announced = page.locator("#announced").inner_text()
    assert announced.startswith("Nothing was found that stops this infusion")
    assert "reload" not in page.evaluate(
        "performance.getEntriesByType('navigation').map((each) => each.type)"
    )

    page.goto(begin(page, RETURNING, without=("pml_signs",)))
    page.keyboard.press("?")
    page.get_by_label("These keys are on; this device remembers it").uncheck()
    page.locator("#ask-pml_signs").focus()
    page.keyboard.press("1")
    page.keyboard.press("k")
    assert page.evaluate(FOCUSED) == "ask-pml_signs"
    page.reload()
    page.locator("#ask-pml_signs").focus()
    page.keyboard.press("1")
    assert page.locator("#ask-pml_signs").count() == 1


def test_an_answer_moves_neither_the_page_nor_what_is_typed_elsewhere(a_person, begin):
    page = a_person()
    page.goto(begin(page, RETURNING, without=("igg", "pml_signs", "tb_active", "hbsag")))
    page.locator("[id='ask-igg'] [name='igg.value']").fill("8.4")
    page.locator("#ask-hbsag .dg-answer__alike summary").click()
    page.locator("#known summary").first.click()
    page.locator("#ask-tb_active").get_by_role("button", name="No", exact=True).click()
    page.locator("#ask-tb_active").wait_for(state="detached")
    assert page.locator("[name='igg.value']").input_value() == "8.4"
    assert page.locator("#ask-hbsag .dg-answer__alike").evaluate("each => each.open")
    assert page.locator("#known").evaluate("each => each.open")
    focused = page.evaluate(FOCUSED)
    assert focused.startswith("ask-")
    assert page.evaluate(f"document.getElementById('{focused}').getBoundingClientRect().top") > 0


def test_the_decision_stays_in_sight_while_one_answers_further_down(a_person, begin):
    page = a_person()
    page.goto(begin(page, RETURNING, without=("igg", "hbsag", "tb_active", "pml_signs")))
    foot = page.locator(".dg-now")
    assert foot.is_hidden()
    page.locator("#ask-pml_signs").scroll_into_view_if_needed()
    page.locator("#end").focus()
    foot.wait_for()
    before = foot.inner_text()
    page.locator("#ask-pml_signs").get_by_role("button", name="No", exact=True).click()
    page.locator("#ask-pml_signs").wait_for(state="detached")
    assert before.endswith("4 missing") and foot.inner_text().endswith("3 missing")
    foot.click()
    foot.wait_for(state="hidden")
    assert page.locator("#decision").evaluate("each => each.getBoundingClientRect().top") > 0


def test_who_moves_the_start_stays_there(a_person, begin):
    page = a_person()
    page.goto(begin(page, RETURNING, without=("tb_active",)))
    page.get_by_role("button", name="It starts now").click()
    page.locator("#start:focus-within time").wait_for()


def test_a_refused_answer_stands_at_its_field(a_person, begin):
    page = a_person()
    page.goto(begin(page, RETURNING, without=("igg",)))
    question = page.locator("#ask-igg")
    question.locator("[name='igg.value']").fill("8,4")
    question.get_by_role("button", name="Save", exact=True).click()
    question.get_by_text("point before the decimals").wait_for()
    assert question.locator("[name='igg.value']").input_value() == "8,4"
    assert page.evaluate(FOCUSED) == "ask-igg"


def test_nothing_is_out_of_reach_on_a_phone(a_person, begin):
    page = a_person(viewport=PHONE)
    for request in (REQUEST, RETURNING):
        page.goto(begin(page, request))
        assert accessibility_faults(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    small = page.evaluate(
        "[...document.querySelectorAll('#checklist button')].filter((each) => each.offsetParent !== null"
        " && each.tabIndex >= 0 && each.getBoundingClientRect().height < 56).map((each) => each.outerHTML)"
    )
    assert small == []


def test_it_is_answered_and_recorded_without_javascript(a_person, begin):
    page = a_person(java_script_enabled=False)
    address = begin(page, RETURNING, without=("pml_signs", "tb_active"))
    page.goto(address)
    assert page.locator("#keys").is_hidden()
    page.locator("#ask-tb_active").get_by_role("button", name="No", exact=True).click()
    assert page.url.endswith(f"{address}#ask-pml_signs")
    page.locator("#ask-pml_signs").get_by_role("button", name="No", exact=True).click()
    assert page.url.endswith(f"{address}#end")
    assert page.get_by_role("heading", level=1).inner_text().startswith("Nothing was found that stops")
    page.get_by_role("button", name="Record this checklist").click()
    assert "/checklists/" in page.url


def test_an_answer_to_a_locked_page_is_not_lost_unseen(a_person, begin, clock):
    page = a_person()
    page.goto(begin(page, RETURNING, without=("pml_signs",)))
    clock.move(minutes=6)
    page.locator("#ask-pml_signs").get_by_role("button", name="Yes", exact=True).click()
    page.wait_for_load_state()
    page.get_by_text("locked").first.wait_for()
