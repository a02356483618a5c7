"""What the tests of the auditor's pages share: checklists to look at, and pages read as text."""

import re
from datetime import timedelta
from html import unescape

from service.access.roles import Role
from service.records.erasure import Reason, erase, held
from service.records.journal import Act, Event
from service.records.subjects import entries_about
from tests.builders import request_for
from tests.kept import keep
from tests.pages.conftest import NOW
from tests.pages.page_texts import form_key

AUDITOR = Act("user:ada", "auditor", "a-request", NOW)


def records_of(app):
    """The records of an application."""
    return app.extensions["dosegate"].store.records


def kept(app, patient="first dose, US", /, at=NOW, drug="inebilizumab", **changes):
    """A checklist of a patient of the scenario file; its id."""
    return keep(records_of(app), request_for(drug, patient, **changes), at)


def erased(app, patient):
    """Erase a patient."""
    records = records_of(app)
    erase(records, patient, held(records, patient), Reason.PATIENT_REQUEST, AUDITOR)


def answered(app, id, check, rule, *, event=Event.BLOCK_OVERRIDDEN, reason="risk-benefit-ratio", minutes=7):
    """Enter an answer to a finding so many minutes after now."""
    act = Act("user:paul", "prescriber", "answering", NOW + timedelta(minutes=minutes))
    details = {"name": "Paul", "check": check, "rule": rule, "reason": reason}
    with records_of(app).writing() as writing:
        writing.enter(act, event, id, details)


def text_of(page):
    """What a page says, without its marks."""
    text = re.sub(r"<(style|script)\b.*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)
    text = re.sub(r"\s+", " ", unescape(text))
    return re.sub(r"(?<=\() | (?=[,.:;)])", "", text)


def posted(client, address, **fields):
    """Send a form as a page of ours does."""
    return client.post(address, data={"form_key": form_key(client.get("/account")), **fields})


def events_about(app, subject):
    """The events of the entries about a subject, in order."""
    records = records_of(app)
    with records.reading() as connection:
        return [entry.event for entry in entries_about(connection, records.site, [subject])]


def events_of(app, actor_of):
    """The events that a client's account entered, the last first."""
    records = records_of(app)
    with records.reading() as connection:
        rows = connection.exec_driver_sql("SELECT event, actor FROM journal ORDER BY sequence DESC").all()
    return [event for event, actor in rows if actor == actor_of.account.principal.actor]


READERS = (Role.NURSE, Role.PRESCRIBER, Role.PHARMACIST, Role.AUDITOR)
