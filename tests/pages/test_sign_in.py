"""Signing in on a page, being led to where one begins, and coming from elsewhere."""

import re

import pytest

from service.access.roles import Role
from service.records.journal import Act
from service.web.cookies import DEVICE_COOKIE
from service.web.guard import COOKIE
from tests.pages.page_texts import form_key, words
from tests.people import PASSWORD, an_account, browser, signed_in

pytestmark = pytest.mark.any_database
BEGINNINGS = {"nurse": "/today", "prescriber": "/today", "pharmacist": "/today", "auditor": "/find"}


@pytest.fixture
def parts(app):
    return app.extensions["dosegate"]


def sign_in(client, name, password=PASSWORD, **fields):
    return client.post("/sign-in", data={"name": name, "password": password, **fields})


@pytest.mark.parametrize("role", Role)
def test_each_is_led_to_where_the_role_begins(app, role):
    somebody = signed_in(app, role)
    answer = somebody.get("/")
    assert (answer.status_code, answer.location) == (303, BEGINNINGS.get(role, "/accounts"))
    assert somebody.get(answer.location).status_code == 200


def test_who_is_not_signed_in_is_led_to_the_sign_in_and_back(app):
    an_account(app, Role.NURSE, "nina")
    client = browser(app)
    assert client.get("/").location == "/sign-in"
    asked = client.get("/today?day=2026-10-07")
    assert asked.status_code == 303
    page = client.get(asked.location)
    assert 'value="/today?day=2026-10-07"' in page.text
    answer = sign_in(client, "nina", next="/today?day=2026-10-07")
    assert (answer.status_code, answer.location) == (303, "/today?day=2026-10-07")


ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/today",
    "/\\evil.example",
    "\\/evil.example",
    "/today\n//evil.example",
    "javascript:alert(1)",
    "today",
    "/sign-in",
    "/unlock",
    "/api/v1/drugs",
    "/nowhere",
    "",
]


def test_nobody_is_led_elsewhere(app):
    an_account(app, Role.NURSE, "nina")
    for elsewhere in ELSEWHERE:
        assert sign_in(browser(app), "nina", next=elsewhere).location == "/", elsewhere


def test_signing_in_gives_a_new_token_in_cookies_of_this_site_alone(app):
    an_account(app, Role.NURSE, "nina")
    client = signed_in(app, Role.NURSE)
    before = client.get_cookie(COOKIE).value
    cookies = sign_in(client, "nina").headers.getlist("Set-Cookie")
    assert {each.partition("=")[0] for each in cookies} == {COOKIE, DEVICE_COOKIE}
    for cookie in cookies:
        assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert client.get_cookie(COOKIE).value != before
    assert browser(app, token=before).get("/").location == "/sign-in"


def test_whatever_is_wrong_the_words_are_the_same(app, parts):
    an_account(app, Role.NURSE, "nina")
    an_account(app, Role.NURSE, "gone")
    client = browser(app)
    parts.accounts.change("gone", setup_act(parts), disabled=True)
    answers = [
        sign_in(client, name, word)
        for name, word in [("nina", "wrong"), ("nobody", "wrong"), ("gone", PASSWORD), ("", "")]
    ]
    assert {answer.status_code for answer in answers} == {401}
    said = {re.search(r'role="alert".*?</div>', answer.text, re.DOTALL)[0] for answer in answers}
    assert len(said) == 1
    assert 'value="nina"' in answers[0].text and "wrong" not in answers[0].text.split("Name or password")[0]


def setup_act(parts):
    return Act("cli:setup", "operator", "setup", parts.clock())


def test_after_several_wrong_tries_the_page_says_how_long_to_wait(app):
    an_account(app, Role.NURSE, "nina")
    client = browser(app)
    for _ in range(5):
        sign_in(client, "nina", "wrong")
    answer = sign_in(client, "nina")
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "900"
    assert "Try again in 15 minutes" in words(answer)


def test_whose_password_somebody_else_has_set_chooses_another_one_first(app, parts):
    an_account(app, Role.NURSE, "nina")
    parts.accounts.change("nina", setup_act(parts), password="another long enough one", expired=True)
    client = browser(app)
    assert sign_in(client, "nina", "another long enough one", next="/today").location == "/account"
    assert client.get("/today").location == "/account"
    page = client.get("/account")
    assert "Choose another one first" in words(page) and "New PIN" not in words(page)
    chosen = {"present": "another long enough one", "password": PASSWORD, "password_again": PASSWORD}
    answer = client.post("/account/password", data={**chosen, "form_key": form_key(page)})
    assert answer.status_code == 200 and "Sign in with it" in words(answer)
    assert sign_in(client, "nina").location == "/"
    assert client.get("/").location == "/today"


def test_the_identity_provider_is_offered_where_there_is_one(app, parts):
    assert "/api/v1/session/oidc" not in browser(app).get("/sign-in").text
    object.__setattr__(parts, "external_sign_in", object())
    assert 'href="/api/v1/session/oidc"' in browser(app).get("/sign-in").text


def test_signing_out_ends_the_session(app):
    client = signed_in(app, Role.NURSE)
    token, key = client.get_cookie(COOKIE).value, form_key(client.get("/account"))
    assert client.post("/sign-out", data={"form_key": key}).location == "/sign-in"
    assert client.get_cookie(COOKIE) is None
    assert browser(app, token=token).get("/account").status_code == 303


def test_a_link_of_another_site_goes_on_from_a_page_of_ours(app):
    elsewhere = app.test_client()
    elsewhere.environ_base["HTTP_SEC_FETCH_SITE"] = "cross-site"
    answer = elsewhere.get("/today?day=2026-10-07")
    assert answer.status_code == 200
    assert '<meta http-equiv="refresh" content="0; url=/today?day=2026-10-07">' in answer.text
    assert COOKIE not in str(answer.headers)


def test_in_a_browser_a_nurse_signs_in_over_http_without_a_script(app, address, chromium):
    """Given an account and a browser without JavaScript, when its owner follows a link and signs in over
    plain HTTP on this machine, then the browser keeps the cookies, and she is where the link led."""
    an_account(app, Role.NURSE, "nina")
    context = chromium.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/drugs")
    page.get_by_label("Name").fill("nina")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in", exact=True).click()
    assert "wrong, or the account is disabled" in page.get_by_role("alert").inner_text()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    assert page.url == f"{address}/drugs"
    assert {each["name"] for each in context.cookies()} == {COOKIE, DEVICE_COOKIE}
    page.get_by_role("button", name="Sign out").click()
    assert page.url == f"{address}/sign-in"
    context.close()


def test_in_a_browser_a_link_of_another_site_finds_the_session(a_person, address):
    """Given a nurse who is signed in, when she follows a link on a page of another site, then she is not
    asked to sign in, though the browser keeps the session's cookie to itself at first."""
    page, sent = a_person(), []
    page.route(
        "http://ehr.test/",
        lambda route: route.fulfill(
            content_type="text/html", body=f'<a href="{address}/drugs">Drug rules</a>'
        ),
    )
    page.on("request", lambda request: sent.append(request.url) if request.is_navigation_request() else None)
    page.goto("http://ehr.test/")
    page.get_by_role("link").click()
    page.get_by_role("link", name=page.account.full_name).wait_for()
    assert page.url == f"{address}/drugs"
    assert sent.count(f"{address}/drugs") == 2
