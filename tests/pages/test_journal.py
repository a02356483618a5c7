"""The journal on a page: its entries, the state of its chain, and the journal taken out."""

import json

import pytest

from service.access.roles import Role
from service.pages.presenters.events import EVENT_WORDS
from service.records import chain_state
from service.records.journal import Event
from tests.pages.auditing import AUDITOR, events_of, kept, posted, records_of, text_of
from tests.pages.conftest import NOW
from tests.people import signed_in

pytestmark = pytest.mark.any_database


@pytest.fixture
def auditor(app):
    return signed_in(app, Role.AUDITOR, "ada")


def numbers_in(page):
    """The numbers of the entries on a page, in order."""
    return [int(each.split('"')[0]) for each in page.text.split('id="entry-')[1:] if each[0].isdigit()]


def enter(app, times, subject="rules", at=NOW):
    records = records_of(app)
    with records.writing() as writing:
        for _ in range(times):
            writing.enter(AUDITOR, Event.QUALITY_VIEWED, subject)


def test_every_event_has_words():
    assert set(EVENT_WORDS) == set(Event)
    assert len({str(words._text) for words in EVENT_WORDS.values()}) == len(Event)


def test_entries_come_the_newest_first_page_by_page(app, auditor):
    enter(app, 120)
    first = auditor.get("/journal")
    numbers = numbers_in(first)
    assert len(numbers) == 50 and numbers == sorted(numbers, reverse=True)
    older = auditor.get(
        first.text.split('href="/journal?entry=')[1].split('"')[0].join(["/journal?entry=", ""])
    )
    assert numbers_in(older) == list(range(numbers[-1] - 1, numbers[-1] - 51, -1))
    assert events_of(app, auditor)[:2] == ["journal.viewed", "journal.viewed"]


def test_entries_are_filtered_and_the_next_page_keeps_the_filter(app, auditor):
    id = kept(app)
    enter(app, 60, subject="rules")
    assert "Checklist made user:nina (nurse)" in text_of(auditor.get(f"/journal?subject={id}").text)
    assert len(numbers_in(auditor.get("/journal?event=checklist.made"))) == 1
    assert numbers_in(auditor.get("/journal?actor=user:nobody")) == []
    assert numbers_in(auditor.get("/journal?from=2026-10-07")) == []
    assert numbers_in(auditor.get("/journal?to=2026-10-05")) == []
    assert numbers_in(auditor.get("/journal?from=2026-10-06&to=2026-10-06&entry=3"))[0] == 3
    page = auditor.get("/journal?subject=rules&event=quality.viewed")
    assert len(numbers_in(page)) == 50
    assert "subject=rules" in page.text.split('href="/journal?entry=')[1].split('"')[0]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("entry=last", "Up to entry: must be the number of an entry, such as 120"),
        ("entry=0", "Up to entry: must be the number of an entry, such as 120"),
        ("entry=99999999999999", "Up to entry: must be the number of an entry, such as 120"),
        ("from=today", "On or after: must be a date such as 2026-10-06"),
        ("from=2026-10-06&to=2026-10-01", "On or before: must be later than the beginning of the period"),
        (f"actor={'x' * 201}", "Who: must be at most 200 characters long"),
    ],
)
def test_what_cannot_be_looked_for_is_said_at_its_field(auditor, asked, says):
    page = auditor.get(f"/journal?{asked}")
    assert (page.status_code, says in text_of(page.text)) == (422, True)


def test_an_entry_shows_its_details_and_what_it_commits_to(app, auditor):
    id = kept(app)
    said = text_of(auditor.get(f"/journal?subject={id}").text)
    entry = records_of(app)
    with entry.reading() as connection:
        [(commitments, digest)] = connection.exec_driver_sql(
            "SELECT commitments, digest FROM journal WHERE event = 'checklist.made'"
        ).all()
    assert digest in said and "status pass" in said
    for part, commitment in json.loads(commitments).items():
        assert f"{part} {commitment}" in said


def test_a_chain_is_verified_on_demand_and_the_page_remembers_it(app, auditor):
    kept(app)
    assert "Last verification here None yet" in text_of(auditor.get("/journal").text)
    page = posted(auditor, "/journal/verify")
    assert "entries verified. 1 with their contents, 0 erased." in text_of(page.text)
    said = text_of(auditor.get("/journal").text)
    assert "by user:ada: nothing is at fault." in said and "Chain verified" in said
    assert "the signature is right" in said


def test_a_fault_is_found_named_and_remembered(app, auditor, unguarded):
    id = kept(app)
    unguarded("UPDATE journal SET actor = 'user:mallory' WHERE subject = ?", id)
    said = text_of(posted(auditor, "/journal/verify").text)
    assert "Nothing is at fault up to entry" in said
    assert f"(checklist.made, {id}) no longer has the digest that it was written with" in said
    said = text_of(auditor.get("/journal").text)
    assert "faults." in said.split("Last verification here")[1]
    assert "Chain verified: faults user:ada (auditor)" in said


def test_a_chain_that_is_too_long_for_a_page_is_left_to_the_command_line(app, auditor, monkeypatch):
    monkeypatch.setattr(chain_state, "MOST_VERIFIED", 1)
    kept(app)
    page = auditor.get("/journal")
    assert "Verify the chain" not in text_of(page.text) and "dosegate verify" in text_of(page.text)
    refused = posted(auditor, "/journal/verify")
    assert refused.status_code == 409 and "dosegate verify" in text_of(refused.text)


def test_the_journal_is_taken_out_with_its_contents_or_without(app, auditor):
    kept(app, patient={"id": "MRN-4711"})
    without = posted(auditor, "/journal/export", format="ndjson")
    assert without.headers["Content-Disposition"] == 'attachment; filename="journal.ndjson"'
    assert "head" in json.loads(without.text.splitlines()[-1])
    assert not any("opens" in json.loads(line) for line in without.text.splitlines())
    whole = posted(auditor, "/journal/export", format="ndjson", contents="yes")
    assert any("opens" in json.loads(line) for line in whole.text.splitlines())
    assert posted(auditor, "/journal/export", format="csv").text.startswith("site,sequence,")
    assert events_of(app, auditor)[:3] == ["journal.exported"] * 3


def test_a_checkpoint_is_handed_out_to_hold_elsewhere(app, auditor):
    kept(app)
    file = posted(auditor, "/journal/checkpoint")
    assert records_of(app).keys.verifies(file.json)
    assert "attachment" in file.headers["Content-Disposition"]


@pytest.mark.parametrize("role", [each for each in Role if each is not Role.AUDITOR])
def test_nobody_else_reads_the_journal(app, role):
    client = signed_in(app, role)
    for refused in (
        client.get("/journal"),
        posted(client, "/journal/verify"),
        posted(client, "/journal/export"),
        posted(client, "/journal/checkpoint"),
    ):
        assert (refused.status_code, refused.mimetype) == (403, "text/html")
