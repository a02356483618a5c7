"""`dosegate patients erase`: all that is kept of one patient goes, and the journal still verifies."""

import json
import uuid
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from service.access.roles import SCOPES
from service.app import create_app, records_of
from service.cli import main
from service.intake.filters import Filters
from service.records.database import Database
from service.records.drafts import Drafts
from service.records.erasure import HeldOtherwise, Reason, erase, held, scrub
from service.records.journal import Act, Event
from service.records.search import search
from service.records.site import SiteRecords, open_chain
from tests.api.conftest import with_key
from tests.api.sending import a_request, is_problem, post
from tests.builders import shipped
from tests.kept import keep
from tests.records.test_database import separated  # noqa: F401  the roles of its databases

NOW = datetime(2026, 10, 6, 18, 0, 0, 5, tzinfo=UTC)
ACT = Act("user:nina", "nurse", "a-request", NOW)
GONE, STAYS = "CANARY-gone", "CANARY-stays"


def of(patient, number=0):
    """A request with the patient's name wherever a text may stand."""
    source = {"value": "negative", "at": "2026-09-01", "source": f"{patient} report {number}"}
    return a_request(patient={"id": patient}, with_={"hbsag": source})


def remark(records, patient):
    words = {"comment": f"words about {patient or 'nobody'}"}
    with records.writing() as writing:
        entry = writing.remark(ACT, Event.CHECKLISTS_SEARCHED, "x", details={}, parts=words, patient=patient)
    return entry.details["remark"]


@pytest.fixture
def records(settings, monkeypatch):
    monkeypatch.setenv("DOSEGATE_DATABASE_URL", settings.database)
    monkeypatch.setenv("DOSEGATE_SIGNING_KEYS", str(settings.keys))
    with closing(records_of(settings, NOW)) as opened:
        yield opened


def typed(*lines, reason="patient_request"):
    """The outcome of the command where somebody types these lines."""
    text = "".join(f"{line}\n" for line in lines)
    return CliRunner().invoke(main, ["patients", "erase", "--reason", reason], input=text)


def test_everything_of_the_patient_goes_and_nothing_else(records, settings, sql):
    app = create_app(settings, shipped(), lambda: NOW)
    client = with_key(app, SCOPES)
    made = post(client, of(GONE), idempotency_key="visit-1")
    others = post(client, of(STAYS), idempotency_key="visit-2")
    second = keep(records, of(GONE, 2), NOW)
    words, of_nobody, of_other = (remark(records, patient) for patient in (GONE, None, STAYS))
    for patient in (GONE, None, STAYS):
        Drafts(records).keep(str(uuid.uuid4()), b"CANARY", patient, ACT)
    elsewhere = SiteRecords(records.database, "elsewhere", records.keys)
    open_chain(records.database, "elsewhere", records.keys, NOW)
    at_another_site = keep(elsewhere, of(GONE), NOW)

    done = typed(GONE, 4)
    assert done.exit_code == 0, done.stderr
    assert "Kept of this patient: 2 checklists, 1 remark and 1 draft." in done.stdout
    assert "CANARY" not in done.stdout

    erased = sorted([made.json["id"], second])
    [(sequence, subject, details)] = sql(
        "SELECT sequence, subject, details FROM journal WHERE event = 'patient.erased'"
    )
    details = details if isinstance(details, dict) else json.loads(details)
    assert subject == "patient"
    counts = {"drafts": 1, "infusions": 0, "messages": 0}
    assert details == {"checklists": erased, "remarks": [words], **counts, "reason": "patient_request"}
    assert sql("SELECT max(sequence) FROM journal WHERE site = 'main'") == [(sequence,)]

    kept = {others.json["id"], at_another_site}
    assert {id for (id,) in sql("SELECT checklist FROM contents")} == kept
    assert {id for (id,) in sql("SELECT id FROM remarks")} == {of_nobody, of_other}
    assert sorted(sql("SELECT patient FROM drafts"), key=str) == [(STAYS,), (None,)]
    assert sql("SELECT key FROM idempotency") == [("visit-2",)]
    assert sql("SELECT count(*) FROM checklists") == [(4,)]  # that they were made is no secret

    address = made.headers["Location"]
    assert is_problem(client.get(address), 410)
    assert is_problem(client.get(f"{address}/trace"), 410)
    assert is_problem(client.post(f"{address}/replay"), 410)
    assert client.post(others.headers["Location"] + "/replay").json["identical"] is True
    assert post(client, of(GONE), idempotency_key="visit-1").status_code == 201
    app.extensions["dosegate"].store.records.close()

    verified = CliRunner().invoke(main, ["verify"])
    assert verified.exit_code == 0, verified.output
    assert "3 erased" in verified.output  # two checklists and a remark


def test_no_search_finds_an_erased_patient(records):
    keep(records, of(GONE), NOW)
    before = search(records, Filters(patient=GONE), ACT)
    assert len(before.hits) == 1
    assert typed(GONE, 2).exit_code == 0  # the search itself is a remark about the patient
    assert search(records, Filters(patient=GONE), ACT).hits == ()


@pytest.mark.any_database
def test_no_byte_is_left_in_the_files_of_the_database(records, settings):
    """Among many patients, so that pages have been split, merged and used again."""
    for number in range(30):
        keep(records, of(f"{STAYS}-{number}", number), NOW)
        keep(records, of(GONE, number), NOW)
        remark(records, GONE)
        Drafts(records).keep(str(uuid.uuid4()), GONE.encode() * (1 + number * 40), GONE, ACT)
    assert GONE.encode() in on_disk(settings)
    assert typed(GONE, 90).exit_code == 0
    assert GONE.encode() not in on_disk(settings)
    assert f"{STAYS}-29".encode() in on_disk(settings)


def on_disk(settings):
    file = Path(Database(settings.database).url.database)
    return b"".join(each.read_bytes() for each in file.parent.glob(f"{file.name}*"))


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("",), "nothing is kept of this patient id"),
        ((GONE.lower(),), "nothing is kept of this patient id"),
        ((GONE, 2), "not confirmed"),
        ((GONE,), "not confirmed"),
    ],
    ids=["nobody", "another case", "wrong count", "no answer"],
)
def test_nothing_is_erased_that_was_not_confirmed(records, sql, lines, said):
    keep(records, of(GONE), NOW)
    done = typed(*lines)
    assert done.exit_code == 2
    assert said in done.stderr
    assert sql("SELECT count(*) FROM contents") == [(1,)]
    assert sql("SELECT count(*) FROM journal WHERE event = 'patient.erased'") == [(0,)]


@pytest.mark.any_database
def test_the_patient_is_not_taken_from_the_command_line_and_the_reason_is_a_code(records):
    keep(records, of(GONE), NOW)
    assert CliRunner().invoke(main, ["patients", "erase", GONE, "--reason", "court_order"]).exit_code == 2
    assert typed(GONE, 1, reason=f"because {GONE}").exit_code == 2
    assert held(records, GONE).total == 1


def test_what_came_in_meanwhile_stops_the_erasure(records):
    keep(records, of(GONE), NOW)
    seen = held(records, GONE)
    keep(records, of(GONE, 2), NOW)
    with pytest.raises(HeldOtherwise):
        erase(records, GONE, seen, Reason.COURT_ORDER, ACT)
    assert held(records, GONE).total == 2


def test_where_the_service_owns_no_table_its_owner_cleans_up(separated, monkeypatch):  # noqa: F811
    monkeypatch.setenv("DOSEGATE_DATABASE_URL", separated.database)
    monkeypatch.setenv("DOSEGATE_DATABASE_OWNER_URL", separated.owner)
    monkeypatch.setenv("DOSEGATE_SIGNING_KEYS", str(separated.keys))
    with closing(records_of(separated, NOW)) as records:
        keep(records, of(GONE), NOW)
        done = typed(GONE, 1)
        assert done.exit_code == 0, done.stderr
        assert "Still to do: what is left in free space is overwritten as it fills" in done.stdout
        assert scrub(records.database).startswith("the owner of the tables has to run VACUUM FULL contents")
