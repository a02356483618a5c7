"""Tables brought up by a newer version while a service of this one writes to them."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command

from service.app import records_of
from service.records import migrate
from service.records.database import Database, StoreUnavailable
from service.records.journal import Act, Event
from service.records.opening import bring_up
from service.records.standing import standing
from service.settings import Settings
from tests import databases
from tests.cli.command import run
from tests.faults import chain
from tests.faults.serving import Load, served
from tests.records.test_database import separated  # noqa: F401  the roles of its databases

NOW = datetime(2026, 10, 6, 18, 0, tzinfo=UTC)
ACT = Act("cli:test", "operator", "test", NOW)
MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "{revision}", "{before}"
{says}

def upgrade():
    op.add_column("checklists", sa.Column("added_{revision}", sa.String(20)))
    op.create_table("later_{revision}", sa.Column("id", sa.Integer(), primary_key=True))
    op.create_index("later_{revision}_by_drug", "checklists", ["drug", "added_{revision}"])
"""


@pytest.fixture
def newer_version(tmp_path, monkeypatch):
    """Brings tables up as a later version would, which knows one more migration each time."""
    later, own = tmp_path / "later", migrate._config

    def config():
        with_later = own()
        with_later.set_main_option("path_separator", "os")
        versions = Path(migrate.__file__).parent / "migrations" / "versions"
        with_later.set_main_option("version_locations", f"{versions}:{later}")
        return with_later

    def upgrade(url, revision, says):
        later.mkdir(exist_ok=True)
        made = sorted(later.glob("*.py"))
        before = made[-1].stem if made else migrate._known()[0]
        text = MIGRATION.format(revision=revision, before=before, says=says)
        (later / f"{revision}.py").write_text(text)
        with monkeypatch.context() as patch, closing(Database(url)) as database:
            patch.setattr(migrate, "_config", config)
            migrate._known.cache_clear()
            assert migrate.upgrade(database).newest == revision
        migrate._known.cache_clear()

    yield upgrade
    migrate._known.cache_clear()


@pytest.mark.usefixtures("own_database_url")
def test_services_go_on_with_newer_tables_until_these_are_no_longer_for_them(
    database_url, newer_version, monkeypatch, settings
):
    with served(database_url) as service:
        load = Load(service, "upgrade")
        with load.going_on():
            load.more(10)
            newer_version(database_url, "0006", 'oldest = "0005"')
            load.more(10)
        assert (load.broken, load.refused) == (0, 0), "somebody noticed"
        assert chain.by_key(database_url) == load.acknowledged

        monkeypatch.setenv("DOSEGATE_DATABASE_URL", database_url)
        monkeypatch.setenv("DOSEGATE_SIGNING_KEYS", str(settings.keys))
        told = run("db", "status")
        assert told.exit_code == 0, told.output
        assert "of a newer version, and this one may go on with them" in told.stdout
        assert "stays as it is" in run("db", "upgrade").stdout
        assert run("verify").exit_code == 0
        records_of(settings, NOW).close()  # a worker of this version may even begin

        newer_version(database_url, "0007", "")
        status, headers, _ = service.post("too-late")
        assert (status, headers["Retry-After"]) == (503, None)
        assert service.ask("GET", "/readyz")[0] == 503
        with pytest.raises(StoreUnavailable, match=r"revision 0007 by a newer version.* Install the newer"):
            records_of(settings, NOW)
    assert chain.by_key(database_url) == load.acknowledged
    chain.sound(database_url)


def test_a_newer_service_that_owns_nothing_waits_for_the_owner(separated):  # noqa: F811
    with closing(Database(separated.owner)) as owned:
        with owned.writing() as connection:
            config = migrate._config()
            config.attributes["connection"] = connection
            command.upgrade(config, "0004")
        with owned.writing() as connection:
            connection.exec_driver_sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO dosegate_service")
    alone = Settings(database=separated.database, keys=separated.keys)
    with pytest.raises(StoreUnavailable, match=r"0004, and this version needs .*let the owner of the tables"):
        records_of(alone, NOW)
    with closing(Database(separated.database)) as database:
        bring_up(database, separated.owner)
        assert standing(database).sound
    with closing(records_of(alone, NOW)) as records:
        records.enter(ACT, Event.RECORD_VIEWED, "x")


@pytest.mark.any_database
def test_every_migration_says_who_may_go_on(database_url):
    """A number each, one behind the other; whoever writes `oldest` names one of them, and not a later one."""
    found = [*migrate.ScriptDirectory.from_config(migrate._config()).walk_revisions()]
    assert [each.revision for each in reversed(found)] == [f"{n:04}" for n in range(1, len(found) + 1)]
    for each in found[:-5]:
        assert "0005" <= getattr(each.module, "oldest", each.revision) <= each.revision
    with databases.behind_its_back(database_url) as run_sql:
        assert run_sql("SELECT id, oldest FROM compatibility") == [(1, "0005")]
