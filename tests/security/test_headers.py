"""What every answer carries, whatever it answers: pages, documents, errors, files, nothing at all."""

from contextlib import closing
from dataclasses import replace

import pytest

from service.access.roles import SCOPES, Role
from service.app import create_app
from service.web.headers import of_every_answer
from service.worker import Worker
from tests.access.test_guard import with_key
from tests.builders import shipped
from tests.people import signed_in

pytestmark = pytest.mark.any_database
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000",
}
ANSWERS = [
    ("a document", "GET", "/api/v1/drugs", 200),
    ("an error of the API", "GET", "/api/v1/checklists/7e57ab1e-0000-4000-8000-000000000001", 404),
    ("no such address", "GET", "/nowhere", 404),
    ("another method", "PUT", "/api/v1/drugs", 405),
    ("bad input", "POST", "/api/v1/checklists", 415),
    ("nobody known to an EHR's door", "POST", "/cds-services/dosegate", 401),
    ("nobody known to a sender's door", "POST", "/api/v1/webhooks/infusions", 401),
    ("the description", "GET", "/api/v1/openapi.json", 200),
    ("its page", "GET", "/api/v1/docs", 200),
    ("its file", "GET", "/api/v1/static/docs.js", 200),
    ("alive", "GET", "/healthz", 200),
    ("counters", "GET", "/metrics", 200),
]
PAGES = [
    ("a page", "GET", "/account", 200),
    ("a page of an error", "GET", "/nowhere", 404),
    ("not allowed", "GET", "/accounts", 403),
    ("onwards", "GET", "/", 303),
    ("nothing", "GET", "/awake", 204),
]


def bounded(response):
    """Whether an answer keeps a browser in bounds."""
    assert EVERYWHERE.items() <= dict(response.headers).items(), response.headers
    assert "camera=()" in response.headers["Permissions-Policy"]
    assert response.headers["Referrer-Policy"] in ("no-referrer", "same-origin")
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "Server" not in response.headers
    return True


def test_every_answer_keeps_a_browser_in_bounds(app, act):
    key, nurse = with_key(app, act, SCOPES), signed_in(app, Role.NURSE)
    for client, answers in ((key, ANSWERS), (nurse, PAGES)):
        for what, method, address, status in answers:
            with client.open(address, method=method) as response:
                assert response.status_code == status, what
                assert bounded(response), what
    asset = nurse.get("/account").text.partition('href="/static/')[2].partition('"')[0]
    with nurse.get(f"/static/{asset}") as response:
        assert bounded(response)


def test_an_answer_about_a_patient_is_kept_by_nobody(app, act):
    for address in ("/api/v1/infusions", "/nowhere", "/metrics"):
        assert with_key(app, act, SCOPES).get(address).headers["Cache-Control"] == "no-store"


def test_a_service_without_tls_does_not_ask_for_it(settings, clock):
    plain = create_app(replace(settings, public_url=None), shipped(), clock)
    with closing(plain.extensions["dosegate"].store.records):
        assert "Strict-Transport-Security" not in plain.test_client().get("/healthz").headers


def test_what_the_worker_answers_by_itself_carries_the_same(app):
    class Client:
        """Keeps what is sent to it."""

        answered = b""

        def close(self):
            """End what was there of another answer."""

        def sendall(self, data):
            self.answered += data

    worker, client = object.__new__(Worker), Client()
    worker.wsgi, worker.timeout = app, 0
    worker.handle_error(None, client, None, ValueError())
    answered = client.answered.decode()
    for name, value in of_every_answer(app.extensions["dosegate"]).items():
        assert f"\r\n{name}: {value}\r\n" in answered
    assert "\r\nX-Request-Id: " in answered
