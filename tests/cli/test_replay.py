"""`dosegate replay ID`: a stored checklist evaluated again from the command line."""

import json
import sqlite3
from datetime import UTC, datetime
from importlib.resources import files

from service.app import create_app
from service.settings import Settings
from tests.cli.command import run


def recorded(monkeypatch, tmp_path):
    database = f"sqlite:///{tmp_path / 'kept.db'}"
    monkeypatch.setenv("DOSEGATE_DATABASE", database)
    app = create_app(Settings.from_environment(), clock=lambda: datetime(2026, 11, 22, tzinfo=UTC))
    body = files("service").joinpath("examples", "blocked.json").read_bytes()
    answer = app.test_client().post("/api/v1/checklists", data=body, content_type="application/json")
    app.extensions["dosegate"].store.close()
    return answer.get_json()["id"]


def test_a_stored_checklist_comes_out_the_same_again(monkeypatch, tmp_path):
    done = run("replay", recorded(monkeypatch, tmp_path))
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["identical"] is True


def test_an_altered_result_is_told_with_the_first_difference(monkeypatch, tmp_path):
    kept = recorded(monkeypatch, tmp_path)
    with sqlite3.connect(tmp_path / "kept.db") as database:
        (result,) = database.execute("select result from checklists").fetchone()
        altered = bytes(result).replace(b'"status":"block"', b'"status":"pass"', 1)
        database.execute("update checklists set result = ?", (altered,))
    database.close()
    done = run("replay", kept)
    assert done.exit_code == 4
    assert json.loads(done.stdout)["first_difference"]["in"] == "result"


def test_an_id_that_is_not_kept_is_refused_in_one_line(monkeypatch, tmp_path):
    recorded(monkeypatch, tmp_path)
    done = run("replay", "9f1c0a52-0000-4000-8000-000000000000")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "no checklist with this id is kept here" in done.stderr
