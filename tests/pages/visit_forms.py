"""Recorded checklists for tests of their page, and the forms of a page as a client sends them."""

import html
import json
import re

from service.records.journal import Act
from tests.api.sending import a_request

KEY = re.compile(r'name="(form_key|form_owner)" value="([^"]*)"')
HEPATITIS = ("hepatitis_b", "hbv-active")
POSITIVE = {"value": "positive", "at": "2026-09-20"}
INFECTION, RESOLVED = ("infection", "infection-active"), ("infection", "infection-resolved")


def made(app, infection="none", by="user:maker", **changes):
    """The id of a new checklist of a patient with this infection and nothing else."""
    facts = {"active_infection": infection, **changes.pop("with_", {})}
    parts = app.extensions["dosegate"]
    body = json.dumps(a_request(with_=facts, **changes), default=float).encode()
    kept, _ = parts.making.make(body, Act(by, "nurse", "making", parts.clock()))
    return kept.id


def page_of(client, id, part=""):
    """The page of a checklist, or a part of it, as text."""
    response = client.get(f"/checklists/{id}{part}")
    assert response.status_code == 200, response.status_code
    return response.text


def send(client, id, part, **fields):
    """Send a form of that page."""
    return send_to(client, f"/checklists/{id}/{part}", **fields)


def named(finding):
    """The finding as a form names it."""
    return dict(zip(("check", "rule"), finding, strict=True))


def send_to(client, address, **fields):
    """Send a form; its keys are read out of a page that every person has."""
    keys = dict(KEY.findall(client.get("/account").text))
    return client.post(address, data={**keys, **fields})


def words_of(text):
    """The words of a page as they are read, in one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split()).replace(" ,", ",")


def entries(sql, id, event):
    """How many entries of this event the journal has of a checklist."""
    [(count,)] = sql("SELECT count(*) FROM journal WHERE subject = ? AND event = ?", id, event)
    return count
