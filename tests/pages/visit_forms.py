"""Recorded checklists for tests of their page, and the forms of a page as a client sends them."""

import json
import re

from service.records.journal import Act
from tests.api.sending import a_request

KEY = re.compile(r'name="(form_key|form_owner)" value="([^"]*)"')
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
    """Send a form of that page; the keys of the forms are read out of a page that every person has."""
    keys = dict(KEY.findall(client.get("/account").text))
    return client.post(f"/checklists/{id}/{part}", data={**keys, **fields})


def named(finding):
    """The finding as a form names it."""
    return dict(zip(("check", "rule"), finding, strict=True))
