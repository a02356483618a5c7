"""The database of a test: everything that keeps records is tested on SQLite and on PostgreSQL."""

from contextlib import closing

import hypothesis
import pytest

from service import logs
from service.settings import Settings
from tests import (
    applications,  # noqa: F401  makes them quicker
    databases,
)
from tests.guards import controls, hazards

# How long an example takes says nothing where several tests run at once.
hypothesis.settings.register_profile("dosegate", deadline=None)
hypothesis.settings.load_profile("dosegate")
logs.drops = False  # a field that may not be logged is an error here
logs.to_the_log()


def pytest_configure(config):
    """A whole run fails where a control of a hazard was not shown to work."""
    controls.watch(config, hazards.shown_by)


def pytest_generate_tests(metafunc):
    """A test that reaches a database runs once on each kind, or with `any_database` on the quickest alone."""
    if "database_kind" in metafunc.fixturenames:
        any_will_do = metafunc.definition.get_closest_marker("any_database")
        metafunc.parametrize("database_kind", databases.KINDS[:1] if any_will_do else databases.KINDS)


@pytest.fixture(scope="session")
def postgresql():
    """Databases on one server for all tests of this process; what a test keeps need not outlive it."""
    with (
        databases.folder_of_its_own() as folder,
        databases.postgresql_server(folder / "data", fsync="off", full_page_writes="off") as url,
        closing(databases.PostgresqlDatabases(url)) as made,
    ):
        yield made


@pytest.fixture
def shared_database_url(request, tmp_path, database_kind):
    """The URL of a database that has the tables, empty, of either kind; its tables stay as they are."""
    if database_kind == "sqlite":
        yield databases.copy_of_sqlite(tmp_path)
        return
    server = request.getfixturevalue("postgresql")
    yield server.shared
    server.clean()


@pytest.fixture
def own_database_url(request, tmp_path, database_kind):
    """The same, of a database whose tables and guards the test may change."""
    if database_kind == "sqlite":
        yield databases.copy_of_sqlite(tmp_path)
        return
    server = request.getfixturevalue("postgresql")
    url = server.make()
    yield url
    server.drop(url)


@pytest.fixture
def database_url(request, database_kind):
    """The database of this test: the shared one, or where the test asks for it one of its own."""
    own = "own_database_url" in request.fixturenames
    return request.getfixturevalue("own_database_url" if own else "shared_database_url")


@pytest.fixture
def settings(database_url):
    """The settings of a service over that database; tests ask more often than people do."""
    return Settings(database=database_url, keys=databases.signing_key(), requests_per_minute=0)


@pytest.fixture
def sql(database_url):
    """Runs one statement on the records behind the service's back; the rows it gives, as tuples."""
    with databases.behind_its_back(database_url) as run:
        yield run


@pytest.fixture
def unguarded(database_url):
    """The same where nothing guards the rows: what somebody could do who owns the database."""
    with databases.behind_its_back(database_url) as run:
        databases.lay_down_guards(run, database_url)
        yield run
