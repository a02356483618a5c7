"""A database that cannot be used at the start: one clear line, and nothing is served."""

import socket

import pytest

from service.server import serve
from service.settings import Settings
from tests import databases
from tests.faults.serving import folder_of


def refused(capsys, url):
    """What is said; never a traceback, never a password."""
    with pytest.raises(SystemExit) as ended:
        serve("127.0.0.1", 0, 1, Settings(database=url, keys=databases.signing_key()))
    said = capsys.readouterr()
    assert (ended.value.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert "SECRET" not in said.err
    assert said.err.startswith("the database cannot be opened: ")
    return said.err


def test_nobody_listens(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    said = refused(capsys, f"postgresql://dosegate:SECRET@127.0.0.1:{port}/dosegate")
    assert str(port) in said
    assert "Connection refused" in said


def test_no_such_database(capsys, postgresql):
    url = postgresql.make()
    postgresql.drop(url)
    assert "does not exist" in refused(capsys, url)


def test_tables_of_a_newer_version(capsys, own_database_url, sql):
    sql("UPDATE alembic_version SET version_num = '9999'")
    sql("UPDATE compatibility SET oldest = '9999'")
    assert "brought up to revision 9999 by a newer version" in refused(capsys, own_database_url)


@pytest.mark.parametrize("kind", ["folder", "something else"])
def test_a_file_that_is_no_database(capsys, tmp_path, kind):
    url = databases.copy_of_sqlite(tmp_path)
    folder_of(url).unlink()
    if kind == "folder":
        folder_of(url).mkdir()
    else:
        folder_of(url).write_text("no database at all\n" * 100)
    said = refused(capsys, url)
    assert ("damaged" in said) is (kind != "folder")
