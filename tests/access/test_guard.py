"""The door: every route says whom it is for, and every cell that is not in the table is refused."""

import re
import uuid
from datetime import timedelta

import pytest

from service.access.keys import LONGEST, BadKey
from service.access.refusals import MOST_ENTERED
from service.access.roles import FOR_PEOPLE_ONLY, ROLES, SCOPES, Permission, Role, permissions_of
from service.web.guard import COOKIE
from tests.access.test_sessions import is_kind
from tests.api.sending import is_problem
from tests.people import PASSWORD, browser, signed_in

UNDOCUMENTED = {"/api/v1/openapi.json", "/api/v1/docs", "/api/v1/static/<path:filename>"}
PUBLIC = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("POST", "/api/v1/session"),
    ("GET", "/api/v1/session/oidc"),
    ("GET", "/api/v1/session/oidc/callback"),
}
# Which of them an attestation needs is in its body; tests/api/test_visits.py asks each role for each meaning.
ASKED_FOR_BY_THE_MEANING = {Permission.ATTEST_PERFORMED, Permission.ATTEST_REVIEWED}
EVEN_LOCKED = {("DELETE", "/api/v1/session"), ("POST", "/api/v1/session/unlock")}
DOORS = {"ehr": "Bearer", "sender": "webhook-signature"}  # each with what it asks for
YEAR = timedelta(days=365)


def operations(app):
    """Every operation of the document: its method, its address, and what it says it needs."""
    paths = app.test_client().get("/api/v1/openapi.json").json["paths"]
    for path, item in paths.items():
        for method, operation in item.items():
            if method != "parameters":
                yield method.upper(), path, operation["x-needs"]


def guarded(app):
    """The operations that need a permission, at an address that can be asked."""
    some_id = str(uuid.uuid4())
    words = {word.value: word for word in Permission}
    for method, path, needs in operations(app):
        if needs in words:
            yield method, re.sub(r"{[a-z_]+}", some_id, path), words[needs]


def with_key(app, act, scopes):
    parts = app.extensions["dosegate"]
    key, token = parts.keys.make("a machine", scopes, YEAR, act)
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    client.key = key
    return client


def test_the_table_names_every_permission_and_every_role_is_used():
    assert set(ROLES) == set(Permission)
    assert all(roles and roles <= set(Role) for roles in ROLES.values())
    assert len({permissions_of(role) for role in Role}) == len(Role)
    assert set().union(*(permissions_of(role) for role in Role)) == set(Permission)
    assert set(Permission) == SCOPES | FOR_PEOPLE_ONLY


# Nurse, prescriber, pHarmacist, auditor, adMin, key: a second time, so that no change of it goes unseen.
AGREED = """
knowledge:read        NPHAM key
checklist:make        NPH.. key
checklist:read        NPHA. key
checklist:search      NPHA. key
trace:read            NPHA. key
checklist:replay      ..HA. key
warn:acknowledge      NPH..
block:override        .P...
checklist:double_check  NPH..
attest:performed      NP...
attest:reviewed       .PH..
outcome:record        NP... key
draft:keep            NPH.. key
quality:read          ..HA. key
journal:read          ...A. key
journal:export        ...A. key
checklist:export      ...A. key
accounts:manage       ....M
keys:manage           ....M
metrics:read          ....M key
account:own           NPHAM
ehr:manage            ....M
webhooks:manage       ....M key
infusion:read         NPHA. key
"""


def test_the_table_is_the_one_that_was_agreed():
    agreed = {}
    for line in AGREED.strip().splitlines():
        permission, cells, *key = line.split()
        roles = {role for role, cell in zip(Role, cells, strict=True) if cell != "."}
        agreed[permission] = (roles, bool(key))
    assert agreed == {permission: (set(roles), permission in SCOPES) for permission, roles in ROLES.items()}


@pytest.mark.any_database
def test_every_route_says_what_it_needs(app):
    documented = {re.sub(r"{([a-z_]+)}", r"<\1>", path) for _, path, _ in operations(app)}
    rules = [rule.rule for rule in app.url_map.iter_rules() if not rule.endpoint.startswith("pages.")]
    routed = {re.sub(r"<[a-z]+:([a-z_]+)>", r"<\1>", rule) for rule in rules}
    assert routed - documented == {re.sub(r"<[a-z]+:", "<", rule) for rule in UNDOCUMENTED}
    found = set(operations(app))
    assert {each[:2] for each in found if each[2] == "public"} == PUBLIC
    assert {each[:2] for each in found if each[2] == "session"} == EVEN_LOCKED
    assert {each[2] for each in found} <= {*Permission, "public", "session", *DOORS}


@pytest.mark.any_database
def test_a_route_that_says_nothing_is_shut_to_everybody(app, act, journaled):
    app.add_url_rule("/extra", "extra", lambda: "secret", methods=["GET", "POST"])
    assert is_kind(app.test_client().get("/extra"), 401, "not-signed-in")
    everybody = [*(signed_in(app, role) for role in Role), with_key(app, act, SCOPES)]
    for client in everybody:
        for ask in (client.get, client.post, client.options):
            assert is_kind(ask("/extra"), 403, "may-not")
    assert len(journaled("access.refused")) == 3 * len(everybody)


@pytest.mark.any_database
def test_every_refused_cell_is_refused_and_journaled_and_every_other_is_let_in(app, journaled):
    wanted, refused = list(guarded(app)), []
    assert set(Permission) - {needs for _, _, needs in wanted} == ASKED_FOR_BY_THE_MEANING
    for role in Role:
        client = signed_in(app, role, f"the-{role}")
        for method, path, needs in wanted:
            response = client.open(path, method=method)
            if role in ROLES[needs]:
                assert response.status_code not in (401, 403), (role, method, path)
            else:
                assert is_kind(response, 403, "may-not"), (role, method, path)
                assert needs in response.json["detail"]
                refused.append((f"user:the-{role}", needs))
    entries = journaled("access.refused")
    assert [actor for _, actor, _, _ in entries] == [actor for actor, _ in refused]
    for (_, _, _, details), (_, needs) in zip(entries, refused, strict=True):
        assert f'"{needs}"' in details
    assert len(refused) >= 70


def test_one_who_asks_again_and_again_is_refused_each_time_and_entered_so_often_only(
    app, act, clock, journaled
):
    nurse, key = signed_in(app, Role.NURSE, "nina"), with_key(app, act, [Permission.KNOWLEDGE_READ])
    for client in (nurse, key):
        for _ in range(MOST_ENTERED + 5):
            assert is_kind(client.get("/metrics"), 403, "may-not")
    entries = journaled("access.refused")
    assert [row[1] for row in entries].count("user:nina") == MOST_ENTERED
    assert len(entries) == 2 * MOST_ENTERED
    assert ["limit_reached" in str(row[3]) for row in entries[:MOST_ENTERED]] == [False] * 19 + [True]
    assert is_kind(nurse.get("/api/v1/keys"), 403, "may-not")  # another permission
    clock.pass_by(minutes=4)
    nurse.get("/api/v1/session")
    clock.pass_by(minutes=4)
    assert len(journaled("access.refused")) == 2 * MOST_ENTERED + 1
    clock.pass_by(minutes=7)
    assert is_kind(key.get("/metrics"), 403, "may-not")
    assert len(journaled("access.refused")) == 2 * MOST_ENTERED + 2


@pytest.mark.any_database
def test_without_credentials_every_guarded_route_is_shut(app, journaled):
    before = journaled()
    for method, path, needs in operations(app):
        if needs != "public":
            address = re.sub(r"{[a-z_]+}", str(uuid.uuid4()), path)
            response = app.test_client().open(address, method=method)
            if needs in DOORS:  # who is nobody there is told nothing
                assert (response.status_code, response.data) == (401, b""), (method, path)
            else:
                assert is_kind(response, 401, "not-signed-in"), (method, path)
            assert response.headers["WWW-Authenticate"] == DOORS.get(needs, "Bearer")
    assert journaled() == before


@pytest.mark.any_database
def test_a_key_opens_what_its_scopes_say_and_nothing_else(app, act, journaled):
    for method, path, needs in guarded(app):
        lacking = with_key(app, act, SCOPES - {needs})
        assert is_kind(lacking.open(path, method=method), 403, "may-not"), (method, path)
        assert journaled()[-1][0:2] == ("access.refused", f"key:{lacking.key.prefix}")
        if needs in SCOPES:
            response = with_key(app, act, [needs]).open(path, method=method)
            assert response.status_code not in (401, 403), (method, path)
    for method, path in EVEN_LOCKED:
        assert is_kind(with_key(app, act, SCOPES).open(path, method=method), 401, "not-signed-in")


# Requests that a browser was made to send by a page of somebody else


FOREIGN = [
    {},  # a browser of today says one of both, so one that says nothing is not trusted
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "http://localhost:8081"},
    {"Origin": ""},
]
OWN = [
    {"Sec-Fetch-Site": "same-origin"},
    {"Origin": "http://localhost"},
    {"Origin": "https://localhost"},  # TLS ends at a proxy
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://localhost"},
]
NEW_PIN = {"present": PASSWORD, "pin": "90210713"}


@pytest.mark.any_database
def test_what_changes_something_comes_from_a_page_of_ours(app, sql):
    client = signed_in(app, Role.NURSE)
    del client.environ_base["HTTP_SEC_FETCH_SITE"]
    before = sql("SELECT pin FROM accounts")
    for headers in FOREIGN:
        for address in ("/api/v1/account/pin", "/api/v1/session/unlock"):
            response = client.post(address, json=NEW_PIN, headers=headers)
            assert is_kind(response, 403, "foreign-site"), headers
        assert is_kind(client.delete("/api/v1/session", headers=headers), 403, "foreign-site")
        assert is_kind(client.patch("/api/v1/accounts/x", json={}, headers=headers), 403, "foreign-site")
        assert client.get("/api/v1/drugs", headers=headers).status_code == 200
    assert sql("SELECT pin FROM accounts") == before
    for headers in OWN:
        assert client.post("/api/v1/account/pin", json=NEW_PIN, headers=headers).status_code == 204


@pytest.mark.any_database
def test_a_form_of_another_page_cannot_even_sign_somebody_in(app):
    client = app.test_client()
    for headers in FOREIGN[1:]:
        response = client.post("/api/v1/session", json={"name": "n", "password": "p"}, headers=headers)
        assert is_kind(response, 403, "foreign-site"), headers
    response = client.post("/api/v1/session", json={"name": "n", "password": "p"})
    assert is_kind(response, 401, "sign-in-failed")  # no browser, or a very old one, and no session to abuse


@pytest.mark.any_database
@pytest.mark.parametrize(
    "sent_as", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_a_body_that_a_form_can_send_is_not_taken(app, sent_as):
    client = signed_in(app, Role.NURSE)
    response = client.post("/api/v1/checklists", data='{"drug": "x"}', content_type=sent_as)
    assert is_problem(response, 415)
    response = client.delete("/api/v1/session", data="x", content_type=sent_as)
    assert is_problem(response, 415)


# Keys


@pytest.mark.any_database
def test_a_key_that_is_not_good_lets_nobody_in(app, act, clock):
    client = with_key(app, act, SCOPES)
    parts, token = app.extensions["dosegate"], client.environ_base["HTTP_AUTHORIZATION"].split()[1]
    _, prefix, secret = token.split("_")
    bad = ["", "x", token[:-1], f"{token}0", token.upper(), f"dosegate_{prefix}_{'0' * 64}", secret]
    bad += [f"dosegate_{'0' * 12}_{secret}", f"{token} {token}", "dosegate__", "ä" * 20]
    for each in bad:
        response = app.test_client().get("/metrics", headers={"Authorization": f"Bearer {each}"})
        assert is_kind(response, 401, "not-signed-in"), each
    for scheme in ("Basic", "Token", ""):
        response = app.test_client().get("/metrics", headers={"Authorization": f"{scheme} {token}"})
        assert is_kind(response, 401, "not-signed-in"), scheme
    assert client.get("/metrics").status_code == 200
    parts.keys.revoke(prefix, act)
    assert is_kind(client.get("/metrics"), 401, "not-signed-in")
    client = with_key(app, act, SCOPES)
    clock.pass_by(days=365)
    assert is_kind(client.get("/metrics"), 401, "not-signed-in")


def test_a_key_is_of_one_site_alone(app, act, sql):
    client = with_key(app, act, SCOPES)
    assert client.get("/metrics").status_code == 200
    sql("UPDATE api_keys SET site = 'elsewhere'")
    assert is_kind(client.get("/metrics"), 401, "not-signed-in")


def test_a_key_that_was_given_more_behind_the_services_back_has_no_more(app, act, sql):
    client = with_key(app, act, SCOPES)
    sql("UPDATE api_keys SET scopes = ?", '["accounts:manage", "checklist:read"]')
    assert is_kind(client.get("/api/v1/accounts"), 403, "may-not")


def test_a_key_is_kept_as_a_digest_and_its_use_is_noted(app, act, clock, sql, journaled):
    client = with_key(app, act, SCOPES)
    secret = client.environ_base["HTTP_AUTHORIZATION"].rpartition("_")[2]
    clock.pass_by(hours=1)
    client.get("/metrics")
    [key] = app.extensions["dosegate"].keys.all()
    assert key.used_at == clock()
    assert secret not in str(sql("SELECT * FROM api_keys")) + str(journaled())


@pytest.mark.any_database
def test_nobody_is_let_in_by_a_session_and_a_key_at_once(app, act):
    client = signed_in(app, Role.NURSE)
    assert is_kind(client.get("/api/v1/drugs", headers={"Authorization": "Basic eDp4"}), 401, "not-signed-in")


@pytest.mark.any_database
def test_a_key_for_what_only_people_do_or_for_ever_is_not_made(app, act):
    make = app.extensions["dosegate"].keys.make
    for scopes, valid_for in [([], YEAR), (FOR_PEOPLE_ONLY, YEAR), (SCOPES, LONGEST + YEAR), (SCOPES, -YEAR)]:
        with pytest.raises(BadKey):
            make("a machine", scopes, valid_for, act)
    for name in ("", "x" * 201, "a\nb"):
        with pytest.raises(BadKey):
            make(name, SCOPES, YEAR, act)


@pytest.mark.any_database
def test_a_token_of_a_session_is_no_key_and_a_key_is_no_token(app, act):
    session = signed_in(app, Role.ADMIN).get_cookie(COOKIE).value
    bearer = {"Authorization": f"Bearer {session}"}
    assert is_kind(app.test_client().get("/metrics", headers=bearer), 401, "not-signed-in")
    key = with_key(app, act, SCOPES).environ_base["HTTP_AUTHORIZATION"].split()[1]
    assert is_kind(browser(app, token=key).get("/metrics"), 401, "not-signed-in")
