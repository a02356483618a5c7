"""`dosegate verify` and `dosegate journal`: what is at fault is told, and what is not is proven."""

import json
import shutil
import stat
from contextlib import closing
from pathlib import Path

import pytest

from service.app import records_of
from service.records.journal import Event
from tests.cli.command import on_terminal, run
from tests.databases import permissions_count
from tests.records.chains import an_act, said_alone, trusted


@pytest.fixture
def command(settings, monkeypatch):
    """Runs commands on records of three entries that commit to something."""
    monkeypatch.setenv("DOSEGATE_DATABASE_URL", settings.database)
    monkeypatch.setenv("DOSEGATE_SIGNING_KEYS", str(settings.keys))
    with closing(records_of(settings, an_act(0).at)) as records:
        for number in range(3):
            with records.writing() as writing:
                about = {"details": {"n": number}, "parts": {"comment": "=1+1"}, "patient": "MRN-CANARY"}
                writing.remark(an_act(number, days=number), Event.WARN_ACKNOWLEDGED, "a-checklist", **about)
    return run


@pytest.fixture
def public(command, tmp_path):
    file = tmp_path / "public.pem"
    file.write_text(command("journal", "keys").stdout)
    return file


def test_the_database_is_verified_with_public_keys_and_nothing_is_written(command, public, sql):
    before = sql("SELECT count(*) FROM journal")
    done = command("verify", "--key", public)
    assert done.exit_code == 0, done.output
    assert (
        "site main: 3 entries verified: 3 with their contents, 0 erased; signed up to entry 3" in done.stdout
    )
    assert sql("SELECT count(*) FROM journal") == before


@pytest.fixture
def read_only(settings, sql, tmp_path, database_kind):
    """The URL of the records for somebody who may only read them: a role of its own, or a file laid by."""
    if database_kind == "sqlite":
        place = tmp_path / "evidence"
        place.mkdir()
        copy = shutil.copy(settings.database.removeprefix("sqlite:///"), place)
        for path, mode in ((copy, 0o400), (place, 0o500)):
            Path(path).chmod(mode)
        with permissions_count():
            yield f"sqlite:///{copy}"
        place.chmod(0o700)
        return
    sql("CREATE ROLE dosegate_auditor LOGIN")
    sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO dosegate_auditor")
    yield settings.database.replace("://postgres:", "://dosegate_auditor:")
    sql("DROP OWNED BY dosegate_auditor")
    sql("DROP ROLE dosegate_auditor")


def test_to_verify_takes_no_more_than_reading(command, read_only, monkeypatch):
    monkeypatch.setenv("DOSEGATE_DATABASE_URL", read_only)
    done = command("verify")
    assert done.exit_code == 0, done.output
    assert "3 entries verified" in done.stdout


def test_a_fault_is_named_and_counts_in_the_exit_status(command, unguarded):
    unguarded("UPDATE journal SET actor = 'user:eve' WHERE sequence = 2")
    done = command("verify")
    assert done.exit_code == 4
    assert "edited: entry 2 (warn.acknowledged, a-checklist) no longer has the digest" in done.stdout
    assert "1 fault; nothing is at fault up to entry 1" in done.stdout


@pytest.mark.any_database
@pytest.mark.parametrize("damage", ["CAST(X'ff41' AS TEXT)", "X'00ff'", "char(27) || '[31m'"])
def test_a_damaged_text_is_a_fault_and_reaches_no_terminal(command, unguarded, damage):
    unguarded(f"UPDATE journal SET subject = {damage} WHERE sequence = 2")
    done = command("verify")
    assert (done.exit_code, "\x1b" in done.output) == (4, False)
    assert "edited: entry 2 (warn.acknowledged, " in done.stdout


def test_an_export_is_verified_by_both_and_ends_signed(command, public, tmp_path):
    out = tmp_path / "journal.ndjson"
    done = command("journal", "export", "--out", out)
    assert done.exit_code == 0, done.output
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert said_alone(out.read_bytes().splitlines(), trusted(public)) == []
    checked = command("verify", out, "--key", public)
    assert checked.exit_code == 0, checked.output
    assert "4 entries verified: 3 with their contents, 0 erased; signed up to entry 4" in checked.stdout
    entries = [each["entry"] for each in map(json.loads, out.read_bytes().splitlines()) if "entry" in each]
    assert (entries[-1]["event"], entries[-1]["details"]["through"]) == ("journal.exported", 4)


def test_without_contents_no_patient_is_in_an_export(command, tmp_path, public):
    out = tmp_path / "journal.ndjson"
    assert command("journal", "export", "--out", out, "--without-contents").exit_code == 0
    assert b"opens" not in out.read_bytes()
    checked = command("verify", out, "--key", public)
    assert (checked.exit_code, "contents were left out" in checked.stdout) == (0, True)


def test_a_spreadsheet_gets_the_entries_alone(command, tmp_path):
    out = tmp_path / "journal.csv"
    assert command("journal", "export", "--out", out, "--format", "csv").exit_code == 0
    heading, *lines = out.read_text().splitlines()
    assert heading.startswith("site,sequence,at,event,actor")
    assert len(lines) == 4
    assert "CANARY" not in out.read_text()


def test_a_checkpoint_held_elsewhere_tells_that_the_end_was_cut_off(command, tmp_path, unguarded):
    old = unguarded("SELECT sequence, at, digest, signature FROM chains")
    held = tmp_path / "held.json"
    held.write_text(command("journal", "checkpoint").stdout)
    assert command("verify", "--checkpoint", held).exit_code == 0
    unguarded("DELETE FROM journal WHERE sequence > 3")
    unguarded("DELETE FROM checkpoints WHERE sequence > 3")
    unguarded("UPDATE chains SET sequence = 3")
    assert "bad signature: the head of entry 3" in command("verify").stdout
    unguarded("UPDATE chains SET sequence = ?, at = ?, digest = ?, signature = ?", *old[0])
    assert command("verify").exit_code == 0
    done = command("verify", "--checkpoint", held)
    assert done.exit_code == 4
    assert "truncated: what the outside checkpoint of entry 4 signs is not there" in done.stdout


@pytest.mark.any_database
def test_what_cannot_be_verified_is_said_in_one_line(command, tmp_path, monkeypatch):
    nowhere = tmp_path / "nowhere"
    junk = tmp_path / "junk"
    junk.write_text("{}")
    for options in (["--key", nowhere], [nowhere], ["--key", junk], ["--checkpoint", junk]):
        done = command("verify", *options)
        assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.output
    monkeypatch.setenv("DOSEGATE_DATABASE_URL", f"sqlite:///{nowhere}")
    assert command("verify").exit_code == 2
    assert not nowhere.exists()


@pytest.mark.any_database
def test_a_site_whose_name_was_mistyped_has_no_journal_and_gets_none(command, tmp_path, monkeypatch, sql):
    monkeypatch.setenv("DOSEGATE_SITE", "mian")
    for arguments in (["verify"], ["journal", "checkpoint"], ["journal", "export", "--out", tmp_path / "x"]):
        done = command(*arguments)
        assert done.exit_code == 2
        assert "no journal of the site mian here, there is main" in done.stderr
    assert sql("SELECT site FROM chains") == [("main",)]


@pytest.mark.any_database
def test_a_terminal_shows_how_far_it_is(command, settings):
    names = {"DOSEGATE_DATABASE_URL": settings.database, "DOSEGATE_SIGNING_KEYS": str(settings.keys)}
    status, shown = on_terminal("verify", env=names)
    assert status == 0
    assert " read" in shown
    assert "3 entries verified" in shown
