"""A disk without a byte left under a live service: refused with when to come back, nothing lost, and on.

The disk of its log is full all the time: nobody notices.
"""

from contextlib import contextmanager

import pytest

from tests import databases
from tests.faults import chain
from tests.faults.serving import Load, served, small_disk, until

LARGE = "/api/v1/static/docs/swagger-ui-bundle.js"
NO_LOG = "import sys; sys.stderr = open('/dev/full', 'w');"
MEGABYTES = {"sqlite": 24, "postgresql": 128}


@contextmanager
def on_disk(kind, folder):
    """The URL of a database of that kind in a folder."""
    if kind == "sqlite":
        yield databases.copy_of_sqlite(folder)
        return
    with databases.postgresql_server(folder / "data", fsync="on") as url:
        yield url


@pytest.mark.parametrize("kind", databases.KINDS)
def test_a_disk_that_is_full_loses_nothing_acknowledged(kind):
    with (
        small_disk(MEGABYTES[kind]) as disk,
        on_disk(kind, disk.folder) as url,
        served(url, first=NO_LOG) as service,
    ):
        load = Load(service, "full")
        with load.going_on():
            load.more(10)
            with disk.full():
                until(lambda: load.refused > 20, "nothing is refused")
                assert service.ask("GET", "/healthz")[0] == 200
                during = dict(load.acknowledged)
            load.more(10)
        assert load.told == {"30"}
        assert load.broken == 0
        chain.sound(url)
        results = chain.by_key(url)
        assert all(results[key] == result for key, result in (during | load.acknowledged).items())


@pytest.mark.any_database
def test_where_no_answer_can_wait_on_disk_no_worker_ends(tmp_path):
    with (
        small_disk(4) as disk,
        served(
            databases.copy_of_sqlite(tmp_path),
            first=f"import tempfile; tempfile.tempdir = {str(disk.folder)!r};",
        ) as service,
    ):
        service.comes_back()
        workers = sorted(service.workers())
        with disk.full():
            for number in range(5):
                assert service.ask("GET", LARGE)[0] == 500
                assert service.post(f"full-{number}")[0] == 201
        assert service.ask("GET", LARGE)[0] == 200
        assert sorted(service.workers()) == workers
