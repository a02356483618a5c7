"""Signing in over HTTP with the site's identity provider: real application, real provider, real databases."""

import json
import logging
import re
from contextlib import closing
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from service.access.provider import LEFT_ALONE_FOR
from service.access.roles import Role
from service.access.sign_in import AT_ONE_ADDRESS
from service.api.oidc import CALLBACK, START, UNDER_WAY
from service.app import create_app
from service.settings import IdentityProvider
from service.web.guard import COOKIE
from tests.access.oidc.identity_provider import CLIENT_ID, CLIENT_SECRET, DISCOVERY, PUBLIC_URL, SUBJECT
from tests.api.sending import is_problem
from tests.builders import shipped
from tests.people import PASSWORD, PIN, browser, signed_in

SESSION, ACCOUNT_PIN = "/api/v1/session", "/api/v1/account/pin"


@pytest.fixture
def app(settings, clock, provider):
    known = IdentityProvider(provider.issuer, CLIENT_ID, CLIENT_SECRET)
    made = create_app(replace(settings, public_url=PUBLIC_URL, identity_provider=known), shipped(), clock)
    with closing(made.extensions["dosegate"].store.records):
        yield made


@pytest.fixture
def nina(parts, provider, act):
    return parts.accounts.add(
        "nina", "Nina Koch", Role.NURSE, None, act, issuer=provider.issuer, external=SUBJECT
    )


def there_and_back(client, provider):
    """Go to the provider, sign in there, and come back."""
    left = client.get(START)
    assert left.status_code == 302, left.json
    return client.get(CALLBACK, query_string=provider.people_go_to(left.headers["Location"]))


def is_kind(response, status, kind):
    return is_problem(response, status) and response.json["type"] == f"urn:dosegate:problem:{kind}"


def failures(journaled):
    return [
        (subject, json.loads(details) if isinstance(details, str) else details)
        for _, _, subject, details in journaled("account.sign_in_failed")
    ]


def test_who_is_vouched_for_has_a_session_and_goes_on_from_a_page_of_ours(app, nina, provider, journaled):
    client = browser(app)
    back = there_and_back(client, provider)
    assert (back.status_code, back.mimetype) == (200, "text/html")
    assert re.search(r'http-equiv="refresh" content="0; url=(.*?)"', back.text)[1] == "/"
    assert client.get(SESSION).json["name"] == "nina"
    assert client.get(SESSION).json["has_password"] is False
    assert client.get_cookie(UNDER_WAY) is None
    [(_, actor, subject, details)] = journaled("account.signed_in")
    assert (actor, subject) == ("user:nina", "user:nina")
    assert "oidc" in str(details)


@pytest.mark.any_database
def test_people_come_back_to_the_address_of_the_settings_whatever_was_asked_for(app, provider):
    asked = {"Host": "elsewhere.example", "X-Forwarded-Host": "elsewhere.example"}
    left = browser(app).get(f"{START}?redirect_uri=//elsewhere.example&next=/x", headers=asked)
    assert parse_qs(urlsplit(left.headers["Location"]).query)["redirect_uri"] == [PUBLIC_URL + CALLBACK]
    assert "elsewhere" not in left.headers["Location"]


@pytest.mark.any_database
def test_the_cookies_are_out_of_reach_of_scripts_and_of_other_sites(app, nina, provider):
    client = browser(app)
    left = client.get(START)
    [under_way] = left.headers.getlist("Set-Cookie")
    assert under_way.startswith(f"{UNDER_WAY}=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=600"} <= set(under_way.split("; "))
    back = client.get(CALLBACK, query_string=provider.people_go_to(left.headers["Location"]))
    cookies = {each.partition("=")[0]: each.split("; ") for each in back.headers.getlist("Set-Cookie")}
    assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookies[COOKIE])
    assert "Max-Age=0" in cookies[UNDER_WAY]


def test_no_account_is_made_and_a_disabled_one_is_not_let_in(app, parts, act, provider, journaled):
    assert is_kind(there_and_back(browser(app), provider), 401, "sign-in-failed")
    assert parts.accounts.all() == []
    nobody_knows = failures(journaled)
    assert nobody_knows == [("unknown", {"how": "oidc", "why": "account"})]

    parts.accounts.add("nina", "Nina Koch", Role.NURSE, None, act, issuer=provider.issuer, external=SUBJECT)
    parts.accounts.change("nina", act, disabled=True)
    client = browser(app)
    said = there_and_back(client, provider)
    assert is_kind(said, 401, "sign-in-failed")
    assert client.get_cookie(COOKIE) is None
    assert failures(journaled)[1:] == [("user:nina", {"how": "oidc", "why": "account", "disabled": True})]
    assert SUBJECT not in str(journaled("account.sign_in_failed")) + said.text


@pytest.mark.any_database
def test_the_same_name_at_another_issuer_is_another_person(app, parts, act, provider):
    parts.accounts.add(
        "eve", "Eve", Role.ADMIN, None, act, issuer="https://elsewhere.example", external=SUBJECT
    )
    assert is_kind(there_and_back(browser(app), provider), 401, "sign-in-failed")


def test_each_failure_is_one_problem_and_one_entry_and_gives_no_session(app, nina, provider, journaled):
    client = browser(app)
    assert is_kind(client.get(CALLBACK), 401, "sign-in-failed")
    assert is_kind(client.get(f"{CALLBACK}?error=access_denied&state=x"), 401, "sign-in-failed")
    there_and_back(client, provider)
    client.delete(SESSION)

    answer = provider.people_go_to(client.get(START).headers["Location"])
    secret = client.get_cookie(UNDER_WAY).value
    assert client.get(CALLBACK, query_string=answer).status_code == 200
    client.delete(SESSION)
    assert is_kind(client.get(CALLBACK, query_string=answer), 401, "sign-in-failed")  # its cookie is gone
    client.set_cookie(UNDER_WAY, secret)
    assert is_kind(client.get(CALLBACK, query_string=answer), 401, "sign-in-failed")  # kept by somebody: used

    provider.alters = lambda claims: {**claims, "nonce": "another"}
    assert is_kind(there_and_back(client, provider), 401, "sign-in-failed")
    provider.alters, provider.refuses = None, True
    assert is_kind(there_and_back(client, provider), 401, "sign-in-failed")
    assert client.get(SESSION).status_code == 401
    assert [details for _, details in failures(journaled)] == [
        {"how": "oidc", "why": "state"},
        {"how": "oidc", "why": "state"},
        {"how": "oidc", "why": "state"},
        {"how": "oidc", "why": "code"},
        {"how": "oidc", "why": "claim", "claim": "nonce"},
        {"how": "oidc", "why": "provider"},
    ]


@pytest.mark.any_database
def test_a_provider_that_is_down_is_a_clear_problem_that_heals(app, nina, provider, clock, journaled):
    client = browser(app)
    provider.answers[DISCOVERY] = lambda: ("gone", 503)
    down = client.get(START)
    assert is_kind(down, 503, "identity-provider-unavailable")
    assert int(down.headers["Retry-After"]) == LEFT_ALONE_FOR.total_seconds()
    assert [details for _, details in failures(journaled)] == [{"how": "oidc", "why": "unavailable"}]
    provider.answers.clear()
    clock.pass_by(seconds=LEFT_ALONE_FOR.total_seconds())
    provider.now = clock()
    assert there_and_back(client, provider).status_code == 200


def test_whoever_fails_on_and_on_fills_no_journal_and_keeps_nobody_out(app, nina, provider, journaled):
    client = browser(app)
    for _ in range(AT_ONE_ADDRESS + 2):
        assert client.get(CALLBACK).status_code == 401
    entered = failures(journaled)
    assert len(entered) == AT_ONE_ADDRESS
    assert [details for _, details in entered if "limit_reached" in details] == [
        {"how": "oidc", "why": "state", "limit_reached": ["address"]}
    ]
    assert there_and_back(client, provider).status_code == 200


@pytest.mark.any_database
def test_nothing_of_a_token_a_code_or_a_secret_is_logged_or_entered(app, nina, provider, journaled, caplog):
    caplog.set_level(logging.DEBUG)
    given = []

    def keep(token, _provider):
        given.append(token.text)
        return token.text

    provider.forges = keep
    client = browser(app)
    left = client.get(START)
    answer = provider.people_go_to(left.headers["Location"])
    caplog.clear()  # what the provider and its visitors log is theirs
    told = [answer["code"], answer["state"], client.get_cookie(UNDER_WAY).value, SUBJECT, CLIENT_SECRET]
    client.get(CALLBACK, query_string=answer)
    provider.forges = lambda token, _: keep(token, _)[:-4] + "AAAA"
    there_and_back(client, provider)
    provider.answers["/token"] = lambda: ({"error": "server_error", "error_description": "private"}, 400)
    there_and_back(client, provider)
    ours = [
        record for record in caplog.records if not record.name.startswith(("authlib.oauth2.rfc", "urllib3"))
    ]
    entered = [row for row in journaled() if row[0] != "account.added"]  # which says who is vouched for
    written = " ".join(record.getMessage() for record in ours) + str(entered)
    assert len(given) == 2
    assert all(each not in written for each in [*told, *given, given[0].split(".")[1], "private"])


@pytest.mark.any_database
def test_going_to_the_provider_ends_the_session_of_this_browser(app, nina, provider, journaled):
    client = signed_in(app, Role.PRESCRIBER, "paul")
    token = client.get_cookie(COOKIE).value
    assert there_and_back(client, provider).status_code == 200
    assert client.get(SESSION).json["name"] == "nina"
    assert browser(app, token=token).get(SESSION).status_code == 401
    assert [row[1] for row in journaled("account.signed_out")] == ["user:paul"]


@pytest.mark.any_database
def test_without_a_password_no_password_is_right(app, nina, journaled):
    for password in ("", PASSWORD, "None"):
        refused = browser(app).post(SESSION, json={"name": "nina", "password": password})
        assert refused.status_code == (401 if password else 422)
    assert len(failures(journaled)) == 2


def test_a_pin_is_set_after_a_fresh_sign_in_and_then_signs_and_unlocks(app, nina, parts, provider, clock):
    client = browser(app)
    there_and_back(client, provider)
    assert is_kind(client.post(ACCOUNT_PIN, json={"pin": "111111"}), 422, "bad-input")
    assert client.post(ACCOUNT_PIN, json={"pin": PIN}).status_code == 204
    parts.accounts.sign(nina.principal, PIN, nina.principal.act("signing", clock()))
    clock.pass_by(minutes=5)
    assert client.post(f"{SESSION}/unlock", json={"secret": PIN}).status_code == 200

    later = client.post(ACCOUNT_PIN, json={"pin": "90210713"})  # unlocking is no new sign-in
    assert is_kind(later, 403, "sign-in-again")
    provider.now = clock()
    there_and_back(client, provider)
    assert client.post(ACCOUNT_PIN, json={"pin": "90210713"}).status_code == 204


@pytest.mark.any_database
def test_who_has_a_password_sets_a_pin_by_it_however_they_signed_in(app, parts, act, provider):
    parts.accounts.add("ned", "Ned", Role.NURSE, PASSWORD, act, issuer=provider.issuer, external=SUBJECT)
    client = browser(app)
    there_and_back(client, provider)
    assert is_kind(client.post(ACCOUNT_PIN, json={"pin": PIN}), 422, "bad-input")
    assert is_kind(client.post(ACCOUNT_PIN, json={"present": "wrong", "pin": PIN}), 403, "wrong-secret")
    assert client.post(ACCOUNT_PIN, json={"present": PASSWORD, "pin": PIN}).status_code == 204


@pytest.mark.any_database
@pytest.mark.parametrize("path", [START, CALLBACK])
def test_a_site_without_a_provider_says_so(settings, clock, path):
    app = create_app(settings, shipped(), clock)
    with closing(app.extensions["dosegate"].store.records):
        assert is_kind(app.test_client().get(path), 404, "no-identity-provider")
