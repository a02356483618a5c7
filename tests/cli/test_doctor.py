"""`dosegate doctor`: each kind of trouble, made for real, is told with the way out; nothing is changed."""

import hashlib
import json
import shutil
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from service.access.accounts import Accounts
from service.access.keys import ApiKeys
from service.access.roles import SCOPES, Role
from service.app import records_of
from service.commands.checks.finding import Health
from service.commands.checks.installation import Installation
from service.commands.checks.machine import file_system
from service.commands.doctor import CHECKS, look
from service.outbound.http import Outbound
from service.records.database import StoreUnavailable
from service.records.journal import Act
from service.records.signing import Keys
from service.records.tables import moment_text
from service.settings import Settings, settings_in_force
from service.webhooks.endpoints import Endpoints
from service.webhooks.presence import say_present
from tests.cli.command import run
from tests.kept import rules_folder
from tests.people import PASSWORD
from tests.records.test_database import separated  # noqa: F401  the roles of its databases

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
BY_ADMIN = Act("cli:root", "operator", "cli-1", NOW)
OF_THIS_MACHINE = {"user", "disk space", "place", "open files", "PDF"}  # as they are where the tests run


@pytest.fixture
def place(monkeypatch):
    """Points this process at an installation, with all that one in production has set."""

    def at(settings, **others):
        given = {
            "DATABASE_URL": settings.database,
            "SIGNING_KEYS": settings.keys,
            "PUBLIC_URL": "https://dosegate.example.org",
            "TRUSTED_PROXIES": "1",
            "TIME_ZONE": "Europe/Berlin",
            **others,
        }
        for name, value in given.items():
            monkeypatch.setenv(f"DOSEGATE_{name}", str(value))

    return at


def now():
    return datetime.now(UTC)


@pytest.fixture
def begun(settings, place, tmp_path):
    """Begins the journal of an installation with a key of its own."""
    own = Settings(database=settings.database, keys=tmp_path / "signing.pem")
    place(own)
    shutil.copy(settings.keys, own.keys)
    return lambda at: records_of(own, at)


@pytest.fixture
def here(begun):
    """An installation whose journal has begun."""
    with closing(begun(NOW)) as records:
        yield records


def found(name, at=NOW):
    """What one check finds at a time, or by a clock."""
    with closing(Installation(settings_in_force(), at if callable(at) else lambda: at)) as installation:
        return list(look(name, installation))


def trouble(name, health, at=NOW):
    """What the only finding of a check that is not well says, and what it says to type."""
    (one,) = [each for each in found(name, at) if each.health is not Health.OK]
    assert one.health is health, one
    return f"{one.says} -> {one.mend}"


def well(name, at=NOW):
    """Whether nothing is found but what is as it should be."""
    return {each.health for each in found(name, at)} == {Health.OK}


def content(folder):
    """What the files of a folder hold, but SQLite's index of its log, which is no record."""
    files = [each for each in Path(folder).iterdir() if each.is_file() and not each.name.endswith("-shm")]
    return {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in files}


# ---------------------------------------------------------------- as a whole


@pytest.mark.any_database
def test_a_sound_installation_is_well_and_stays_as_it_is(begun, tmp_path, monkeypatch):
    here = begun(now())
    Accounts(here).add("anna", "Anna", Role.ADMIN, PASSWORD, Act("cli:root", "operator", "1", now()))
    before = content(tmp_path)
    assert "dosegate.db-wal" in before  # a service is using it
    done = run("doctor", "--json")
    answered = json.loads(done.stdout)
    troubles = [each for each in answered["findings"] if each["health"] != "ok"]
    assert {each["check"] for each in troubles} <= OF_THIS_MACHINE | {"rules"}  # which may be due to be read
    worst = {"ok": 0, "warning": 3, "wrong": 4}[answered["health"]]
    assert done.exit_code == worst == max((3 if t["health"] == "warning" else 4 for t in troubles), default=0)
    assert content(tmp_path) == before

    crashed = tmp_path / "crashed"  # a log that was left is not put into the database: its service does that
    crashed.mkdir()
    for name in ("dosegate.db", "dosegate.db-wal"):
        shutil.copy(tmp_path / name, crashed)
    before = content(crashed)
    monkeypatch.setenv("DOSEGATE_DATABASE_URL", f"sqlite:///{crashed}/dosegate.db")
    assert well("accounts")
    assert content(crashed) == before

    here.close()  # and where nobody uses it, no log is laid beside it
    monkeypatch.setenv("DOSEGATE_DATABASE_URL", f"sqlite:///{tmp_path}/dosegate.db")
    before = content(tmp_path)
    assert set(before) == {"dosegate.db", "signing.pem"}
    assert well("tables")
    assert well("journal")
    assert content(tmp_path) == before


@pytest.mark.any_database
def test_where_half_is_broken_the_other_half_is_looked_at_all_the_same(here, tmp_path, monkeypatch):
    """A password in the wrong place, a site without a journal, no rules: each is told, with what to type."""
    monkeypatch.setenv("DOSEGATE_DATABASE_URL", f"postgresql://dosegate:{PASSWORD}")
    monkeypatch.setenv("DOSEGATE_SITE", "two words")
    monkeypatch.setenv("DOSEGATE_RULES", str(tmp_path / "nowhere"))
    (tmp_path / "signing.pem").chmod(0o644)
    done = run("doctor")
    assert done.exit_code == 4
    assert PASSWORD not in done.output
    lines = done.stdout.splitlines()
    of = {
        name: [line for line in lines if f" {name} " in line[:24]] for name in ("settings", "tables", "PDF")
    }
    assert [line.split()[2] for line in of["settings"]] == [
        "DOSEGATE_DATABASE_URL",
        "DOSEGATE_SITE",
        "DOSEGATE_RULES",
    ]
    assert of["tables"] == ["unknown  tables         not looked at: DOSEGATE_DATABASE_URL cannot be used"]
    assert "unknown  engine         not looked at: DOSEGATE_RULES cannot be used" in lines
    assert len(of["PDF"]) == 1
    assert lines[-1].startswith("Something is wrong. Mend it, start the service again")
    assert f"{'':<23} mend: chmod 600 {tmp_path}/signing.pem" in lines


def test_a_check_that_fails_is_a_finding_and_repeats_nothing(place, monkeypatch, tmp_path):
    place(Settings(keys=tmp_path / "signing.pem"))
    reading = settings_in_force()
    del reading.values["DOSEGATE_TIME_ZONE"]
    (one,) = look("time zone", Installation(reading, lambda: NOW))
    assert (one.health, one.says) == (Health.WRONG, "this could not be looked at: KeyError")
    monkeypatch.setitem(sys.modules, "service.commands.checks.knowledge", None)
    assert "cannot be imported -> install Dosegate anew" in trouble("engine", Health.WRONG)


# ---------------------------------------------------------------- rules


def test_every_mistake_in_the_rules_is_told_and_packs_that_somebody_has_to_read(place, tmp_path):
    rules = rules_folder(tmp_path / "rules")
    place(Settings(keys=tmp_path / "k"), RULES=rules)
    assert "in force: " in found("rules")[0].says
    late = [each for each in found("rules", NOW + timedelta(days=3660)) if each.health is Health.WARNING]
    assert len(late) == 3
    assert "dosegate explain inebilizumab" in "".join(each.mend for each in late)

    for pack in ("ibalizumab", "inebilizumab"):
        with (rules / "drugs" / f"{pack}.yaml").open("a") as file:
            file.write("\nnonsense: 1\n")
    told = found("rules")
    assert {each.health for each in told} == {Health.WRONG}
    assert {each.says.partition(",")[0] for each in told} == {
        "rules/drugs/ibalizumab.yaml",
        "rules/drugs/inebilizumab.yaml",
    }
    assert found("engine")[0].health is Health.UNKNOWN


# ---------------------------------------------------------------- the database and its journal


@pytest.mark.any_database
def test_a_database_that_is_lost_is_told_from_one_that_is_not_there_yet(place, tmp_path):
    new = Settings(database=f"sqlite:///{tmp_path}/x.db", keys=tmp_path / "signing.pem")
    place(new)
    assert "there is no database yet -> dosegate serve" in trouble("database", Health.WARNING)
    assert "no signing key yet" in trouble("signing key", Health.WARNING)
    Keys.made(new.keys)
    assert "it was lost" in trouble("database", Health.WRONG)
    assert found("journal")[0].health is Health.UNKNOWN
    sqlite3.connect(tmp_path / "x.db").close()
    (tmp_path / "x.db").touch()
    assert "dosegate db upgrade" in trouble("tables", Health.WRONG)
    assert set(content(tmp_path)) == {"x.db", "signing.pem"}


def test_a_server_that_does_not_answer_is_asked_once_and_no_password_is_told(place, tmp_path):
    url = f"postgresql://dosegate:{PASSWORD.replace(' ', '%20')}@127.0.0.1:9/dosegate"
    place(Settings(database=url, keys=tmp_path / "k"))
    with closing(Installation(settings_in_force(), lambda: NOW)) as installation:
        (one,) = look("database", installation)
        (next_one,) = look("guards", installation)
    assert (one.health, next_one.health) == (Health.WRONG, Health.UNKNOWN)
    assert one.mend.startswith("pg_isready -h 127.0.0.1 -p 9;")
    assert next_one.says == "not looked at: the database does not answer"
    assert "wisteria" not in f"{one}{next_one}"


@pytest.mark.usefixtures("own_database_url")
def test_a_guard_that_was_laid_down_is_named(here, sql, database_kind):
    name = {"sqlite": "journal_no_delete", "postgresql": "journal_refuse"}[database_kind]
    sql(f"DROP TRIGGER {name}" + (" ON journal" if database_kind == "postgresql" else ""))
    (one, *others) = found("guards")
    assert one.health is Health.WRONG
    assert name in one.says
    assert "dosegate verify" in one.mend
    assert [each.health for each in others] == [Health.WARNING] * (database_kind == "postgresql")


def test_a_role_of_postgresql_owns_no_journal_and_may_do_what_it_must(separated, place):  # noqa: F811
    place(separated, DATABASE_OWNER_URL=separated.owner)
    records_of(separated, NOW).close()
    with closing(Installation(settings_in_force(), lambda: NOW)) as installation:
        told = {name: [each.health for each in look(name, installation)] for name in CHECKS}
        with pytest.raises(StoreUnavailable, match="read-only"), installation.database.writing() as writing:
            writing.exec_driver_sql("DELETE FROM rates")
    assert told["guards"] == told["rights"] == [Health.OK]
    troubled = {name for name, each in told.items() if not {Health.OK, Health.WARNING}.issuperset(each)}
    assert troubled <= {"clock"} | OF_THIS_MACHINE  # the journal is of another time than this machine
    with psycopg.connect(separated.owner, autocommit=True) as owner:
        owner.execute("REVOKE INSERT, SELECT ON journal FROM dosegate_service")
    assert "may not SELECT on journal, INSERT on journal -> set DOSEGATE_DATABASE_OWNER_URL" in trouble(
        "rights", Health.WRONG
    )
    with psycopg.connect(separated.owner, autocommit=True) as owner:
        owner.execute("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM dosegate_service")
    assert " more -> set" in trouble("rights", Health.WRONG)


def test_the_clocks_of_this_machine_of_the_database_and_of_the_journal_are_compared(begun, database_kind):
    with closing(begun(now())):
        assert well("clock", now)
        if database_kind == "postgresql":
            says = trouble("clock", Health.WARNING, lambda: now() + timedelta(minutes=1))
            assert "seconds apart -> timedatectl" in says
            assert "apart -> timedatectl" in trouble(
                "clock", Health.WRONG, lambda: now() + timedelta(hours=1)
            )
        told = found("clock", lambda: now() - timedelta(days=1))
        assert told[0].health is Health.WRONG
        assert "which is still to come here" in told[0].says


@pytest.mark.any_database
def test_a_key_that_others_can_use_or_that_does_not_sign_or_did_not_sign_the_journal_is_told(
    here, tmp_path, monkeypatch
):
    key = tmp_path / "signing.pem"
    own = key.read_bytes()
    assert well("signing key")
    assert well("journal")
    monkeypatch.setenv("DOSEGATE_SITE", "mian")
    assert "there is one of main -> set DOSEGATE_SITE=main" in trouble("journal", Health.WRONG)
    monkeypatch.delenv("DOSEGATE_SITE")
    key.chmod(0o640)
    assert f"-> chmod 600 {key}" in trouble("signing key", Health.WRONG)
    key.chmod(0o600)

    key.write_bytes(here.keys.public_pem())
    assert "no private key" in trouble("signing key", Health.WRONG)
    key.write_text("nothing")
    assert "holds no Ed25519 key" in trouble("signing key", Health.WRONG)
    assert found("journal")[0].health is Health.UNKNOWN

    key.unlink()
    Keys.made(key)
    assert f"add the public key {here.keys.signer} to {key}" in trouble("journal", Health.WRONG)
    key.unlink()
    assert "is gone, and the journal is signed" in trouble("signing key", Health.WRONG)
    key.write_bytes(own)


@pytest.mark.any_database
def test_a_head_that_nobody_signed_and_a_checkpoint_that_is_missing_are_told(here, sql):
    assert well("checkpoint")
    for days in (0, 1):
        act = Act("cli:root", "operator", "1", NOW + timedelta(days=days))
        Accounts(here).add(f"anna{days}", "Anna", Role.ADMIN, PASSWORD, act)
    assert well("checkpoint", NOW + timedelta(days=1))
    assert "nothing was entered" in trouble("checkpoint", Health.WARNING, NOW + timedelta(days=9))
    for (guard,) in sql("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
        sql(f"DROP TRIGGER {guard}")
    sql("DELETE FROM checkpoints WHERE sequence = (SELECT max(sequence) FROM checkpoints)")
    assert "dosegate verify" in trouble("checkpoint", Health.WRONG, NOW + timedelta(days=1))
    sql("UPDATE chains SET sequence = 1")
    assert "is not what key" in trouble("journal", Health.WRONG)


# ---------------------------------------------------------------- people and machines


@pytest.mark.any_database
def test_somebody_must_be_able_to_sign_in_and_to_let_others_in(here):
    assert "dosegate users add NAME --role admin" in trouble("accounts", Health.WARNING)
    Accounts(here).add("nina", "Nina", Role.NURSE, PASSWORD, BY_ADMIN)
    assert "dosegate users role NAME admin" in trouble("accounts", Health.WARNING)
    Accounts(here).add("anna", "Anna", Role.ADMIN, PASSWORD, BY_ADMIN)
    assert well("accounts")


@pytest.mark.any_database
def test_a_key_that_expires_soon_is_told_with_what_takes_its_place(here):
    made, token = ApiKeys(here).make("EHR", sorted(SCOPES)[:1], timedelta(days=60), BY_ADMIN)
    assert well("API keys")
    for days, word in ((40, "expires"), (70, "expired")):
        says = trouble("API keys", Health.WARNING, NOW + timedelta(days=days))
        assert f"{made.prefix} {word} on 2027-01-21" in says
        assert f"dosegate keys add EHR --scope {made.scopes[0]}" in says
        assert token not in says
    assert well("API keys", NOW + timedelta(days=100))
    ApiKeys(here).revoke(made.prefix, BY_ADMIN)
    assert well("API keys", NOW + timedelta(days=40))


@pytest.mark.any_database
def test_somebody_has_to_deliver_where_somebody_is_to_be_told(here, sql):
    assert well("webhooks")
    known = Endpoints(here, Outbound(frozenset({"127.0.0.1:9"})))
    added, _ = known.add("http://127.0.0.1:9/", ["pack.released"], full=False, act=BY_ADMIN)
    assert "nobody delivers" in trouble("webhooks", Health.WRONG)
    say_present(here, "a-process", NOW)
    assert well("webhooks")
    row = "INSERT INTO deliveries (endpoint, type, message, state, due_at, sequence, site, thread, attempts)"
    for type, state in (("pack.released", "due"), ("checklist.completed", "dead")):
        sql(
            f"{row} VALUES (?, ?, ?, ?, ?, 1, 'main', 't', 1)", added.id, type, state, state, moment_text(NOW)
        )
    later = NOW + timedelta(hours=1)
    say_present(here, "a-process", later)
    told = found("webhooks", later)
    assert [each.health for each in told] == [Health.WARNING] * 2
    assert told[0].says == "1 message waiting, the oldest since 2026-11-22 09:00Z"
    assert "dosegate webhooks replay" in told[1].mend
    known.pause(added.id, BY_ADMIN)
    assert "dosegate webhooks resume" in found("webhooks", later)[-1].mend


# ---------------------------------------------------------------- the machine and the network


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("address", {"PUBLIC_URL": ""}, "set DOSEGATE_PUBLIC_URL=https://"),
        ("address", {"PUBLIC_URL": "http://localhost:8080"}, "proxy that speaks TLS"),
        ("proxies", {"TRUSTED_PROXIES": "0"}, "set DOSEGATE_TRUSTED_PROXIES=1"),
        ("proxies", {"PUBLIC_URL": ""}, "or unset DOSEGATE_TRUSTED_PROXIES"),
        ("proxies", {"TRUSTED_PROXIES": "5"}, "5 proxies are trusted"),
        ("request limit", {"REQUESTS_PER_MINUTE": "0"}, "unset DOSEGATE_REQUESTS_PER_MINUTE"),
    ],
)
def test_what_is_not_plausible_is_a_warning(place, tmp_path, name, given, words):
    place(Settings(keys=tmp_path / "k"))
    assert well(name)
    place(Settings(keys=tmp_path / "k"), **given)
    assert words in trouble(name, Health.WARNING)


def test_where_files_are_kept_is_known_by_the_nearest_mount():
    mounts = "/dev/a / ext4 rw 0 0\nserver:/x /var/lib/dose\\040gate nfs4 rw 0 0\nnone /tmp tmpfs rw 0 0\n"
    assert file_system(Path("/var/lib/dose gate/data"), mounts) == "nfs4"
    assert file_system(Path("/var/lib/dose"), mounts) == "ext4"
    assert file_system(Path("/tmp"), mounts) == "tmpfs"
