"""Every error as a page: what happened, what to do, the id to quote, and that nothing is lost."""

import re
import uuid

import pytest

from service.access.roles import Role
from service.pages.presenters import problems as shown
from service.records.database import StoreUnavailable
from service.web import problems
from tests.api.sending import is_problem
from tests.pages.page_texts import fields, words
from tests.people import PIN, an_account, browser, signed_in

pytestmark = pytest.mark.any_database
TECHNICAL = re.compile(r"\b(HTTP|JSON|CSRF|token|header|request body|exception|null|4\d\d|5\d\d|urn:)\b")
STATUSES = (400, 401, 403, 404, 405, 409, 410, 413, 422, 429, 500, 503)


def is_helpful(answer, status):
    """Whether this is a page that says what happened and what to do, in plain words."""
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    said = words(answer)
    main = said[said.index("What to do") - 400 : said.index("If you report this")]
    assert not TECHNICAL.search(main), main
    assert answer.headers["X-Request-Id"] in said
    assert "are kept" in said
    return said


def test_each_status_has_words_of_its_own(app):
    with app.test_request_context():
        views = [shown.problem_view(problems.http_problem(status), None) for status in STATUSES]
    for view in views:
        assert view.title and view.happened and view.to_do
        assert not TECHNICAL.search(f"{view.title} {view.happened} {view.to_do}")
    assert len({(view.title, view.happened, view.to_do) for view in views}) == len(STATUSES)


def test_an_address_that_leads_nowhere(app):
    for client in (browser(app), signed_in(app, Role.NURSE)):
        assert "MRN-1001" not in is_helpful(client.get("/MRN-1001"), 404)
    assert is_problem(app.test_client().get("/nowhere"), 404)  # a program, which takes anything
    for address in ("/api/v1/nowhere", "/cds-services/nowhere/at/all"):
        assert is_problem(browser(app).get(address), 404)


def test_a_thing_that_is_not_there(app):
    is_helpful(signed_in(app, Role.NURSE).get(f"/checklists/{uuid.uuid4()}"), 404)
    is_helpful(signed_in(app, Role.ADMIN).get("/accounts/nobody"), 404)
    is_helpful(signed_in(app, Role.ADMIN).get("/keys/0123456789ab"), 404)


def test_a_page_that_is_not_for_this_role(app):
    said = is_helpful(signed_in(app, Role.NURSE).get("/accounts"), 403)
    assert "Your role does not allow this" in said


def test_a_method_that_is_not_taken(app):
    answer = signed_in(app, Role.NURSE).get("/lock")
    is_helpful(answer, 405)
    assert "POST" in answer.headers["Allow"]


def test_a_body_that_is_too_large(app):
    client = signed_in(app, Role.NURSE)
    is_helpful(client.post("/account/pin", data={"pin": "1" * 5_000_000, "form_key": "x"}), 413)


def test_a_fault_of_ours_is_shown_without_its_text_and_what_was_sent_can_be_sent_again(app, monkeypatch):
    client = signed_in(app, Role.ADMIN)
    an_account(app, Role.NURSE, "paula")
    address = "/accounts/paula"
    form = {
        **fields(client.get(address), address),
        "change": "full_name",
        "full_name": "Paula",
        "secret": PIN,
    }
    accounts = app.extensions["dosegate"].accounts

    def fail(*_args, **_kwargs):
        raise RuntimeError("the weight of patient P-77")

    monkeypatch.setattr(accounts, "change", fail)
    answer = client.post(address, data=form)
    said = is_helpful(answer, 500)
    assert "P-77" not in said
    assert fields(answer, address)["full_name"] == "Paula"

    def gone(*_args, **_kwargs):
        raise StoreUnavailable("gone", retry_after=7)

    monkeypatch.setattr(accounts, "change", gone)
    answer = client.post(address, data=form)
    assert "Try again in 7 seconds" in is_helpful(answer, 503)
    assert answer.headers["Retry-After"] == "7"
    assert PIN not in answer.text
    monkeypatch.undo()
    assert client.post(address, data={**fields(answer, address), "secret": PIN}).status_code == 303


def test_a_problem_of_the_identity_provider_is_a_page_for_a_browser_alone(app):
    start = "/api/v1/session/oidc"
    assert is_problem(browser(app).get(start), 404)
    is_helpful(browser(app).get(start, headers={"Sec-Fetch-Dest": "document"}), 404)


def test_programs_get_their_problems_as_before(app):
    client = signed_in(app, Role.NURSE)
    assert is_problem(client.get("/api/v1/accounts"), 403)
    assert is_problem(client.post("/api/v1/checklists", json={}), 422)


def test_the_page_speaks_the_language_of_the_page(app):
    client = browser(app)
    client.set_cookie("__Host-dosegate-language", "de", secure=True)
    assert '<html lang="de">' in client.get("/nowhere").text
