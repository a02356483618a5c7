"""The journal over HTTP: read page by page, taken out, and its checkpoints held elsewhere."""

import pytest
from marshmallow import RAISE

from service.access.roles import Permission, Role
from service.api.journal import CheckpointSchema, JournalSchema
from service.records.verify import documents_in, verify
from tests.api.sending import a_request, post
from tests.people import signed_in
from tests.records.chains import trusted

JOURNAL = "/api/v1/journal"


def events(response):
    return [entry["event"] for entry in response.json["entries"]]


@pytest.fixture
def made(client):
    """The id of a checklist, made and read."""
    address = post(client, a_request()).headers["Location"]
    client.get(address)
    return address.rpartition("/")[2]


def test_entries_are_read_page_by_page_and_found(client, made):
    everything = client.get(JOURNAL, query_string={"limit": 200})
    assert JournalSchema(unknown=RAISE).validate(everything.json) == {}
    numbers = [entry["sequence"] for entry in everything.json["entries"]]
    assert numbers == list(range(1, len(numbers) + 1))

    paged, after = [], 0
    while after is not None:
        page = client.get(JOURNAL, query_string={"limit": 2, "after": after, "event": "pack.loaded"}).json
        paged += page["entries"]
        after = page["after"]
    assert [each["subject"] for each in paged] == ["ibalizumab", "inebilizumab", "inotuzumab_ozogamicin"]

    assert events(client.get(JOURNAL, query_string={"subject": made})) == [
        "checklist.made",
        "checklist.viewed",
    ]
    actor = everything.json["entries"][-1]["actor"]
    assert {
        entry["actor"] for entry in client.get(JOURNAL, query_string={"actor": actor}).json["entries"]
    } == {actor}
    assert events(client.get(JOURNAL, query_string={"event": "journal.viewed"}))[0] == "journal.viewed"


def test_what_was_looked_for_is_not_entered_as_it_was_written(client, sql):
    client.get(JOURNAL, query_string={"subject": "MRN-CANARY"})
    assert all("CANARY" not in str(row) for row in sql("SELECT details FROM journal"))


@pytest.mark.parametrize("asked", [{"limit": 0}, {"limit": "x"}, {"after": -1}, {"event": "x"}, {"other": 1}])
@pytest.mark.any_database
def test_a_bad_question_is_refused(client, asked):
    assert client.get(JOURNAL, query_string=asked).status_code == 422


def test_an_export_verifies_with_and_without_contents(client, settings, made):
    for contents, opened in (("no", 0), ("yes", 1)):
        response = client.get(f"{JOURNAL}/export", query_string={"contents": contents})
        assert response.mimetype == "application/x-ndjson"
        report = verify(documents_in(response.data.splitlines()), trusted(settings.keys))
        assert report.faults == []
        assert (report.opened, report.signed) == (opened, report.last)
        assert (b'"opens"' in response.data) == bool(opened)


def test_a_spreadsheet_gets_the_entries_alone(client, made):
    response = client.get(f"{JOURNAL}/export", query_string={"format": "csv", "contents": "yes"})
    assert response.mimetype == "text/csv"
    assert response.text.splitlines()[-1].split(",")[3] == "journal.exported"
    assert "MRN-" not in response.text


@pytest.mark.any_database
def test_contents_are_for_those_who_may_take_checklists_out(new_client):
    client = new_client(scopes={Permission.JOURNAL_EXPORT})
    assert client.get(f"{JOURNAL}/export").status_code == 200
    assert client.get(f"{JOURNAL}/export", query_string={"contents": "yes"}).status_code == 403


def test_a_checkpoint_is_of_now_and_signed(client, settings):
    found = client.get(f"{JOURNAL}/checkpoint").json
    assert CheckpointSchema(unknown=RAISE).validate(found) == {}
    assert trusted(settings.keys).verifies(found)
    [last] = client.get(JOURNAL, query_string={"after": found["sequence"] - 1, "limit": 1}).json["entries"]
    assert last["digest"] == found["digest"]


@pytest.mark.any_database
def test_the_journal_is_for_auditors(app):
    for role, status in ((Role.AUDITOR, 200), (Role.NURSE, 403), (Role.ADMIN, 403)):
        client = signed_in(app, role)
        assert {client.get(f"{JOURNAL}{part}").status_code for part in ("", "/export", "/checkpoint")} == {
            status
        }
