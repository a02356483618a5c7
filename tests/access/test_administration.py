"""Administration over HTTP: accounts and keys."""

import pytest
from marshmallow import RAISE

from service.access.roles import SCOPES, Role
from service.api.people_schemas import AccountSchema, AccountsSchema, KeyMadeSchema, KeysSchema, SessionSchema
from tests.access.test_sessions import SESSION, UNLOCK, is_kind, sign_in
from tests.api.sending import is_problem, paths
from tests.people import PASSWORD, PIN, browser, signed_in

ACCOUNTS, KEYS = "/api/v1/accounts", "/api/v1/keys"
NINA = {"name": "nina", "full_name": "Nina Koch", "role": "nurse", "password": PASSWORD, "secret": PIN}
EHR = {"name": "EHR", "scopes": ["checklist:make"], "days": 90, "secret": PIN}
ANOTHER = "another long enough one"

pytestmark = pytest.mark.any_database


@pytest.fixture
def admin(app):
    return signed_in(app, Role.ADMIN, "anna")


def fits(schema, response):
    return schema(unknown=RAISE).validate(response.json) == {}


def change(client, name, **changes):
    return client.patch(f"{ACCOUNTS}/{name}", json={"secret": PIN, **changes})


def revoke(client, prefix, secret=PIN):
    return client.post(f"{KEYS}/{prefix}/revoke", json={"secret": secret})


def test_an_account_is_added_changed_disabled_and_listed(app, admin, journaled):
    added = admin.post(ACCOUNTS, json=NINA)
    assert added.status_code == 201
    assert fits(AccountSchema, added)
    nina = browser(app)
    assert fits(SessionSchema, sign_in(nina, "nina"))
    changed = change(admin, "nina", role="pharmacist", full_name="Dr Koch")
    assert fits(AccountSchema, changed)
    assert changed.json == {**added.json, "role": "pharmacist", "full_name": "Dr Koch"}
    assert nina.get(SESSION).json["role"] == "pharmacist"
    assert change(admin, "nina", disabled=True).json["disabled_at"] is not None
    assert is_kind(nina.get(SESSION), 401, "not-signed-in")
    listed = admin.get(ACCOUNTS)
    assert fits(AccountsSchema, listed)
    assert [each["name"] for each in listed.json["accounts"]] == ["anna", "nina"]
    assert [row[1] for row in journaled("account.changed")] == ["user:anna"] * 2
    for secret in (PASSWORD, "argon2"):
        assert secret not in listed.text + added.text


def test_a_password_that_somebody_else_set_is_good_for_choosing_another_one_alone(app, admin, clock):
    admin.post(ACCOUNTS, json=NINA)
    nina = browser(app)
    assert sign_in(nina, "nina").json["password_expired"] is True
    for address in ("/api/v1/drugs", "/metrics", ACCOUNTS):
        assert is_kind(nina.get(address), 403, "password-must-be-changed")
    pin = {"present": PASSWORD, "pin": PIN}
    assert is_kind(nina.post("/api/v1/account/pin", json=pin), 403, "password-must-be-changed")
    clock.pass_by(minutes=5)
    assert nina.post(UNLOCK, json={"secret": PASSWORD}).status_code == 200
    the_same = nina.post("/api/v1/account/password", json={"present": PASSWORD, "password": PASSWORD})
    assert is_problem(the_same, 422)
    assert paths(the_same) == ["password"]
    own = {"present": PASSWORD, "password": ANOTHER}
    assert nina.post("/api/v1/account/password", json=own).status_code == 204
    assert sign_in(nina, "nina", ANOTHER).json["password_expired"] is False
    assert nina.get("/api/v1/drugs").status_code == 200
    assert admin.post(UNLOCK, json={"secret": PIN}).status_code == 200
    assert change(admin, "nina", password=PASSWORD).status_code == 200
    assert sign_in(nina, "nina").json["password_expired"] is True
    assert is_kind(nina.get("/api/v1/drugs"), 403, "password-must-be-changed")
    assert nina.delete(SESSION).status_code == 204


def test_whoever_finds_an_open_session_administers_nothing(app, admin, sql, journaled):
    signed_in(app, Role.NURSE, "nina")
    key = admin.post(KEYS, json=EHR).json["prefix"]
    before = sql("SELECT * FROM accounts"), sql("SELECT * FROM api_keys")
    wrong = {"secret": "314159"}
    for response in (
        admin.post(ACCOUNTS, json={**NINA, "name": "carl", **wrong}),
        change(admin, "nina", role="admin", **wrong),
        admin.post(KEYS, json={**EHR, **wrong}),
        revoke(admin, key, **wrong),
    ):
        assert is_kind(response, 403, "wrong-secret")
    assert len(journaled("signature.failed")) == 4
    for response in (
        admin.post(ACCOUNTS, json={each: NINA[each] for each in NINA if each != "secret"}),
        admin.patch(f"{ACCOUNTS}/nina", json={"role": "admin"}),
        admin.post(f"{KEYS}/{key}/revoke", json={}),
    ):
        assert is_problem(response, 422)
        assert paths(response) == ["secret"]
    assert (sql("SELECT * FROM accounts"), sql("SELECT * FROM api_keys")) == before


def test_nobody_decides_about_their_own_account_or_about_another_ones_pin(app, admin, sql):
    signed_in(app, Role.ADMIN, "ada")
    before = sql("SELECT role, password, pin, disabled_at FROM accounts ORDER BY name")
    for own in ({"role": "prescriber"}, {"password": ANOTHER}, {"disabled": True}, {"disabled": False}):
        assert is_kind(change(admin, "anna", **own), 409, "own-account")
    for name in ("anna", "ada"):
        assert paths(change(admin, name, pin="90210713")) == ["pin"]
    assert sql("SELECT role, password, pin, disabled_at FROM accounts ORDER BY name") == before
    assert change(admin, "anna", full_name="Dr Anna").json["full_name"] == "Dr Anna"


BAD_ACCOUNTS = [
    ({"role": "root"}, "role"),
    ({"role": None}, "role"),
    ({"name": "Nina"}, "name"),
    ({"name": "anna"}, "name"),
    ({"password": "too short"}, "password"),
    ({"password": 123456789012}, "password"),
    ({"pin": PIN}, "pin"),
    ({"issuer": "é", "external": "7"}, "issuer"),
    ({"issuer": "https://id.example", "external": "x" * 256}, "external"),
    ({"full_name": ""}, "full_name"),
    ({"permissions": ["accounts:manage"]}, "permissions"),
    ({"issuer": "https://id.example"}, "password"),
]


def test_a_bad_account_is_refused_by_its_field_without_repeating_it(admin, sql):
    for changes, path in BAD_ACCOUNTS:
        response = admin.post(ACCOUNTS, json={**NINA, **changes})
        assert is_problem(response, 422), changes
        assert paths(response) == [path]
        assert PASSWORD not in response.text
    assert sql("SELECT name FROM accounts") == [("anna",)]


def test_a_change_that_is_none_or_of_nobody_is_refused(admin):
    assert is_kind(change(admin, "nobody", disabled=True), 404, "no-such-account")
    for body, path in [
        ({"pin": PIN}, "pin"),
        ({"issuer": "https://id.example"}, "issuer"),
        ({"disabled": "yes"}, "disabled"),
        ({"role": "x"}, "role"),
    ]:
        response = change(admin, "anna", **body)
        assert is_problem(response, 422), body
        assert paths(response) == [path]


def test_of_two_administrators_who_demote_each_other_at_once_one_is_kept(app, admin, parts, act, monkeypatch):
    signed_in(app, Role.ADMIN, "ada")
    sign = parts.accounts.sign

    def meanwhile(*signed):
        sign(*signed)
        parts.accounts.change("anna", act, role=Role.NURSE, keep_an_admin=True)

    monkeypatch.setattr(parts.accounts, "sign", meanwhile)
    assert is_kind(change(admin, "ada", role="nurse"), 409, "last-admin")
    assert is_kind(admin.get(ACCOUNTS), 403, "may-not")


def test_a_key_is_made_once_shown_listed_and_revoked(app, admin, journaled):
    made = admin.post(KEYS, json=EHR)
    assert made.status_code == 201
    assert fits(KeyMadeSchema, made)
    bearer = {"Authorization": f"Bearer {made.json['token']}"}
    assert is_problem(app.test_client().post("/api/v1/checklists", headers=bearer), 415)
    assert is_kind(app.test_client().get("/metrics", headers=bearer), 403, "may-not")
    listed = admin.get(KEYS)
    assert fits(KeysSchema, listed)
    assert made.json["token"] not in listed.text + str(journaled())
    prefix = made.json["prefix"]
    assert revoke(admin, prefix).status_code == 204
    assert is_kind(app.test_client().post("/api/v1/checklists", headers=bearer), 401, "not-signed-in")
    assert is_problem(revoke(admin, prefix), 422)
    for other in ("0123456789ab", "x", "a%00b"):
        assert is_kind(revoke(admin, other), 404, "no-such-key")
    assert [row[1] for row in journaled("key.made") + journaled("key.revoked")] == ["user:anna"] * 2


def test_a_bad_key_is_refused_by_its_field(admin):
    for changes, path in [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["checklist:make", "everything"]}, "scopes.1"),
        ({"scopes": ["accounts:manage"]}, "scopes.0"),
        ({"days": 0}, "days"),
        ({"days": 3661}, "days"),
        ({"days": "90"}, "days"),
        ({"name": ""}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"prefix": "0123456789ab"}, "prefix"),
    ]:
        response = admin.post(KEYS, json={**EHR, **changes})
        assert is_problem(response, 422), changes
        assert paths(response) == [path]
    assert admin.post(KEYS, json={**EHR, "scopes": sorted(SCOPES)}).status_code == 201
