"""`dosegate db`: the tables from the command line."""

import pytest

from tests.cli.command import run


@pytest.fixture
def at(monkeypatch, database_url):
    """The environment of a site with this database."""
    monkeypatch.delenv("DOSEGATE_DATABASE_OWNER_URL", raising=False)
    monkeypatch.setenv("DOSEGATE_DATABASE_URL", database_url)


def test_tables_that_are_current_are_said_to_be(at, database_kind):
    done = run("db", "status")
    assert done.exit_code == 0, done.stderr
    assert "tables    current" in done.stdout
    assert "guards    in place" in done.stdout
    owns = "owns the journal" in done.stdout
    assert owns is (database_kind == "postgresql")
    assert owns is ("DOSEGATE_DATABASE_OWNER_URL" in done.stdout)
    assert "was current already" in run("db", "upgrade").stdout


def test_an_empty_database_is_brought_up(tmp_path, monkeypatch):
    monkeypatch.setenv("DOSEGATE_DATABASE_URL", f"sqlite:///{tmp_path}/new.db")
    before = run("db", "status")
    assert (before.exit_code, "type dosegate db upgrade" in before.stdout) == (4, True)
    upgraded = run("db", "upgrade")
    assert (upgraded.exit_code, "is at revision" in upgraded.stdout) == (0, True)
    assert run("db", "status").exit_code == 0


@pytest.mark.usefixtures("own_database_url")
def test_a_guard_that_was_laid_down_is_named(at, sql, database_kind):
    name = {"sqlite": "journal_no_delete", "postgresql": "journal_refuse"}[database_kind]
    sql(f"DROP TRIGGER {name}" + (" ON journal" if database_kind == "postgresql" else ""))
    done = run("db", "status")
    assert done.exit_code == 4
    assert f"MISSING: {name}" in done.stdout


@pytest.mark.usefixtures("own_database_url")
def test_tables_of_a_newer_version_are_told_and_refused(at, sql):
    sql("UPDATE alembic_version SET version_num = '9999'")
    sql("UPDATE compatibility SET oldest = '9999'")
    told = run("db", "status")
    assert (told.exit_code, "of a newer version" in told.stdout) == (4, True)
    assert "revision  9999" in told.stdout
    refused = run("db", "upgrade")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "Install the newer version" in refused.stderr


def test_a_password_is_never_shown(monkeypatch):
    url = "postgresql://dosegate:SECRET73@127.0.0.1:1/dosegate"
    monkeypatch.setenv("DOSEGATE_DATABASE_URL", url)
    for command in ("status", "upgrade"):
        done = run("db", command)
        assert done.exit_code == 2
        assert done.stderr.count("\n") == 1
        assert "SECRET73" not in done.output + done.stderr
