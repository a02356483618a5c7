"""`dosegate replay ID`: a stored checklist evaluated again from the command line."""

import json
from contextlib import closing
from datetime import UTC, datetime
from importlib.resources import files

import pytest

from service.app import library_of, records_of
from service.intake.answers import answer_to
from service.records.journal import Act
from service.records.store import Store
from service.records.stored import Basis, StoredChecklist
from tests.cli.command import run

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ID = "0b8f4a9e-2f0a-4d57-9f0e-5d6c1d3a7b11"


@pytest.fixture
def recorded(monkeypatch, settings):
    """The environment of a site that has kept one checklist; its id."""
    monkeypatch.setenv("DOSEGATE_DATABASE_URL", settings.database)
    monkeypatch.setenv("DOSEGATE_SIGNING_KEYS", str(settings.keys))
    body = files("service").joinpath("examples", "blocked.json").read_bytes()
    library = library_of(settings)
    answered = answer_to(body, library, id=ID, evaluated_at=NOW, site=settings.site)
    kept = StoredChecklist.of(answered, body, at=NOW, actor="user:nina")
    with closing(records_of(settings, NOW)) as records:
        act = Act("user:nina", "nurse", "a-request", NOW)
        return Store(records).add(kept, Basis.of(library, answered.request.pack), act).id


def test_a_stored_checklist_comes_out_the_same_again(recorded, sql):
    done = run("replay", recorded)
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["identical"] is True
    [(event, actor, subject)] = sql("SELECT event, actor, subject FROM journal WHERE sequence = 2")
    assert (event, subject) == ("checklist.replayed", recorded)
    assert actor.startswith("cli:")


@pytest.mark.any_database
def test_an_altered_result_is_told_with_the_first_difference(recorded, unguarded):
    [(result,)] = unguarded("SELECT result FROM contents")
    altered = bytes(result).replace(b'"status":"block"', b'"status":"pass"', 1)
    unguarded("UPDATE contents SET result = ?", altered)
    done = run("replay", recorded)
    assert done.exit_code == 4
    assert json.loads(done.stdout)["first_difference"]["in"] == "result"


@pytest.mark.any_database
def test_an_id_that_is_not_kept_is_refused_in_one_line(recorded):
    done = run("replay", "9f1c0a52-0000-4000-8000-000000000000")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "no checklist with this id is kept here" in done.stderr
