"""Sessions over HTTP: signing in, being idle, unlocking, ending."""

import re

import pytest

from service.access.roles import Role
from service.access.sessions import LIFETIME, MOST_WRONG
from service.web.cookies import DEVICE_COOKIE
from service.web.guard import COOKIE
from tests.api.sending import is_problem
from tests.people import PASSWORD, PIN, an_account, browser, signed_in

pytestmark = pytest.mark.any_database  # both databases: test_sessions_as_a_machine.py
SESSION, UNLOCK = "/api/v1/session", "/api/v1/session/unlock"


def sign_in(client, name, password=PASSWORD):
    return client.post(SESSION, json={"name": name, "password": password})


def is_kind(response, status, kind):
    return is_problem(response, status) and response.json["type"] == f"urn:dosegate:problem:{kind}"


def token_of(client):
    return client.get_cookie(COOKIE).value


def test_who_signs_in_may_do_what_the_role_may(app, journaled):
    nina, client = an_account(app, Role.NURSE, "nina"), browser(app)
    entered = sign_in(client, "nina")
    assert entered.status_code == 201
    assert entered.json == client.get(SESSION).json
    assert entered.json["full_name"] == nina.full_name
    assert (entered.json["has_password"], entered.json["has_pin"]) == (True, True)
    assert client.get("/api/v1/drugs").status_code == 200
    assert is_kind(client.get("/metrics"), 403, "may-not")
    assert [row[1:3] for row in journaled("account.signed_in")] == [("user:nina", "user:nina")]


def test_the_cookies_are_for_this_site_alone_and_no_script_reads_them(app):
    an_account(app, Role.NURSE, "nina")
    cookies = sign_in(browser(app), "nina").headers.getlist("Set-Cookie")
    assert {each.partition("=")[0] for each in cookies} == {COOKIE, DEVICE_COOKIE}
    for cookie in cookies:
        assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
        assert "Domain" not in cookie
    [session] = [each for each in cookies if each.startswith(f"{COOKIE}=")]
    assert not re.search("max-age|expires", session, re.IGNORECASE)


def test_a_token_has_256_random_bits_and_is_kept_as_a_digest_alone(app, sql):
    client = signed_in(app, Role.NURSE)
    token = token_of(client)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    assert token not in str(sql("SELECT * FROM sessions"))
    client.set_cookie(COOKIE, sql("SELECT digest FROM sessions")[0][0])
    assert is_kind(client.get(SESSION), 401, "not-signed-in")


def test_the_name_may_be_typed_in_capitals(app):
    an_account(app, Role.NURSE, "nina")
    assert sign_in(browser(app), " NINA ").status_code == 201


def test_a_session_that_is_used_does_not_lock(app, clock):
    client = signed_in(app, Role.NURSE)
    for _ in range(10):
        clock.pass_by(minutes=4, seconds=30)
        assert client.get(SESSION).status_code == 200


def test_an_idle_session_locks_and_goes_on_after_the_pin_with_a_new_token(app, clock, journaled):
    client = signed_in(app, Role.NURSE, "nina")
    before = token_of(client)
    clock.pass_by(minutes=5)
    locked = client.get("/api/v1/drugs")
    assert is_kind(locked, 401, "session-locked")
    assert locked.headers["WWW-Authenticate"] == "Bearer"
    clock.pass_by(minutes=-4)  # what is locked stays locked, whatever the clock says
    assert is_kind(client.get("/api/v1/drugs"), 401, "session-locked")
    unlocked = client.post(UNLOCK, json={"secret": PIN})
    assert unlocked.json["name"] == "nina"
    assert client.get("/api/v1/drugs").status_code == 200
    assert token_of(client) != before
    assert is_kind(browser(app, token=before).get(SESSION), 401, "not-signed-in")
    assert [row[1:3] for row in journaled("session.unlocked")] == [("user:nina", "user:nina")]


def test_the_password_unlocks_too(app, clock):
    client = signed_in(app, Role.NURSE)
    clock.pass_by(hours=1)
    assert client.post(UNLOCK, json={"secret": PASSWORD}).status_code == 200


def test_a_clock_that_steps_far_back_locks(app, clock):
    client = signed_in(app, Role.NURSE)
    clock.pass_by(hours=-1)
    assert is_kind(client.get(SESSION), 401, "session-locked")


def test_the_fifth_wrong_pin_ends_a_session(app, clock, journaled):
    client = signed_in(app, Role.NURSE)
    clock.pass_by(minutes=5)
    for _ in range(MOST_WRONG - 1):
        assert is_kind(client.post(UNLOCK, json={"secret": "314159"}), 403, "wrong-secret")
    assert is_kind(client.post(UNLOCK, json={"secret": "314159"}), 401, "not-signed-in")
    assert is_kind(client.post(UNLOCK, json={"secret": PIN}), 401, "not-signed-in")
    assert len(journaled("session.unlock_failed")) == MOST_WRONG
    assert "314159" not in str(journaled())


def test_the_right_pin_forgets_the_wrong_ones(app, clock):
    client = signed_in(app, Role.NURSE)
    for _ in range(2):
        clock.pass_by(minutes=5)
        for _ in range(MOST_WRONG - 1):
            client.post(UNLOCK, json={"secret": "314159"})
        assert client.post(UNLOCK, json={"secret": PIN}).status_code == 200


def test_a_wrong_pin_locks_a_session_that_was_open(app):
    client = signed_in(app, Role.NURSE)
    client.post(UNLOCK, json={"secret": "314159"})
    assert is_kind(client.get(SESSION), 401, "session-locked")


def test_no_session_lives_longer_than_its_time_however_much_it_is_used(app, clock, sql):
    client = signed_in(app, Role.NURSE)
    ends = clock() + LIFETIME
    while clock() < ends:
        assert client.get(SESSION).status_code == 200
        clock.pass_by(minutes=4)
    assert is_kind(client.get(SESSION), 401, "not-signed-in")
    assert is_kind(client.post(UNLOCK, json={"secret": PIN}), 401, "not-signed-in")
    signed_in(app, Role.NURSE)
    assert len(sql("SELECT * FROM sessions")) == 1  # what is over is not kept


def test_signing_out_ends_the_session_a_locked_one_too(app, clock, journaled):
    client = signed_in(app, Role.NURSE)
    token = token_of(client)
    clock.pass_by(minutes=10)
    assert client.delete(SESSION).status_code == 204
    assert client.get_cookie(COOKIE) is None
    assert is_kind(browser(app, token=token).get(SESSION), 401, "not-signed-in")
    assert len(journaled("account.signed_out")) == 1


def test_signing_in_at_the_same_browser_ends_the_session_before(app, journaled):
    client = signed_in(app, Role.NURSE, "nina")
    before = token_of(client)
    an_account(app, Role.PRESCRIBER, "paul")
    assert sign_in(client, "paul").status_code == 201
    assert client.get(SESSION).json["name"] == "paul"
    assert is_kind(browser(app, token=before).get(SESSION), 401, "not-signed-in")
    assert [row[1] for row in journaled("account.signed_out")] == ["user:nina"]


def test_a_wrong_sign_in_leaves_the_session_as_it_is(app):
    client = signed_in(app, Role.NURSE, "nina")
    assert sign_in(client, "nina", "not the password").status_code == 401
    assert client.get(SESSION).status_code == 200


def test_disabling_and_another_password_end_every_session(app, parts, act):
    nina, other = signed_in(app, Role.NURSE, "nina"), signed_in(app, Role.NURSE)
    parts.accounts.change("nina", act, password="another long enough one")
    assert is_kind(nina.get(SESSION), 401, "not-signed-in")
    assert sign_in(nina, "nina", "another long enough one").status_code == 201
    parts.accounts.change("nina", act, disabled=True)
    assert is_kind(nina.get(SESSION), 401, "not-signed-in")
    parts.accounts.change("nina", act, disabled=False)
    assert is_kind(nina.get(SESSION), 401, "not-signed-in")
    assert other.get(SESSION).status_code == 200


def test_a_pin_or_an_issuer_that_somebody_else_sets_ends_every_session(app, parts, act):
    nina = signed_in(app, Role.NURSE, "nina")
    parts.accounts.change("nina", act, pin="90210713")
    assert is_kind(nina.get(SESSION), 401, "not-signed-in")
    assert sign_in(nina, "nina").status_code == 201
    parts.accounts.link("nina", "https://id.example", "7", act)
    assert is_kind(nina.get(SESSION), 401, "not-signed-in")


def test_no_session_of_a_disabled_account_is_good_however_it_was_disabled(app, sql):
    client = signed_in(app, Role.NURSE)
    sql("UPDATE accounts SET disabled_at = created_at")
    assert is_kind(client.get(SESSION), 401, "not-signed-in")


def test_another_role_counts_from_the_next_request(app, parts, act):
    nina = signed_in(app, Role.NURSE, "nina")
    parts.accounts.change("nina", act, role=Role.ADMIN)
    assert nina.get("/metrics").status_code == 200


def test_one_changes_ones_own_password_by_the_present_one(app):
    nina, elsewhere = signed_in(app, Role.NURSE, "nina"), browser(app)
    sign_in(elsewhere, "nina")
    change = {"present": PIN, "password": "another long enough one"}
    assert is_kind(nina.post("/api/v1/account/password", json=change), 403, "wrong-secret")
    assert nina.post("/api/v1/account/password", json={**change, "present": PASSWORD}).status_code == 204
    assert {each.get(SESSION).status_code for each in (nina, elsewhere)} == {401}
    assert sign_in(nina, "nina").status_code == 401
    assert sign_in(nina, "nina", "another long enough one").status_code == 201


def test_one_changes_ones_own_pin_by_the_present_password(app, clock):
    nina = signed_in(app, Role.NURSE, "nina")
    assert is_kind(
        nina.post("/api/v1/account/pin", json={"present": PIN, "pin": "90210713"}), 403, "wrong-secret"
    )
    assert nina.post("/api/v1/account/pin", json={"present": PASSWORD, "pin": "90210713"}).status_code == 204
    clock.pass_by(minutes=5)
    assert nina.post(UNLOCK, json={"secret": PIN}).status_code == 403
    assert nina.post(UNLOCK, json={"secret": "90210713"}).status_code == 200


def test_a_cookie_that_is_no_session_lets_nobody_in(app):
    client = browser(app)
    for token in ("", "x", "a" * 10_000, "ä", COOKIE, "dosegate_1_2"):
        client.environ_base["HTTP_COOKIE"] = f"{COOKIE}={token}"
        assert is_kind(client.get(SESSION), 401, "not-signed-in")
