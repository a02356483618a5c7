"""A session that locks: nothing that was typed is lost, and nobody else gets it."""

import pytest

from service.access.roles import Role
from service.access.sessions import MOST_WRONG
from service.records.visits import Person
from service.web.guard import COOKIE
from tests.pages.page_texts import fields, form_key, words
from tests.pages.test_drafts import RETURNING
from tests.people import PASSWORD, PIN, an_account, browser, signed_in

pytestmark = pytest.mark.any_database
CHOSEN = {"change": "full_name", "full_name": "Paula Pond <é> & more"}


@pytest.fixture
def parts(app):
    return app.extensions["dosegate"]


def a_form(app, client):
    """A form that an administrator has open, filled in: where it goes, and what it sends."""
    paula = an_account(app, Role.NURSE, "paula")
    address = f"/accounts/{paula.name}"
    return address, {**fields(client.get(address), address), **CHOSEN, "secret": PIN}


def unlock(client, page, secret=PIN):
    return client.post("/unlock", data={**fields(page, "/unlock"), "secret": secret})


def test_a_page_of_an_idle_session_leads_to_the_lock_and_back(app, clock):
    client = signed_in(app, Role.NURSE)
    clock.move(minutes=5)
    asked = client.get("/today?day=2026-10-07")
    assert (asked.status_code, asked.location) == (303, "/unlock?next=/today?day%3D2026-10-07")
    page = client.get(asked.location)
    assert client.account.full_name in words(page)
    before = client.get_cookie(COOKIE).value
    answer = unlock(client, page)
    assert (answer.status_code, answer.location) == (303, "/today?day=2026-10-07")
    assert client.get_cookie(COOKIE).value != before
    assert client.get("/unlock?next=/account").location == "/account"  # nothing to unlock


def test_the_lock_button_locks_at_once_and_says_so_in_the_journal(app, sql):
    client = signed_in(app, Role.NURSE, "nina")
    key = form_key(client.get("/account"))
    assert (
        client.post("/lock", data={"form_key": key, "next": "/account"}).location == "/unlock?next=/account"
    )
    assert client.get("/account").location == "/unlock?next=/account"
    assert client.get("/api/v1/session").status_code == 401
    client.post("/lock", data={"form_key": key})  # locked already: nothing more to say
    assert sql("SELECT actor, subject FROM journal WHERE event = 'session.locked'") == [("user:nina",) * 2]


def test_a_form_that_meets_the_lock_comes_back_to_whoever_filled_it_in(app, clock, parts):
    client = signed_in(app, Role.ADMIN)
    address, form = a_form(app, client)
    clock.move(minutes=5)
    met = client.post(address, data=form, headers={"Referer": f"http://localhost{address}"})
    assert met.status_code == 401
    assert (
        "Paula Pond" not in met.text and PIN not in met.text
    )  # sealed: whoever finds the page reads nothing
    wrong = unlock(client, met, "314159")
    assert wrong.status_code == 403 and "4 more wrong tries" in words(wrong)
    back = unlock(client, wrong)
    assert back.status_code == 200 and PIN not in back.text
    again = fields(back, address)
    assert {name: again[name] for name in CHOSEN} == CHOSEN
    assert parts.accounts.by_name("paula").full_name != CHOSEN["full_name"]
    assert client.post(address, data={**again, "secret": PIN}).status_code == 303
    assert parts.accounts.by_name("paula").full_name == CHOSEN["full_name"]


def test_another_person_gets_their_own_start_and_not_what_was_typed(app, clock):
    client = signed_in(app, Role.ADMIN)
    address, form = a_form(app, client)
    an_account(app, Role.ADMIN, "anna")
    clock.move(minutes=5)
    met = client.post(address, data=form)
    kept = fields(met, "/unlock")["kept"]
    answer = client.post(
        "/sign-in", data={"name": "anna", "password": PASSWORD, "kept": kept, "next": address}
    )
    assert (answer.status_code, answer.location) == (303, "/")
    stolen = client.post(
        "/unlock", data={"form_key": form_key(client.get("/account")), "kept": kept, "secret": PIN}
    )
    assert (stolen.status_code, stolen.location) == (303, "/")


def test_a_form_that_meets_the_end_of_a_session_comes_back_after_the_sign_in(app, clock, parts):
    client = signed_in(app, Role.ADMIN, "adam")
    address, form = a_form(app, client)
    clock.move(hours=13)
    met = client.post(address, data=form)
    assert met.status_code == 401 and "Sign in again" in words(met)
    sent = {**fields(met, "/sign-in"), "name": "adam", "password": PASSWORD}
    back = client.post("/sign-in", data=sent)
    assert fields(back, address)["full_name"] == CHOSEN["full_name"]
    assert client.post(address, data={**fields(back, address), "secret": PIN}).status_code == 303


def test_five_wrong_tries_end_the_session_in_words_and_keep_what_was_typed(app, clock):
    client = signed_in(app, Role.ADMIN, "adam")
    address, form = a_form(app, client)
    clock.move(minutes=5)
    page = client.post(address, data=form)
    for left in range(MOST_WRONG - 1, 0, -1):
        page = unlock(client, page, "314159")
        assert ("One more wrong try" if left == 1 else f"{left} more wrong tries") in words(page)
    page = unlock(client, page, "314159")
    assert page.status_code == 401 and "Five wrong tries have ended the session" in words(page)
    assert client.get_cookie(COOKIE) is None
    back = client.post("/sign-in", data={**fields(page, "/sign-in"), "name": "adam", "password": PASSWORD})
    assert fields(back, address)["full_name"] == CHOSEN["full_name"]


def test_an_empty_pin_is_not_counted(app, clock, sql):
    client = signed_in(app, Role.NURSE)
    clock.move(minutes=5)
    assert unlock(client, client.get("/unlock"), "").status_code == 422
    assert sql("SELECT wrong_pins FROM sessions") == [(0,)]


@pytest.mark.parametrize("asked", ["get", "post"])
def test_htmx_gets_the_whole_lock_page(app, clock, asked):
    client = signed_in(app, Role.ADMIN)
    address, form = a_form(app, client)
    clock.move(minutes=5)
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://localhost{address}"}
    if asked == "get":
        assert client.get("/accounts", headers=headers).headers["HX-Redirect"] == f"/unlock?next={address}"
        return
    met = client.post(address, data=form, headers=headers)
    assert (met.headers["HX-Retarget"], met.headers["HX-Reswap"]) == ("body", "outerHTML")
    assert fields(met, "/unlock")["next"] == address


def test_what_another_site_sends_is_never_kept(app, clock):
    client = signed_in(app, Role.ADMIN)
    address, form = a_form(app, client)
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        foreign = app.test_client().post(address, data=form, headers=headers)
        assert (
            foreign.status_code == 403
            and 'name="kept"' not in foreign.text
            and "Paula Pond" not in foreign.text
        )
    del client.environ_base["HTTP_SEC_FETCH_SITE"]
    client.delete_cookie(COOKIE)
    nameless = client.post(address, data=form)  # says nothing of where it comes from
    assert nameless.status_code == 401 and 'name="kept"' not in nameless.text


def test_what_was_changed_or_is_of_yesterday_does_not_come_back(app, clock):
    client = signed_in(app, Role.ADMIN, "adam")
    address, form = a_form(app, client)
    clock.move(minutes=5)
    page = client.post(address, data=form)
    sent = fields(page, "/unlock")
    changed = sent["kept"][:-5] + ("A" if sent["kept"][-5] != "A" else "B") + sent["kept"][-4:]
    for kept in (changed, "x", "é"):
        assert unlock_with(client, {**sent, "kept": kept}).status_code == 303
        clock.move(minutes=5)
    clock.move(hours=12)
    answer = client.post("/sign-in", data={"name": "adam", "password": PASSWORD, "kept": sent["kept"]})
    assert answer.location == "/"


def unlock_with(client, sent):
    return client.post("/unlock", data={**sent, "secret": PIN})


def test_only_use_keeps_a_session_awake(app, clock):
    client = signed_in(app, Role.NURSE)
    clock.move(minutes=4)
    assert client.get("/awake").status_code == 204
    clock.move(minutes=4)
    assert client.get("/awake").status_code == 204
    clock.move(minutes=5)
    assert client.get("/awake").status_code == 303


# In a browser


def pass_time(page, clock, **by):
    """Time goes by for the browser and for the service; nobody touches anything."""
    clock.move(**by)
    page.clock.fast_forward(
        int(1000 * sum(by[unit] * seconds for unit, seconds in SECONDS.items() if unit in by))
    )


SECONDS = {"seconds": 1, "minutes": 60}


def test_in_a_browser_an_idle_page_covers_itself_and_what_was_half_typed_comes_back(app, a_person, clock):
    """Given an administrator who has half filled in a form, when she leaves it for five minutes, then the
    page locks by itself and shows nothing of it; when she enters her PIN, what she typed is there again."""
    page = a_person(Role.ADMIN)
    page.clock.install()
    page.goto("/accounts")
    page.get_by_label("Full name", exact=True).fill("Paula Po")
    page.get_by_label("First password").fill("not to be kept")
    page.get_by_label("Role", exact=True).select_option("auditor")
    pass_time(page, clock, minutes=5)
    page.get_by_role("heading", name="Locked").wait_for()
    assert "Paula" not in page.content() and "not to be kept" not in page.content()
    page.get_by_label("PIN or password").fill(PIN)
    page.get_by_role("button", name="Unlock").click()
    page.get_by_text("What you had half typed is back").wait_for()
    assert page.url.endswith("/accounts")
    assert page.get_by_label("Full name", exact=True).input_value() == "Paula Po"
    assert page.get_by_label("Role", exact=True).input_value() == "auditor"
    assert page.get_by_label("First password").input_value() == ""
    assert page.evaluate("sessionStorage.length") == 0
    assert page.evaluate("document.activeElement.name") == "full_name"


def test_in_a_browser_a_page_that_is_used_does_not_lock(app, a_person, clock):
    page = a_person(Role.ADMIN)
    page.clock.install()
    page.goto("/accounts")
    for letter in "Paul":
        pass_time(page, clock, minutes=3)
        with page.expect_response("**/awake"):
            page.get_by_label("Full name", exact=True).press(letter)
    assert page.get_by_label("Full name", exact=True).input_value() == "Paul"


def test_in_a_browser_somebody_else_takes_over_a_locked_tablet(app, a_person, clock):
    """Given a tablet that a nurse has locked, when a prescriber signs in on it instead, then he is at his own
    start, and her session is over."""
    page = a_person(Role.NURSE)
    an_account(app, Role.PRESCRIBER, "paul")
    page.goto("/drugs")
    hers = page.context.cookies("https://127.0.0.1")[0]["value"]
    page.get_by_role("button", name="Lock").click()
    page.get_by_role("heading", name="Locked").wait_for()
    page.get_by_role("button", name="Sign in as another person").click()
    page.get_by_label("Name").fill("paul")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/today")
    assert browser(app, token=hers).get("/account").location.startswith("/sign-in")


def test_in_a_browser_a_form_that_meets_the_lock_is_sent_again_without_a_script(app, a_person, clock, parts):
    """Given a form that was filled in slowly in a browser without JavaScript, when it is sent after the
    session has locked, then one PIN and one button send it as it was."""
    page = a_person(Role.ADMIN, java_script_enabled=False)
    an_account(app, Role.NURSE, "paula")
    page.goto("/accounts/paula")
    page.locator("#full_name").fill("Paula Pond")
    page.locator("#full_name-secret").fill(PIN)
    clock.move(minutes=6)
    page.get_by_role("button", name="Change the full name").click()
    page.get_by_label("PIN or password").fill(PIN)
    page.get_by_role("button", name="Unlock").click()
    page.get_by_label("PIN or password, once more").fill(PIN)
    page.get_by_role("button", name="Send it now").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Paula Pond"
    assert parts.accounts.by_name("paula").full_name == "Paula Pond"


def a_draft(app, account, without):
    """A checklist in the making that lacks the answers to these questions; its address."""
    parts = app.extensions["dosegate"]
    person = Person(account.full_name, account.principal.act("begun", parts.clock()))
    facts = {name: value for name, value in RETURNING["facts"].items() if name not in without}
    return f"/drafts/{parts.drafting.begin({**RETURNING, 'facts': facts}, person).id}"


def test_in_a_browser_an_answer_that_meets_the_lock_is_given_after_the_pin(app, a_person, clock):
    """Given a checklist with two open questions, when a nurse taps an answer after the session has locked,
    then the lock takes the place of the page, and one PIN and one button give the answer after all."""
    page = a_person(Role.NURSE)
    address = a_draft(app, page.account, ("pml_signs", "tb_active"))
    page.goto(address)
    clock.move(minutes=6)
    page.locator("#ask-tb_active").get_by_role("button", name="No", exact=True).click()
    page.get_by_role("heading", name="Locked").wait_for()
    assert page.locator("#checklist").count() == 0 and page.locator(".dg-strip").count() == 0
    page.get_by_label("PIN or password").fill(PIN)
    page.get_by_role("button", name="Unlock").click()
    page.get_by_role("heading", name="You are back").wait_for()
    page.get_by_role("button", name="Send it now").click()
    page.locator("#ask-pml_signs").wait_for()
    assert page.url.partition("#")[0].endswith(address)
    assert page.locator("#ask-tb_active").count() == 0


def test_in_a_browser_a_half_typed_answer_of_one_of_many_forms_comes_back_to_its_own(app, a_person, clock):
    page = a_person(Role.NURSE)
    page.clock.install()
    page.goto(a_draft(app, page.account, ("igg", "pml_signs", "tb_active")))
    page.locator("[name='igg.value']").fill("8.4")
    pass_time(page, clock, minutes=5)
    page.get_by_role("heading", name="Locked").wait_for()
    assert "8.4" not in page.content()
    page.get_by_label("PIN or password").fill(PIN)
    page.get_by_role("button", name="Unlock").click()
    page.get_by_text("What you had half typed is back").wait_for()
    assert page.locator("[name='igg.value']").input_value() == "8.4"


def test_nobody_signs_what_they_do_not_see(app):
    """Somebody without a session sends a form in a prescriber's name; she signs in on the page after it."""
    pia, stranger = an_account(app, Role.PRESCRIBER, "pia"), browser(app)
    address = "/checklists/00000000-0000-4000-8000-000000000000/overrides"
    form = {"form_owner": pia.id, "check": "hepatitis_b", "comment": "Words of <another>", "secret": "1"}
    asked = stranger.post(address, data=form)
    who = {**fields(asked, "/sign-in"), "name": "pia", "password": PASSWORD}
    shown = words(stranger.post("/sign-in", data=who))
    assert "hepatitis_b" in shown and "Words of <another>" in shown


def test_an_answer_that_is_sent_again_is_called_by_its_fact(app):
    pia, stranger = an_account(app, Role.PRESCRIBER, "pia"), browser(app)
    address = "/drafts/00000000-0000-4000-8000-000000000000/answers"
    form = {
        "fact": "igg",
        "igg.seen": "1d8fc6ceb1f94c63",
        "igg.value": "8.4",
        "igg.ref_low": "6.5",
        "place": "2",
    }
    asked = stranger.post(address, data={"form_owner": pia.id, **form})
    who = {**fields(asked, "/sign-in"), "name": "pia", "password": PASSWORD}
    shown = words(stranger.post("/sign-in", data=who))
    assert "immunoglobulin G (IgG) 8.4 immunoglobulin G (IgG), ref low 6.5" in shown
    assert "1d8fc6ceb1f94c63" not in shown
