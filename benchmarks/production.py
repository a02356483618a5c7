"""Dosegate as it runs in production: its own command line, PostgreSQL, and a role that owns no table."""

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import psycopg

from benchmarks.served import running
from service.access.roles import Permission
from tests.databases import postgresql_server

COMMAND = Path(sys.executable).with_name("dosegate")
PUBLIC_URL = "https://dosegate.example"
_LEVEL = re.compile(r'"level": ?"(\w+)"')
OWNER, ROLE = "dosegate_owner", "dosegate_service"


@dataclass(frozen=True)
class Site:
    """One that is set up: how its commands are told where its records are, and the key of a program.

    What it logs is in a file, as where systemd or a container runs it.
    """

    environment: dict[str, str]
    fsync: str
    log: Path
    key: str = ""

    @property
    def database(self):
        """The URL of its records, as the service's own role knows it."""
        return self.environment["DOSEGATE_DATABASE_URL"]

    @property
    def owner(self):
        """The same for the role that owns the tables."""
        return self.environment["DOSEGATE_DATABASE_OWNER_URL"]

    def command(self, *words):
        """A command of the site's, run to its end; what it printed."""
        done = subprocess.run(
            [COMMAND, *words], env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (words, done.returncode, done.stdout, done.stderr)
        return done.stdout

    @contextmanager
    def serving(self, workers):
        """`dosegate serve`; the port that it listens on, and its process."""
        command = [COMMAND, "serve", "--port", "0", "--workers", str(workers)]
        with self._running(command) as process:
            port = int(process.stdout.readline().split()[2].rpartition(":")[2])
            yield port, psutil.Process(process.pid)

    @contextmanager
    def delivering(self):
        """`dosegate deliver`; its process."""
        with self._running([COMMAND, "deliver"]) as process:
            yield psutil.Process(process.pid)

    def logged(self):
        """How many events of each level were logged; what is no event counts as such."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return Counter(found[1] if (found := _LEVEL.search(each)) else "no event" for each in lines)

    @contextmanager
    def _running(self, command):
        with self.log.open("a") as log, running(command, self.environment, log) as process:
            yield process


@contextmanager
def site(private_hosts=""):
    """A site on a PostgreSQL server of its own, set up as by default: what is acknowledged is on disk."""
    with tempfile.TemporaryDirectory() as folder, postgresql_server(Path(folder) / "server") as url:
        with psycopg.connect(url, autocommit=True) as connection:
            for role in (OWNER, ROLE):
                connection.execute(f"CREATE ROLE {role} LOGIN")
            connection.execute(f"CREATE DATABASE dosegate OWNER {OWNER}")
            [fsync] = connection.execute("SHOW fsync").fetchone()
        named = url.replace("/postgres?", "/dosegate?")
        service, owner = (named.replace("://postgres:", f"://{role}:") for role in (ROLE, OWNER))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DOSEGATE_")}
        environment |= {
            "DOSEGATE_DATABASE_URL": service,
            "DOSEGATE_DATABASE_OWNER_URL": owner,
            "DOSEGATE_SIGNING_KEYS": str(Path(folder) / "signing.pem"),
            "DOSEGATE_PUBLIC_URL": PUBLIC_URL,
            "DOSEGATE_PRIVATE_HOSTS": private_hosts,
            "DOSEGATE_REQUESTS_PER_MINUTE": "0",
        }
        made = Site(environment, fsync, Path(folder) / "log")
        made.command("db", "upgrade")
        scopes = [f"--scope={each.value}" for each in (Permission.CHECKLIST_MAKE, Permission.CHECKLIST_READ)]
        yield replace(made, key=made.command("keys", "add", "bench", *scopes).split()[-1])


def postmaster(database):
    """The first process of the PostgreSQL server that a URL names."""
    with psycopg.connect(database) as connection:
        return psutil.Process(connection.info.backend_pid).parent()
