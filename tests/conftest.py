"""The database of a test: everything that keeps records is tested on SQLite and on PostgreSQL."""

from contextlib import closing

import pytest

from service.settings import Settings
from tests import databases


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory):
    """Databases on one server for all tests of this process; what a test keeps need not outlive it."""
    folder = tmp_path_factory.mktemp("postgresql")
    with (
        databases.postgresql_server(folder, fsync="off", full_page_writes="off") as url,
        closing(databases.PostgresqlDatabases(url)) as made,
    ):
        yield made


@pytest.fixture(params=databases.KINDS)
def database_url(request, tmp_path):
    """The URL of a database that has the tables, empty, of either kind; its tables stay as they are."""
    if request.param == "sqlite":
        yield databases.copy_of_sqlite(tmp_path)
        return
    server = request.getfixturevalue("postgresql")
    yield server.shared
    server.clean()


@pytest.fixture(params=databases.KINDS)
def own_database_url(request, tmp_path):
    """The same, of a database whose tables and guards the test may change."""
    if request.param == "sqlite":
        yield databases.copy_of_sqlite(tmp_path)
        return
    server = request.getfixturevalue("postgresql")
    url = server.make()
    yield url
    server.drop(url)


@pytest.fixture
def settings(database_url):
    """The settings of a service over that database."""
    return Settings(database=database_url, keys=databases.signing_key())


@pytest.fixture
def sql(database_url):
    """Runs one statement on the records behind the service's back; the rows it gives, as tuples."""
    with databases.behind_its_back(database_url) as run:
        yield run
