"""The pages as people use them: the real application on a real port, and Debian's Chromium."""

import shutil
import threading
from datetime import UTC, datetime

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server

from service.access.roles import Role
from service.app import create_app
from service.web.guard import COOKIE
from tests.builders import shipped
from tests.pages.clock import Clock
from tests.people import an_account

CHROMIUM = shutil.which("chromium")
# As root, without a screen, on a network that answers nobody.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TABLET, PHONE = {"width": 820, "height": 1180}, {"width": 390, "height": 844}
NOW = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)
# What passes is counted and not described: on a long page that takes most of the time.
VIOLATIONS_ALONE = {"resultTypes": ["violations"]}


@pytest.fixture
def clock():
    """The time; a test moves it."""
    return Clock(NOW)


@pytest.fixture
def app(settings, clock):
    """The application over a database of its own."""
    made = create_app(settings, shipped(), clock)
    yield made
    made.extensions["dosegate"].store.records.close()


@pytest.fixture
def address(app):
    """Where the application listens, one request at a time, as a sync worker does."""
    server = make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def chromium():
    """One browser for all tests of a process."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def a_person(app, address, chromium):
    """Makes people at a browser of their own: signed in, with a tablet in hand. What a script or a policy
    complains about fails the test."""
    contexts, complaints = [], []

    def make(role=Role.NURSE, name=None, viewport=TABLET, **options):
        context = chromium.new_context(viewport=viewport, base_url=address, **options)
        contexts.append(context)
        account = an_account(app, role, name)
        parts = app.extensions["dosegate"]
        token = parts.sessions.begin(account, account.principal.act("signing-in", parts.clock()))
        context.add_cookies(
            [
                {
                    "name": COOKIE,
                    "value": token,
                    "url": "https://127.0.0.1",
                    "secure": True,
                    "httpOnly": True,
                    "sameSite": "Strict",
                }
            ]
        )
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if is_complaint(said) else None)
        page.account = account
        return page

    yield make
    for context in contexts:
        context.close()
    assert not complaints


def is_complaint(said):
    """Whether the console speaks of a fault; the status of an answer is what tests look at themselves."""
    return said.type == "error" and "Failed to load resource" not in said.text


def accessibility_faults(page):
    """What axe finds on a page, in short."""
    found = Axe().run(page, options=VIOLATIONS_ALONE).response["violations"]
    return [(each["id"], [node["target"] for node in each["nodes"]][:3]) for each in found]
