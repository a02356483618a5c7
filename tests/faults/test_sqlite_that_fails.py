"""A SQLite file that is locked, full, read-only, gone, replaced or newer: 503, nothing half-written."""

import resource
import shutil

import pytest

from service.records.database import StoreUnavailable
from service.records.journal import Act, Event
from service.records.site import SiteRecords
from tests import databases
from tests.api.sending import post
from tests.faults import chain
from tests.faults.conftest import NOW

SOON, LATER, NEVER = "2", "30", None
ACT = Act("cli:test", "operator", "test", NOW)


@pytest.fixture
def database_url(tmp_path):
    return databases.copy_of_sqlite(tmp_path)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "dosegate.db"


def test_a_file_that_another_program_holds(failing, sql):
    with failing(SOON) as meanwhile:
        sql("BEGIN IMMEDIATE")
        meanwhile.all_fails()
        sql("ROLLBACK")


def test_a_database_that_may_not_grow(records, failing):
    def set_most(pages):
        with records.reading() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    with failing(LATER) as meanwhile:
        set_most(1)  # as many as there are
        meanwhile.posting_fails()
        set_most(1_000_000)


def test_a_disk_that_takes_no_more(failing):
    """A quota, to which the kernel holds this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with failing(LATER) as meanwhile:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))
        try:
            meanwhile.all_fails()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_that_may_not_be_written(records, failing, file):
    with failing(LATER) as meanwhile:
        records.close()  # as in a worker that begins
        file.chmod(0o400)
        with databases.permissions_count():
            meanwhile.all_fails()
            records.close()
        file.chmod(0o600)


def test_a_file_that_was_moved_away(failing, file, tmp_path):
    with failing(LATER) as meanwhile:
        file.rename(tmp_path / "away")
        meanwhile.all_fails()
        assert not file.exists(), "records that seem to be empty were begun"
        (tmp_path / "away").rename(file)


def test_a_file_that_became_a_folder(failing, file, tmp_path):
    with failing(NEVER) as meanwhile:
        file.rename(tmp_path / "away")
        file.mkdir()
        meanwhile.all_fails()
        file.rmdir()
        (tmp_path / "away").rename(file)


@pytest.mark.parametrize("written_ahead", [True, False], ids=["its log left", "its log gone"])
def test_a_file_that_became_something_else(failing, file, tmp_path, written_ahead):
    log = tmp_path / "dosegate.db-wal"
    with failing(NEVER) as meanwhile:
        file.rename(tmp_path / "away")
        if not written_ahead:
            log.rename(tmp_path / "log")
        file.write_bytes(b"no database at all\n" * 1000)
        meanwhile.all_fails()
        assert file.read_bytes() == b"no database at all\n" * 1000
        if not written_ahead:
            log.unlink(missing_ok=True)
            (tmp_path / "log").rename(log)
        (tmp_path / "away").rename(file)


def test_nothing_is_acknowledged_in_a_file_that_is_moved_meanwhile(client, records, file, tmp_path):
    post(client)
    with pytest.raises(StoreUnavailable, match="moved away"), records.writing() as writing:
        writing.enter(ACT, Event.RECORD_VIEWED, "lost")
        file.rename(tmp_path / "away")
    (tmp_path / "away").rename(file)
    assert post(client).status_code == 201
    chain.sound(f"sqlite:///{file}")


def test_tables_of_a_newer_version(failing, sql):
    [(revision,)] = sql("SELECT version_num FROM alembic_version")
    with failing(NEVER) as meanwhile:
        sql("UPDATE alembic_version SET version_num = '9999'")
        sql("UPDATE compatibility SET oldest = '9999'")
        meanwhile.all_fails()
        sql("UPDATE alembic_version SET version_num = ?", revision)
        sql("UPDATE compatibility SET oldest = ?", revision)


def test_a_copy_in_the_place_of_the_file(failing, file, tmp_path, records):
    """Restored while the service runs, beside a log that is newer: SQLite would make one ruin of both."""
    older = tmp_path / "older"
    shutil.copyfile(file, older)
    for _ in range(3):
        records.enter(ACT, Event.RECORD_VIEWED, "after the copy")
    with failing(NEVER) as meanwhile:
        file.rename(tmp_path / "away")
        older.rename(file)
        before = file.read_bytes()
        meanwhile.all_fails()
        assert file.read_bytes() == before
        (tmp_path / "away").rename(file)


def test_a_database_of_another_site(records):
    elsewhere = SiteRecords(records.database, "elsewhere", records.keys)
    with pytest.raises(StoreUnavailable, match="no journal of the site elsewhere"):
        elsewhere.enter(ACT, Event.RECORD_VIEWED, "x")
