"""What a page loads: all of it from here, none of it large, and no mark of somebody else's."""

import gzip
import re
from urllib.parse import unquote

import pytest

from service.access.roles import Permission, Role, permissions_of
from service.pages.assets import ASSETS
from service.pages.site import SECTIONS
from tests.people import signed_in

pytestmark = pytest.mark.any_database
MOST_KILOBYTES = 150
PLACES = [
    page for section in SECTIONS for page in section.pages if page.method == "GET" and "<" not in page.rule
]


def loaded_by(page):
    """The addresses that a page makes a browser load."""
    tags = re.findall(r"<(?:script|link|img|source|iframe|object|embed)\b[^>]*>", page.text)
    return [unquote(address) for tag in tags for address in re.findall(r'(?:src|href|data)="([^"]*)"', tag)]


def imported_by(content):
    """The names of files beside it that a script or a style sheet names."""
    return re.findall(rb"""(?:from|import)\s*["']\./([^"']+)["']|url\(["']?([^"')]+)["']?\)""", content)


def pages_of(app):
    """Every page that is shown without an id, to somebody who may see it."""
    people = {role: signed_in(app, role) for role in Role}
    for place in PLACES:
        for role in Role:
            if not isinstance(place.needs, Permission) or place.needs in permissions_of(role):
                answer = people[role].get(place.rule)
                if answer.mimetype == "text/html" and answer.status_code == 200:
                    yield place.rule, answer
                break


def test_a_first_visit_loads_less_than_150_kilobytes(app):
    client = signed_in(app, Role.NURSE)
    for address in ("/sign-in", "/account"):
        page = client.get(address)
        names = {each.split("/", 3)[3] for each in loaded_by(page)}
        assert {"dosegate.css", "access.css", "vendor/nhsuk-frontend.css", "vendor/htmx.js"} <= names
        names |= {
            b"".join(each).decode()
            for name in names
            for each in imported_by(ASSETS[name].content)
            if name == "dosegate.js"
        }
        assert "vendor/nhsuk-frontend.js" in names
        weight = len(gzip.compress(page.data)) + sum(len(ASSETS[name].compressed) for name in names)
        assert weight < MOST_KILOBYTES * 1000, weight


def test_every_page_loads_from_here_alone_and_shows_no_mark_of_another(app):
    seen = 0
    for rule, page in pages_of(app):
        seen += 1
        assert all(each.startswith(("/static/", "data:")) for each in loaded_by(page)), rule
        assert not re.search(r"\bNHS\b", page.text), rule
        assert not re.search(r"\sstyle=|\son[a-z]+=\"|javascript:", page.text), rule
        assert "safe to infuse" not in page.text.lower(), rule
        assert "trained in giving infusions" in page.text, rule  # who it is for, at the foot
    assert seen >= 10


def test_no_asset_is_a_font_or_names_an_address_elsewhere():
    for name, asset in ASSETS.items():
        text = asset.content.decode("utf-8")
        assert "@font-face" not in text and "Frutiger" not in text, name
        found = set(re.findall(r"https?://[\w./-]+", text))
        assert found <= {"http://www.w3.org/2000/svg", "https://htmx.org"}, (name, found)
        for pair in imported_by(asset.content) if name.endswith((".css", ".js")) else ():
            wanted = b"".join(pair).decode()
            folder = name.rpartition("/")[0]
            assert wanted.startswith("data:") or f"{folder}/{wanted}".lstrip("/") in ASSETS, (name, wanted)


def test_an_asset_is_kept_by_a_browser_and_a_new_one_has_another_address(app):
    client = app.test_client()
    page = client.get("/sign-in")
    for address in loaded_by(page):
        answer = client.get(address, headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert gzip.decompress(answer.data) == client.get(address).data
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert (
        client.get("/static/0000000000000000/dosegate.css").headers["Cache-Control"] == "public, max-age=3600"
    )
    for nothing in ("/static/x/MANIFEST.json", "/static/x/../dosegate.css", "/static/x/vendor/htmx.LICENSE"):
        assert client.get(nothing).status_code == 404
