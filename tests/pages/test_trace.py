"""The trace page: every rule of a checklist in three groups, the facts, the journal around it, and replay."""

import json
import re
from html import unescape

import pytest

from service.access.roles import Role
from service.examples import __name__ as examples
from service.records.erasure import Reason, erase, held
from service.records.journal import Act, Event
from tests.builders import request_for, shipped
from tests.kept import keep
from tests.pages.conftest import NOW, PHONE, accessibility_faults
from tests.people import signed_in

pytestmark = pytest.mark.any_database
TREE = "details.dg-rule"


def records(app):
    return app.extensions["dosegate"].store.records


def a_missing_one(app):
    """A checklist of which HBsAg was never recorded."""
    return keep(records(app), request_for("inebilizumab", "first dose, US", without=["hbsag"]), NOW)


def text_of(response):
    """What a page says, without its marks."""
    without = re.sub(r"<(svg|style|script).*?</\1>|<[^>]+>", " ", response.text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(without))


def form_key(client, page="/account"):
    return re.search(r'name="form_key" value="([^"]+)"', client.get(page).text)[1]


def events(app, subject):
    from service.records.subjects import entries_about

    with records(app).reading() as connection:
        return [entry.event for entry in entries_about(connection, "main", [subject])]


def test_every_rule_stands_in_the_group_of_its_verdict(app):
    id = a_missing_one(app)
    page = signed_in(app, Role.AUDITOR).get(f"/checklists/{id}/trace")
    trace = json.loads(app.extensions["dosegate"].store.get(id).trace)

    assert page.status_code == 200
    for verdict in ("holds", "undecided", "ruled_out"):
        section = re.search(rf'<section aria-labelledby="{verdict}">(.*?)</section>', page.text, re.DOTALL)[1]
        wanted = {
            rule["rule"] for check in trace["checks"] for rule in check["rules"] if rule["verdict"] == verdict
        }
        assert set(re.findall(r'id="rule-([^"]+)"', section)) == wanted
