"""The tables, their guards, and who may do what to them."""

import stat
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from datetime import UTC
from multiprocessing import get_context

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from service.access.roles import SCOPES
from service.app import create_app, records_of
from service.records import migrate
from service.records.database import Database, StoreUnavailable
from service.records.journal import Event
from service.records.opening import bring_up
from service.records.standing import standing
from service.records.tables import metadata
from service.settings import Settings
from tests import databases
from tests.api.conftest import with_key
from tests.api.sending import post
from tests.builders import shipped
from tests.records.conftest import NOW

GUARDED = (
    "journal",
    "checkpoints",
    "knowledge",
    "policies",
    "checklists",
    "flagged",
    "cards",
    "card_feedback",
)


COLUMNS = {
    "knowledge": "files",
    "policies": "text",
    "checklists": "drug",
    "flagged": "rule",
    "cards": "client",
    "card_feedback": "outcome",
}


@pytest.fixture
def database(database_url):
    with closing(Database(database_url)) as opened:
        yield opened


@pytest.fixture
def empty_url(request, tmp_path, database_kind):
    """The URL of a database without any table, of either kind."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
        return
    server = request.getfixturevalue("postgresql")
    url = server.make(empty=True)
    yield url
    server.drop(url)


def test_the_migrated_tables_are_those_that_the_service_knows(database):
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_guards_are_those_that_the_service_looks_for(database):
    found = standing(database)
    assert found.missing == ()
    assert found.sound


def test_every_table_has_its_grants():
    assert set(migrate.GRANTS) == {*metadata.tables, "alembic_version"}
    kept = {table: migrate.GRANTS[table] for table in GUARDED}
    assert kept == dict.fromkeys(GUARDED, "SELECT, INSERT")


def processes(count):
    """Processes that share nothing; one that ends before its work is done fails the test."""
    return ProcessPoolExecutor(count, get_context("spawn"))


def upgraded(url):
    with closing(Database(url)) as database:
        return migrate.upgrade(database).age.value


def test_of_several_upgrades_at_once_one_makes_the_tables(empty_url):
    with processes(3) as pool:
        found = list(pool.map(upgraded, [empty_url] * 3))
    assert sorted(found) == ["current", "current", "empty"]
    with closing(Database(empty_url)) as database:
        assert standing(database).sound


@pytest.mark.usefixtures("own_database_url")
def test_tables_of_a_newer_version_are_left_alone(database, settings, sql):
    sql("UPDATE alembic_version SET version_num = '9999'")
    sql("UPDATE compatibility SET oldest = '9999'")
    with pytest.raises(StoreUnavailable, match="by a newer version of Dosegate"):
        migrate.upgrade(database)
    with pytest.raises(StoreUnavailable, match="revision 9999 by a newer version") as refused:
        create_app(settings, shipped())
    assert refused.value.retry_after is None


@pytest.mark.parametrize("table", GUARDED)
def test_what_was_written_cannot_be_changed_or_removed_even_by_the_owner(records, act, basis, sql, table):
    a_row_in_each(records, act, basis, sql)
    [before] = sql(f"SELECT count(*) FROM {table}")
    assert before > (0,)
    column = COLUMNS.get(table)
    for statement in (f"UPDATE {table} SET {column or 'digest'} = 'x'", f"DELETE FROM {table}"):
        with pytest.raises(Exception, match="is refused"):
            sql(statement)
    assert sql(f"SELECT count(*) FROM {table}") == [before]


def a_row_in_each(records, act, basis, sql):
    with records.writing() as writing:
        writing.checkpoint(writing.enter(act, Event.JOURNAL_VIEWED, "journal"))
    sql("INSERT INTO knowledge VALUES ('d', 'f')")
    sql("INSERT INTO policies VALUES ('d', 't')")
    sql(
        "INSERT INTO checklists (id, site, created_at, drug, status, actor, pack, knowledge, policy)"
        " VALUES ('i', 'main', 't', 'x', 'pass', 'a', 'p', 'd', 'd')"
    )
    sql("INSERT INTO flagged VALUES ('i', 'r', 'c', 'holds', 'warn')")
    sql("INSERT INTO cards VALUES ('c', 'main', 'i', 'x', '[]', '[]')")
    sql("INSERT INTO card_feedback VALUES ('c', 'accepted', 't', 1)")


def test_a_chain_grows_by_one_entry_at_a_time(records, act, sql):
    records.enter(act, Event.JOURNAL_VIEWED, "journal")
    with pytest.raises(Exception, match="one entry at a time"):
        sql("UPDATE chains SET sequence = 0")
    with pytest.raises(Exception, match="is refused"):
        sql("DELETE FROM chains")


def test_what_is_known_of_a_patient_cannot_be_changed(store, a_checklist, basis, act, sql):
    store.add(a_checklist(), basis, act)
    with pytest.raises(Exception, match="is refused"):
        sql("UPDATE contents SET patient = 'another'")


# PostgreSQL with a role for the service that owns nothing


@pytest.fixture
def separated(postgresql):
    """The settings of a service whose role is not the owner of the tables, and a connection as that role."""
    owner = postgresql.make(empty=True)
    with psycopg.connect(owner, autocommit=True) as connection:
        for role in ("dosegate_owner", "dosegate_service"):
            connection.execute(f"CREATE ROLE {role} LOGIN")
        connection.execute("GRANT CREATE ON SCHEMA public TO dosegate_owner")
    own, other = (
        owner.replace("://postgres:", f"://{role}:") for role in ("dosegate_owner", "dosegate_service")
    )
    assert own != owner
    yield Settings(database=other, owner=own, keys=databases.signing_key())
    postgresql.drop(owner)
    with psycopg.connect(postgresql.shared, autocommit=True) as connection:
        connection.execute("DROP ROLE dosegate_owner; DROP ROLE dosegate_service")


def test_a_service_that_owns_nothing_works_and_cannot_touch_what_was_written(separated):
    app = create_app(separated, shipped(), lambda: NOW.astimezone(UTC))
    with closing(app.extensions["dosegate"].store.records) as records:
        client = with_key(app, SCOPES)
        made = post(client, idempotency_key="visit-17")
        assert made.status_code == 201
        assert client.get(made.location).data == made.data
        assert client.post(f"{made.location}/replay").json["identical"] is True
        assert not standing(records.database).owns_journal
        with psycopg.connect(separated.database, autocommit=True) as service:
            for statement in (
                "UPDATE journal SET actor = 'x'",
                "DELETE FROM journal",
                "TRUNCATE journal",
                "DROP TRIGGER journal_refuse ON journal",
                "ALTER TABLE journal DISABLE TRIGGER ALL",
                "ALTER TABLE journal RENAME TO elsewhere",
                "DROP TABLE journal",
                "UPDATE checkpoints SET digest = 'x'",
                "UPDATE checklists SET status = 'pass'",
                "UPDATE contents SET patient = 'x'",
                "SET session_replication_role = replica",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    service.execute(statement)


def test_a_service_that_owns_nothing_opens_its_tables_again(separated):
    for settings in (separated, Settings(database=separated.database, keys=separated.keys)):
        with closing(records_of(settings, NOW)) as records:
            assert standing(records.database).sound


def test_a_service_that_owns_nothing_cannot_make_its_tables(separated):
    with closing(Database(separated.database)) as database, pytest.raises(StoreUnavailable):
        bring_up(database, None)


# SQLite


def opened(settings):
    records_of(settings, NOW).close()


def test_a_database_that_is_lost_is_not_begun_anew(tmp_path):
    new = Settings(f"sqlite:///{tmp_path}/x.db", keys=tmp_path / "signing.pem")
    records_of(new, NOW).close()
    (tmp_path / "x.db").unlink()

    with pytest.raises(StoreUnavailable, match="no database"):
        records_of(new, NOW)
    assert not (tmp_path / "x.db").exists()


def test_many_processes_may_open_new_records_at_once(tmp_path):
    with processes(3) as pool:
        for number in range(3):
            new = Settings(f"sqlite:///{tmp_path}/{number}.db", keys=tmp_path / f"{number}.pem")
            list(pool.map(opened, [new] * 3))


@pytest.mark.any_database
def test_records_are_written_ahead_and_flushed_with_their_references_checked(database):
    with database.writing() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}


def test_records_are_for_their_owner_only(tmp_path, basis, a_checklist, act):
    with closing(records_of(Settings(f"sqlite:///{tmp_path}/x.db", keys=tmp_path / "k.pem"), NOW)) as records:
        records.enter(act, Event.JOURNAL_VIEWED, "journal")
        names = {each.name: stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}
    assert names == dict.fromkeys(("x.db", "x.db-wal", "x.db-shm", "k.pem"), 0o600)


def test_a_file_that_is_no_database_is_refused(tmp_path):
    file = tmp_path / "x.db"
    file.write_text("no database at all " * 100)
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        records_of(Settings(f"sqlite:///{file}", keys=databases.signing_key()), NOW)
