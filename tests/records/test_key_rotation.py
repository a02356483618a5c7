"""Keys and secrets that change while the service goes on."""

import shutil
import stat
from contextlib import closing
from datetime import UTC, datetime

import psycopg
import pytest

from service.access.accounts import Accounts
from service.access.principal import NotSignedIn
from service.access.roles import Role
from service.access.sealing import NotSealed, Sealer
from service.access.sessions import Sessions
from service.access.throttle import Throttle
from service.app import records_of
from service.records.database import Database, StoreUnavailable
from service.records.journal import Act, Event
from service.records.opening import bring_up
from service.records.signing import BadKeyFile, Keys
from service.records.standing import standing
from service.settings import Settings
from tests.cli.command import run
from tests.faults import chain, serving
from tests.faults.serving import Load, served
from tests.records.test_database import separated  # noqa: F401  the roles of its databases

NOW = datetime(2026, 10, 6, 18, 0, tzinfo=UTC)
ACT = Act("cli:test", "operator", "test", NOW)


@pytest.fixture
def key_file(tmp_path, monkeypatch):
    """A file with a signing key of this test's own; the service and the commands use it."""
    file = tmp_path / "signing.pem"
    Keys.made(file)
    monkeypatch.setenv("DOSEGATE_SIGNING_KEYS", str(file))
    monkeypatch.setattr(serving, "signing_key", lambda: file)
    monkeypatch.setattr(chain, "signing_key", lambda: file)
    return file


@pytest.fixture
def opened(database_url, monkeypatch):
    """Opens the records as one more process that has its keys from a file."""
    monkeypatch.setenv("DOSEGATE_DATABASE_URL", database_url)
    made = []

    def open_(file):
        made.append(records_of(Settings(database=database_url, keys=file), NOW))
        return made[-1]

    yield open_
    for each in made:
        each.close()


def enter(records):
    return records.enter(ACT, Event.RECORD_VIEWED, "x")


@pytest.mark.any_database
def test_the_signing_key_is_rotated_while_a_service_runs(key_file, database_url, monkeypatch):
    monkeypatch.setenv("DOSEGATE_DATABASE_URL", database_url)
    old = Keys.read(key_file).signer
    with served(database_url) as service:
        load = Load(service, "rotation")
        with load.going_on():
            load.more(10)
            done = run("journal", "rotate-key")
            assert done.exit_code == 0, done.output
            load.more(20)
        assert (load.broken, load.refused) == (0, 0), "somebody noticed"
    new = Keys.read(key_file).signer
    assert new != old
    assert done.stdout.startswith(f"{new} signs from now on; {old} only verifies")
    assert key_file.read_text().count("PRIVATE KEY-----") == 2  # the begin and the end of one
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    entries = chain.sound(database_url)
    [used] = [each for each in entries if each.event == "signing_key.used" and each.subject == new]
    assert used.sequence < entries[-1].sequence
    assert [each.key for each in chain.rows(database_url, chain.chains, "main")] == [new]
    assert chain.by_key(database_url) == load.acknowledged


@pytest.mark.any_database
def test_a_key_that_was_prepared_comes_to_hosts_with_a_file_each(key_file, opened, tmp_path):
    other_file = tmp_path / "other.pem"
    shutil.copy(key_file, other_file)
    one, other = opened(key_file), opened(other_file)
    old = one.keys.signer

    prepared = run("journal", "rotate-key", "--prepare").stdout.split()[0]
    assert run("journal", "rotate-key", "--prepare").exit_code == 2
    shutil.copy(key_file, other_file)
    assert run("journal", "rotate-key").exit_code == 0
    enter(one)
    enter(other)
    assert (one.keys.signer, other.keys.signer) == (prepared, old)  # each may sign until both have rotated
    enter(one)

    shutil.copy(key_file, other_file)
    with closing(opened(other_file)) as restarted:
        enter(restarted)
        assert restarted.keys.signer == prepared
    assert run("verify").exit_code == 0


@pytest.mark.any_database
def test_a_worker_that_finds_no_new_key_holds_and_goes_on_when_it_is_there(key_file, opened, tmp_path):
    lagging = tmp_path / "lagging.pem"
    shutil.copy(key_file, lagging)
    records = opened(lagging)
    assert run("journal", "rotate-key").exit_code == 0
    with pytest.raises(StoreUnavailable, match="is not in the file of signing keys"):
        enter(records)
    lagging.write_text("half a fi")
    with pytest.raises(StoreUnavailable, match="is not in the file of signing keys"):
        enter(records)
    shutil.copy(key_file, lagging)
    enter(records)
    assert records.keys.signer == Keys.read(key_file).signer


@pytest.mark.any_database
def test_a_key_that_is_gone_is_asked_for_and_none_made_in_its_place(key_file, opened):
    opened(key_file)
    key_file.unlink()
    with pytest.raises(BadKeyFile, match="is gone"):
        opened(key_file)
    assert not key_file.exists()


@pytest.mark.any_database
def test_what_derives_from_the_key_begins_anew_with_the_next_start(key_file, opened):
    before = opened(key_file)
    sealer, throttle = Sealer(before, "test"), Throttle(before)
    sealed = sealer.seal({"form": 1})
    assert run("journal", "rotate-key").exit_code == 0
    enter(before)
    assert sealer.open(sealed) == {"form": 1}, "a service that runs goes on as it was"
    after = opened(key_file)
    assert Throttle(after).digest("x") != throttle.digest("x")
    with pytest.raises(NotSealed):
        Sealer(after, "test").open(sealed)


@pytest.mark.any_database
def test_a_file_that_cannot_be_written_is_left_as_it_is(key_file, opened, monkeypatch):
    opened(key_file)
    before = key_file.read_bytes()
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    done = run("journal", "rotate-key")
    assert (done.exit_code, "No space left on device" in done.stderr) == (2, True)
    assert key_file.read_bytes() == before
    assert [each.name for each in key_file.parent.glob(".signing*")] == []


@pytest.mark.any_database
def test_everybody_is_signed_out_at_once(key_file, opened, sql):
    records = opened(key_file)
    accounts = Accounts(records)
    sessions = Sessions(records, accounts)
    nina = accounts.add("nina", "Nina", Role.NURSE, "a long enough password", ACT)
    tokens = [sessions.begin(nina, ACT) for _ in range(2)]
    assert run("users", "sign-out-all").stdout == "1 person signed out.\n"
    for token in tokens:
        with pytest.raises(NotSignedIn):
            sessions.use(token, NOW)
    assert sql("SELECT subject FROM journal WHERE event = 'account.signed_out'") == [("user:nina",)]
    assert run("users", "sign-out-all").stdout == "0 people signed out.\n"


def test_a_service_changes_its_role_and_password_while_the_other_goes_on(separated):  # noqa: F811
    next_url = separated.database.replace("dosegate_service", "dosegate_next")
    with closing(records_of(separated, NOW)) as running:
        enter(running)
        with psycopg.connect(separated.owner.replace("dosegate_owner", "postgres")) as as_superuser:
            as_superuser.execute("CREATE ROLE dosegate_next LOGIN")
        with closing(Database(next_url)) as database:
            bring_up(database, separated.owner)
            assert standing(database).sound
        with closing(records_of(Settings(database=next_url, keys=separated.keys), NOW)) as other:
            enter(other)
            enter(running)
    with psycopg.connect(separated.owner.replace("dosegate_owner", "postgres")) as as_superuser:
        as_superuser.execute("DROP OWNED BY dosegate_next")
        as_superuser.execute("DROP ROLE dosegate_next")
