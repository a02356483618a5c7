"""The door for EHRs: a bare 401, or a call that is known to be an EHR's."""

import json

import pytest
from flask import Flask, Response

from service.access.roles import SCOPES, Role
from service.api import cors, documentation, ehr_door
from service.api.ehr_door import caller
from service.web import errors, guard, headers
from service.web.parts import act, install, principal
from tests.access.test_guard import with_key
from tests.ehr.an_ehr import PUBLIC_URL, SERVICE, bearer, claims_at, public, rsa_key, signed
from tests.logged import logged
from tests.people import signed_in

LOCAL = "http://localhost"


def behind_the_door(app, public_url):
    """An application of the same parts with one route for EHRs, which says who calls."""
    made = Flask("probe", static_folder=None)
    install(made, app.extensions["dosegate"])
    headers.register(made)
    cors.register(made)

    def view():
        who = {"actor": act().actor, "role": principal().role, "tenant": caller().tenant}
        return Response(json.dumps(who), mimetype="application/json")

    made.add_url_rule(SERVICE, "service", view, methods=["GET", "POST"])
    doors = {guard.AN_EHR: ehr_door.door(public_url)}
    guard.register(made, {"service": guard.AN_EHR}, public_url, doors, lambda: None)
    errors.register(made)
    ehr_door.register_errors(made)
    return made


@pytest.fixture
def probe(app, ehr):
    return behind_the_door(app, PUBLIC_URL).test_client()


@pytest.fixture
def token(clock):
    def make(url=PUBLIC_URL + SERVICE, **changes):
        return {"Authorization": bearer(signed(claims_at(clock(), url, **changes)))}

    return make


def is_bare(response):
    """Whether nothing at all is said."""
    assert (response.status_code, response.data) == (401, b"")
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert "Content-Type" not in response.headers
    assert response.headers["X-Request-Id"]
    return True


def test_an_ehr_is_let_in_as_itself(probe, token):
    response = probe.post(SERVICE, headers=token(tenant="north"), json={})
    assert response.json == {"actor": "ehr:epic", "role": "client", "tenant": "north"}
    assert probe.get(SERVICE, headers=token()).json["tenant"] is None


@pytest.mark.any_database
def test_the_address_is_the_public_one_whatever_was_asked(probe, token):
    assert probe.get(SERVICE, headers=token(), base_url="http://10.0.0.7:8080").status_code == 200
    assert is_bare(probe.get(SERVICE, headers=token(LOCAL + SERVICE)))
    named = {**token("https://elsewhere.example" + SERVICE), "X-Forwarded-Host": "elsewhere.example"}
    assert is_bare(probe.get(SERVICE, headers=named, base_url="https://elsewhere.example"))


@pytest.mark.any_database
def test_who_is_not_let_in_is_told_nothing(probe, app, token, act, caplog):
    used = token()
    probe.get(SERVICE, headers=used)
    wrong = [used, token("x"), token(iss="https://nobody.example"), token(exp=0), {}]
    wrong += [{"Authorization": "Bearer x.y.z"}, {"Authorization": "Basic eDp4"}]
    key = with_key(app, act, SCOPES).environ_base["HTTP_AUTHORIZATION"]
    for headers_ in [*wrong, {"Authorization": key}]:
        assert is_bare(probe.get(SERVICE, headers=headers_)), headers_
        assert is_bare(probe.post(SERVICE, headers={**headers_, "Origin": "https://evil.example"})), headers_
        assert is_bare(probe.options(SERVICE, headers=headers_)), headers_
    assert "ehr:epic: it was used before" in [each["reason"] for each in logged(caplog, "ehr_not_believed")]
    for headers_ in wrong[:4]:
        assert headers_["Authorization"].split()[1] not in caplog.text
    assert "nobody.example" not in caplog.text


@pytest.mark.any_database
def test_a_session_is_no_ehr(probe, app, token):
    nina = signed_in(app, Role.NURSE)
    cookie = nina.get_cookie(guard.COOKIE)
    probe.set_cookie(cookie.key, cookie.value, secure=True)
    assert is_bare(probe.get(SERVICE))
    assert is_bare(probe.post(SERVICE, headers={"Sec-Fetch-Site": "same-origin"}))
    assert probe.post(SERVICE, headers={**token(), "Sec-Fetch-Site": "cross-site"}).status_code == 200


@pytest.mark.any_database
def test_an_ehr_opens_no_other_door(app, ehr, token):
    for address in ("/api/v1/drugs", "/api/v1/session", "/metrics", "/api/v1/ehr-clients"):
        response = app.test_client().get(address, headers=token(PUBLIC_URL + address))
        assert response.status_code == 401
        assert response.json["type"].endswith("not-signed-in")


@pytest.mark.any_database
def test_without_a_public_address_nobody_is_believed_and_the_log_says_why(app, ehr, token, caplog):
    probe = behind_the_door(app, None).test_client()
    assert is_bare(probe.get(SERVICE, headers=token(LOCAL + SERVICE)))
    assert is_bare(probe.get(SERVICE, headers=token()))
    assert caplog.text.count("DOSEGATE_PUBLIC_URL is not set") == 2


@pytest.mark.any_database
def test_a_demonstration_goes_by_what_it_is_called(app, ehr, token, parts, monkeypatch):
    probe = behind_the_door(app, None).test_client()
    monkeypatch.setattr(type(parts.store.records), "demonstration", True)
    assert probe.get(SERVICE, headers=token(LOCAL + SERVICE)).status_code == 200
    assert is_bare(probe.get(SERVICE, headers=token()))


@pytest.mark.any_database
def test_a_route_whose_door_was_not_made_is_shut(app, ehr, token):
    made = Flask("shut", static_folder=None)
    install(made, app.extensions["dosegate"])
    headers.register(made)
    made.add_url_rule(SERVICE, "service", lambda: "secret")
    guard.register(made, {"service": guard.AN_EHR}, PUBLIC_URL, {}, lambda: None)
    errors.register(made)
    assert made.test_client().get(SERVICE, headers=token()).status_code == 500


def test_who_is_revoked_is_not_let_in(probe, parts, act, token):
    assert probe.get(SERVICE, headers=token()).status_code == 200
    parts.ehr_clients.revoke("epic", act)
    assert is_bare(probe.get(SERVICE, headers=token()))


def test_a_store_that_is_gone_is_no_refusal(own_database_url, probe, token, sql):
    sql("ALTER TABLE used_tokens RENAME TO elsewhere")
    response = probe.get(SERVICE, headers=token())
    assert response.status_code == 503
    assert response.json["type"].endswith("store-unavailable")


@pytest.mark.any_database
def test_the_door_is_documented():
    section = documentation.Section("probe", "For EHRs.")

    @section.endpoint(SERVICE, documentation.Answers(200, "Yes."), needs=guard.AN_EHR, method="POST")
    def service():
        """Serve."""

    document = json.loads(documentation._document.__wrapped__((section,), False))
    assert document["components"]["securitySchemes"]["ehr"]["bearerFormat"] == "JWT"
    operation = document["paths"][SERVICE]["post"]
    assert (operation["security"], operation["x-needs"]) == ([{"ehr": []}], "ehr")
    assert {"200", "401"} <= set(operation["responses"])
    assert "content" not in operation["responses"]["401"]


def test_keys_of_both_kinds_open_it(probe, keys, clock):
    keys.document = public(rsa_key())
    claims = claims_at(clock())
    headers_ = {"Authorization": bearer(signed(claims, rsa_key(), "RS384"))}
    assert probe.get(SERVICE, headers=headers_).status_code == 200
