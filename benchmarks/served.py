"""A service over a database of its own, in processes of its own, as a benchmark asks it."""

import socket
import subprocess
import sys
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic, sleep

from tests.databases import postgresql_server

PATIENCE = 60
SERVE = """
import sys
from pathlib import Path
from service.server import serve
from service.settings import Settings
database, keys, workers, public_url = sys.argv[1:]
settings = Settings(database=database, keys=Path(keys), public_url=public_url or None)
serve("localhost", 0, int(workers), settings)
"""


@contextmanager
def sqlite_file():
    """Where a database of the service is, and a folder for its key."""
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/dosegate.db", Path(folder)


@contextmanager
def postgresql():
    """The same on a PostgreSQL server of its own, as it is set up by default."""
    with tempfile.TemporaryDirectory() as folder, postgresql_server(Path(folder) / "server") as url:
        yield url, Path(folder)


@contextmanager
def running(command, env=None, log=None):
    """A process, ended at the end; what it logs goes to a file, if one is given."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=env) as process:
        try:
            yield process
        finally:
            process.terminate()


@contextmanager
def serving(url, keys, workers, public_url=""):
    """The service over a database that is there; the port that it listens on."""
    with running([sys.executable, "-c", SERVE, url, str(keys), str(workers), public_url]) as process:
        yield int(process.stdout.readline().split()[2].rpartition(":")[2])


@contextmanager
def gunicorn(app, workers, env=None):
    """Another application, with sync workers as the service has them; its port, and its process."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    command = ["-m", "gunicorn", app, "--workers", str(workers), "--log-level", "error"]
    with running([sys.executable, *command, "--bind", f"127.0.0.1:{port}"], env) as process:
        ends = monotonic() + PATIENCE
        while not _answers(port):
            assert monotonic() < ends, f"{app} did not start"
            sleep(0.05)
        yield port, process


def _answers(port):
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
