"""The doors of the pages: whom each is for, and that no form of anybody else's is taken."""

import re
import uuid
from urllib.parse import urlsplit

import pytest

from service.access.roles import ROLES, SCOPES, Permission, Role
from service.pages.site import SECTIONS
from service.web.guard import EVEN_LOCKED, PUBLIC
from tests.access.test_guard import FOREIGN, with_key
from tests.pages.page_texts import form_key
from tests.people import PIN, browser, signed_in

pytestmark = pytest.mark.any_database
PAGES = [page for section in SECTIONS for page in section.pages]
FORMS = [page for page in PAGES if page.method == "POST"]
OPEN_TO_ALL = {
    ("GET", "/static/<digest>/<path:name>"),
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("POST", "/language"),
}
OPEN_TO_A_SESSION = {("GET", "/unlock"), ("POST", "/unlock"), ("POST", "/lock"), ("POST", "/sign-out")}
# Whom each page is for, a second time, so that no change of it goes unseen.
AGREED = """
GET /                                                  account:own
GET /account                                           account:own
POST /account/password                                 account:own
POST /account/pin                                      account:own
GET /accounts                                          accounts:manage
POST /accounts                                         accounts:manage
GET /accounts/<name>                                   accounts:manage
POST /accounts/<name>                                  accounts:manage
GET /awake                                             account:own
GET /checklists/<uuid:checklist_id>                    checklist:read
POST /checklists/<uuid:checklist_id>/acknowledgements  warn:acknowledge
POST /checklists/<uuid:checklist_id>/attestations      checklist:read
POST /checklists/<uuid:checklist_id>/continue          draft:keep
GET /checklists/<uuid:checklist_id>/double-check       checklist:double_check
POST /checklists/<uuid:checklist_id>/double-check      checklist:double_check
POST /checklists/<uuid:checklist_id>/outcomes          outcome:record
POST /checklists/<uuid:checklist_id>/overrides         block:override
GET /checklists/<uuid:checklist_id>/pdf                checklist:read
GET /checklists/<uuid:checklist_id>/print              checklist:read
GET /checklists/<uuid:checklist_id>/received           trace:read
POST /checklists/<uuid:checklist_id>/replay            checklist:replay
GET /checklists/<uuid:checklist_id>/trace              trace:read
GET /checklists/new                                    draft:keep
POST /checklists/new                                   draft:keep
GET /drafts/<uuid:draft_id>                            draft:keep
POST /drafts/<uuid:draft_id>/answers                   draft:keep
POST /drafts/<uuid:draft_id>/discard                   draft:keep
POST /drafts/<uuid:draft_id>/plan                      draft:keep
POST /drafts/<uuid:draft_id>/record                    checklist:make
GET /drugs                                             knowledge:read
GET /drugs/<drug>                                      knowledge:read
GET /drugs/<drug>/compare                              knowledge:read
GET /drugs/<drug>/impact                               quality:read
POST /drugs/<drug>/impact                              quality:read
GET /drugs/<drug>/versions                             knowledge:read
GET /find                                              checklist:search
POST /find                                             checklist:search
POST /find/export                                      checklist:export
GET /forecast                                          infusion:read
GET /journal                                           journal:read
POST /journal/checkpoint                               journal:read
POST /journal/export                                   journal:export
POST /journal/verify                                   journal:read
GET /keys                                              keys:manage
POST /keys                                             keys:manage
GET /keys/<prefix>                                     keys:manage
POST /keys/<prefix>/revoke                             keys:manage
GET /quality                                           quality:read
GET /roles                                             account:own
GET /today                                             infusion:read
POST /today/search                                     infusion:read
GET /today/upload                                      checklist:make
POST /today/upload                                     checklist:make
POST /today/upload/confirm                             checklist:make
GET /today/upload/template.csv                         checklist:make
"""


def named(page):
    return f"{page.method} {page.rule}"


def address_of(page):
    """An address of a page that leads to nothing that is kept."""
    return re.sub(r"<[^>]+>", str(uuid.uuid4()), page.rule)


def key_of(client):
    return form_key(client.get("/account"))


def test_every_page_says_what_it_needs_and_it_is_what_was_agreed():
    agreed = {line.partition("  ")[0]: line.rpartition(" ")[2] for line in AGREED.strip().splitlines()}
    found = {named(page): page.needs for page in PAGES}
    assert {place for place, needs in found.items() if needs is PUBLIC} == {
        " ".join(each) for each in OPEN_TO_ALL
    }
    assert {place for place, needs in found.items() if needs is EVEN_LOCKED} == {
        " ".join(each) for each in OPEN_TO_A_SESSION
    }
    assert {place: needs.value for place, needs in found.items() if isinstance(needs, Permission)} == agreed
    assert {page.method for page in PAGES} == {"GET", "POST"}


def test_a_page_that_says_nothing_is_shut_to_everybody(app):
    app.add_url_rule("/extra", "pages.extra", lambda: "secret", methods=["GET", "POST"])
    assert browser(app).get("/extra").status_code == 303
    for role in Role:
        client = signed_in(app, role)
        for answer in (client.get("/extra"), client.post("/extra", data={"form_key": key_of(client)})):
            assert answer.status_code == 403 and "secret" not in answer.text


def test_without_a_session_every_page_but_the_sign_in_is_shut(app, journaled):
    before, client = journaled(), browser(app)
    for page in PAGES:
        if page.needs is PUBLIC:
            continue
        answer = client.open(address_of(page), method=page.method)
        if page.method == "POST":
            assert answer.status_code == 401, named(page)
        else:
            assert (answer.status_code, urlsplit(answer.location).path) == (303, "/sign-in"), named(page)
    assert journaled() == before


@pytest.mark.parametrize("role", Role)
def test_a_role_that_may_not_is_refused_and_one_that_may_is_let_in(app, journaled, role):
    client = signed_in(app, role, "somebody")
    key, refused = key_of(client), 0
    for page in PAGES:
        if not isinstance(page.needs, Permission):
            continue
        if role not in ROLES[page.needs]:
            answer = client.open(address_of(page), method=page.method, data={"form_key": key})
            assert answer.status_code == 403 and "Not yours to do" in answer.text, named(page)
            refused += 1
        elif page.method == "GET":
            assert client.get(address_of(page)).status_code in (200, 204, 303, 404), named(page)
    entered = journaled("access.refused")
    assert len(entered) == refused or "limit_reached" in str(entered)


def test_every_form_is_taken_from_a_page_of_this_session_alone(app, sql):
    clients = {role: signed_in(app, role) for role in Role}
    keys = {role: key_of(client) for role, client in clients.items()}
    before = sql("SELECT count(*) FROM journal")
    for page in FORMS:
        if page.needs is not PUBLIC:
            role = next(each for each in Role if page.needs is EVEN_LOCKED or each in ROLES[page.needs])
            others = next(key for each, key in keys.items() if each is not role)
            is_taken_with_its_key_alone(clients[role], page, keys[role], others)
    assert sql("SELECT count(*) FROM journal") == before
    assert {client.get("/account").status_code for client in clients.values()} == {200}


def is_taken_with_its_key_alone(client, page, key, others):
    address = address_of(page)
    for sent in ({}, {"form_key": ""}, {"form_key": others}, {"form_key": key[:-1]}, {"form_key": f"{key}x"}):
        answer = client.post(address, data={**sent, "secret": PIN})
        assert answer.status_code == 403, (named(page), sent)
        assert "This page was open from before" in answer.text, named(page)
    assert client.post(address, json={"form_key": key}).status_code == 403, named(page)
    for headers in FOREIGN:
        told = {"Sec-Fetch-Site": None, **headers}
        answer = client.open(address, method="POST", data={"form_key": key}, environ_overrides=environ(told))
        assert answer.status_code == 403, (named(page), headers)
        assert "Not from a page of this service" in answer.text, (named(page), headers)


def environ(headers):
    """What a server makes of these headers, in the place of what the client always sends."""
    return {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}


def test_a_form_for_everybody_is_taken_from_our_pages_alone(app):
    client = app.test_client()
    for page in FORMS:
        if page.needs is PUBLIC:
            for headers in FOREIGN[1:]:
                assert client.post(address_of(page), headers=headers).status_code == 403, (page, headers)


def test_a_key_opens_no_page(app, act):
    client = with_key(app, act, SCOPES)
    for page in PAGES:
        if page.needs is not PUBLIC:
            answer = client.open(address_of(page), method=page.method)
            assert answer.status_code in (303, 401), named(page)
            assert urlsplit(answer.location or "/sign-in").path == "/sign-in"


def test_pages_keep_a_browser_in_bounds(app):
    client = signed_in(app, Role.NURSE)
    pages = [client.get(address) for address in ("/account", "/sign-in", "/nowhere", "/accounts")]
    nonces = set()
    for page in pages:
        policy = page.headers["Content-Security-Policy"]
        nonces.add(re.search(r"script-src 'nonce-([A-Za-z0-9_-]{22})'", policy)[1])
        assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
        assert (
            "form-action 'self'" in policy
            and "frame-ancestors 'none'" in policy
            and "base-uri 'none'" in policy
        )
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["Referrer-Policy"] == "same-origin"
        assert page.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        for tag in re.findall(r"<(?:script|link rel=.stylesheet)[^>]*>", page.text):
            assert f'nonce="{re.search("nonce-([^ ;]+).;", policy)[1].rstrip(chr(39))}"' in tag
    assert len(nonces) == len(pages)


def test_the_cookie_of_the_language_is_of_this_site_alone(app):
    answer = browser(app).post("/language", data={"language": "de", "next": "/sign-in"})
    assert answer.location == "/sign-in"
    [cookie] = answer.headers.getlist("Set-Cookie")
    assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert "Set-Cookie" not in browser(app).post("/language", data={"language": "xx"}).headers
