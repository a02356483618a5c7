"""Ids of another site, and of another person: what they name is not there, and nothing of it changes."""

import re
from contextlib import closing
from dataclasses import replace

import pytest

from service.access.roles import ROLES, SCOPES, Permission, Role
from service.app import create_app
from service.pages.site import SECTIONS
from service.records.tables import metadata
from service.webhooks.outbox import read_on
from tests.access.test_guard import operations, with_key
from tests.api.sending import a_request, post
from tests.builders import shipped
from tests.ehr.calls import an_ehr
from tests.pages.page_texts import form_key
from tests.people import PASSWORD, PIN, signed_in

pytestmark = pytest.mark.any_database
CANARY = "MRN-CANARY-4711"
FINDING = {"check": "infection", "rule": "infection-resolved"}
# What is sent to get past the checks of a body, by the end of the address.
BODIES = {
    "acknowledgements": {**FINDING, "reason": "action-completed"},
    "overrides": {**FINDING, "reason": "risk-benefit-ratio", "comment": "Why.", "secret": PIN},
    "attestations": {"meaning": "performed", "secret": PIN},
    "double-check": {"facts": {"dose_number": 1}},
    "outcomes": {"outcome": "infused"},
    "{draft_id}": {"drug": "inebilizumab", "patient": {"id": CANARY}},
    "revoke": {"secret": PASSWORD},
    "{name}": {"full_name": "Somebody Else", "secret": PASSWORD},
    "{endpoint_id}": {"events": ["outcome.recorded"]},
}
UNASKED = {"{drug_id}", "{service_id}"}  # the same at every site


@pytest.fixture
def theirs(app, act):
    """What is kept at the site main, by the name that addresses have for it."""
    nurse, key = signed_in(app, Role.NURSE, "nina"), with_key(app, act, SCOPES)
    made = post(key, a_request(patient={"id": CANARY}))
    draft = "7e57ab1e-0000-4000-8000-000000000001"
    kept = nurse.put(f"/api/v1/drafts/{draft}", json={"drug": "inebilizumab", "patient": {"id": CANARY}})
    assert (made.status_code, kept.status_code) == (201, 201), (made.json, kept.json)
    url = {"url": "https://hooks.example.org/x", "events": ["checklist.completed"]}
    endpoint = key.post("/api/v1/webhooks/endpoints", json=url).json["id"]
    assert post(key, a_request(patient={"id": CANARY})).status_code == 201
    parts = app.extensions["dosegate"]
    read_on(parts.store.records, parts.clock())
    [delivery] = key.get("/api/v1/webhooks/deliveries").json["deliveries"]
    assert key.post("/api/v1/webhooks/senders", json={"name": "nina"}).status_code == 201
    an_ehr(app, act, "nina")
    return {
        "checklist_id": made.json["id"],
        "draft_id": draft,
        "endpoint_id": endpoint,
        "message": delivery["message"],
        "name": "nina",
        "prefix": key.key.prefix,
    }


@pytest.fixture
def elsewhere(settings, clock):
    """The application of another site in the same database."""
    made = create_app(replace(settings, site="elsewhere"), shipped(), clock)
    with closing(made.extensions["dosegate"].store.records):
        yield made


def everything(sql):
    """All that is kept of the site main."""
    kept = [name for name, table in metadata.tables.items() if "site" in table.columns]
    return {name: sql(f"SELECT * FROM {name} WHERE site = 'main' ORDER BY 1") for name in kept}


def one_of(roles):
    """One who may, and who may sign where a prescriber may."""
    return Role.PRESCRIBER if Role.PRESCRIBER in roles else min(roles)


def filled(rule, ids):
    return re.sub(r"[{<](?:\w+:)?(\w+)[}>]", lambda found: ids[found[1]], rule)


def test_an_id_of_another_site_opens_no_endpoint(elsewhere, theirs, act, sql):
    before, asked = everything(sql), 0
    people = {role: signed_in(elsewhere, role) for role in Role}
    for method, path, needs in operations(elsewhere):
        named = set(re.findall("{[a-z_]+}", path))
        if not named or named & UNASKED:
            continue
        end = path.rpartition("/")[2]
        body = {} if method == "GET" or end not in BODIES else {"json": BODIES[end]}
        response = people[one_of(ROLES.get(needs, set(Role)))].open(
            filled(path, theirs), method=method, **body
        )
        assert response.status_code == 404, (method, path, response.status_code, response.text[:300])
        assert CANARY not in response.text
        asked += 1
    assert asked >= 20
    assert everything(sql) == before


def test_an_id_of_another_site_opens_no_page(elsewhere, theirs, sql):
    before, asked = everything(sql), 0
    people = {role: signed_in(elsewhere, role) for role in Role}
    keys = {role: form_key(client.get("/account")) for role, client in people.items()}
    for page in (page for section in SECTIONS for page in section.pages):
        if not re.search("<", page.rule) or re.search("<drug>|<digest>", page.rule):
            continue
        assert isinstance(page.needs, Permission)
        role = one_of(ROLES[page.needs])
        typed = {"form_key": keys[role], "secret": PIN, "present": PASSWORD, "reason": "action-completed"}
        typed |= {**FINDING, "comment": "Why.", "meaning": "performed", "outcome": "infused"}
        form = {"data": typed} if page.method == "POST" else {}
        response = people[role].open(
            filled(page.rule, theirs), method=page.method, follow_redirects=True, **form
        )
        assert response.status_code == 404, (page.method, page.rule, response.status_code)
        assert CANARY not in response.text
        asked += 1
    assert asked >= 20
    assert everything(sql) == before


def test_nobody_of_another_site_finds_the_patient(elsewhere, theirs, act):
    key, nurse = with_key(elsewhere, act, SCOPES), signed_in(elsewhere, Role.NURSE)
    found = [
        key.post("/api/v1/checklists/search", json={"patient": CANARY}),
        key.post("/api/v1/checklists/export", json={"patient": CANARY}),
        nurse.post("/api/v1/drafts/search", json={"patient": {"id": CANARY}}),
        key.get("/api/v1/infusions"),
        key.get("/api/v1/journal"),
        key.get("/api/v1/webhooks/endpoints"),
        key.get("/api/v1/webhooks/deliveries"),
        nurse.get("/today"),
    ]
    for response in found:
        assert response.status_code == 200, response.text
        assert CANARY not in response.text
        assert theirs["checklist_id"] not in response.text


def test_nobody_of_another_site_is_let_in(elsewhere, app, theirs):
    nurse = signed_in(app, Role.NURSE)
    there = elsewhere.test_client()
    there.set_cookie("__Host-dosegate", nurse.get_cookie("__Host-dosegate").value, secure=True)
    assert there.get("/api/v1/drugs").status_code == 401
    right = {"name": "nina", "password": PASSWORD}
    assert there.post("/api/v1/session", json=right).status_code in (401, 403)
    assert elsewhere.test_client().post("/api/v1/session", json=right).status_code == 401
