"""Administration over HTTP: accounts and keys."""

import pytest
from marshmallow import RAISE
from schemathesis import GenerationMode

from service.access.roles import SCOPES, Role
from service.api.people_schemas import AccountSchema, AccountsSchema, KeyMadeSchema, KeysSchema, SessionSchema
from tests.access.test_sessions import SESSION, is_kind, sign_in
from tests.api.generated import PEOPLE, answer_as_documented
from tests.api.sending import is_problem, paths
from tests.people import PASSWORD, PIN, browser, signed_in

ACCOUNTS, KEYS = "/api/v1/accounts", "/api/v1/keys"
NINA = {"name": "nina", "full_name": "Nina Koch", "role": "nurse", "password": PASSWORD}
EHR = {"name": "EHR", "scopes": ["checklist:make"], "days": 90}

pytestmark = pytest.mark.any_database


@pytest.fixture
def admin(app):
    return signed_in(app, Role.ADMIN, "anna")


def fits(schema, response):
    return schema(unknown=RAISE).validate(response.json) == {}


def test_an_account_is_added_changed_disabled_and_listed(app, admin, journaled):
    added = admin.post(ACCOUNTS, json=NINA)
    assert added.status_code == 201
    assert fits(AccountSchema, added)
    nina = browser(app)
    assert fits(SessionSchema, sign_in(nina, "nina"))
    changed = admin.patch(f"{ACCOUNTS}/nina", json={"role": "pharmacist", "full_name": "Dr Koch", "pin": PIN})
    assert fits(AccountSchema, changed)
    assert changed.json == {**added.json, "role": "pharmacist", "full_name": "Dr Koch", "has_pin": True}
    assert nina.get(SESSION).json["role"] == "pharmacist"
    assert admin.patch(f"{ACCOUNTS}/nina", json={"disabled": True}).json["disabled_at"] is not None
    assert is_kind(nina.get(SESSION), 401, "not-signed-in")
    listed = admin.get(ACCOUNTS)
    assert fits(AccountsSchema, listed)
    assert [each["name"] for each in listed.json["accounts"]] == ["anna", "nina"]
    assert [row[1] for row in journaled("account.changed")] == ["user:anna"] * 2
    for secret in (PASSWORD, "argon2"):
        assert secret not in listed.text + added.text


BAD_ACCOUNTS = [
    ({"role": "root"}, "role"),
    ({"role": None}, "role"),
    ({"name": "Nina"}, "name"),
    ({"name": "anna"}, "name"),
    ({"password": "too short"}, "password"),
    ({"password": 123456789012}, "password"),
    ({"pin": "111111"}, "pin"),
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
    assert is_kind(admin.patch(f"{ACCOUNTS}/nobody", json={"disabled": True}), 404, "no-such-account")
    for body, path in [
        ({"name": "other"}, "name"),
        ({"disabled": "yes"}, "disabled"),
        ({"role": "x"}, "role"),
    ]:
        response = admin.patch(f"{ACCOUNTS}/anna", json=body)
        assert is_problem(response, 422), body
        assert paths(response) == [path]


def test_the_last_administrator_is_kept(app, admin):
    for change in ({"disabled": True}, {"role": "nurse"}):
        assert is_kind(admin.patch(f"{ACCOUNTS}/anna", json=change), 409, "last-admin")
    signed_in(app, Role.ADMIN, "ada")
    assert admin.patch(f"{ACCOUNTS}/anna", json={"role": "nurse"}).status_code == 200
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
    assert admin.delete(f"{KEYS}/{prefix}").status_code == 204
    assert is_kind(app.test_client().post("/api/v1/checklists", headers=bearer), 401, "not-signed-in")
    assert is_problem(admin.delete(f"{KEYS}/{prefix}"), 422)
    assert is_kind(admin.delete(f"{KEYS}/0123456789ab"), 404, "no-such-key")
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


def test_generated_requests_about_people_are_answered_as_documented(app):
    answer_as_documented(app, PEOPLE, GenerationMode.POSITIVE, role="admin")
    with_a_body = [each for each in PEOPLE if each.startswith(("POST", "PATCH"))]
    answer_as_documented(app, with_a_body, GenerationMode.NEGATIVE, role="admin")
