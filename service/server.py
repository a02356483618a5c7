"""`dosegate serve`, the one way to serve: gunicorn, whose workers are ours.

It does not speak TLS: a proxy in front of it does. It runs as the first process of a container, and tells
systemd when it listens.
"""

import errno
import gc
import ipaddress
import os
import random
import resource
import socket
import sys
import threading
from pathlib import Path
from typing import NoReturn

import structlog
from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]

from service import logs
from service.access.accounts import Accounts
from service.app import create_app, library_of, load_engines, now, opened
from service.checklist.engine import EngineFault
from service.demonstration import Clinic, NotForDemonstration, prepare, settings_for
from service.knowledge.library import Library
from service.knowledge.on_disk import RulesOnDisk, State
from service.knowledge.problems import KnowledgeError
from service.records.database import StoreUnavailable
from service.records.journal import Act
from service.records.opening import announce
from service.records.signing import BadKeyFile
from service.records.site import DEMONSTRATION, SiteRecords
from service.settings import Settings
from service.web import metrics
from service.web.parts import parts_of
from service.webhooks.courier import Courier
from service.worker import Worker

_BAD_INPUT = 2
_INPUT = 0  # standard input
_BACKLOG = 2048  # clients that may wait until a worker lets them in
_FILES = 4096
_TIMEOUT = 30  # seconds of one request in the application; then its worker is ended, and another one begins
_MEMORY = Path("/dev/shm")
_LONGEST_MISTAKE = 300
_LOOPBACK = "loopback only: a proxy that speaks TLS lets others in"
_OPEN = "what is sent can be read on the way: let others in through a proxy that speaks TLS"
_BEGIN = "Nobody has an account yet. Make the first one: dosegate users add NAME --role admin"
log = structlog.get_logger("dosegate")


def serve(host: str, port: int, workers: int, settings: Settings) -> None:
    """Serve until told to stop. Exits with status 2 and one clear error where it cannot start.

    Port 0 takes any free port; the line printed at the start names it.
    """
    # First of all: a second start on the same port changes nothing.
    listener = _listener(_address_of(host, only_loopback=settings.demonstration), port)
    try:
        if settings.demonstration:
            settings = settings_for(settings)
        elif settings.site == DEMONSTRATION:
            raise NotForDemonstration(f"the site {DEMONSTRATION} is for --demonstration alone: name another")
        rules = RulesOnDisk(settings.rules, settings.policy, lambda: _loaded(settings))
        records = opened(settings, rules.in_force, now())
        clinic = (
            prepare(records, rules.in_force, now(), settings.time_zone) if settings.demonstration else None
        )
        begun = bool(Accounts(records).all())
        records.close()  # each worker makes connections of its own: none may cross a fork
    except (KnowledgeError, EngineFault, StoreUnavailable, BadKeyFile, NotForDemonstration) as error:
        listener.close()
        _refuse(str(error))
    url = _url(listener)
    says = _greeting(listener, url, clinic, begun=begun)
    logs.configure(settings.log_level)
    metrics.prepare_folder(_in_memory())
    _allow_many_files()
    gc.freeze()  # what the workers share stays shared: none of them looks at it, not even at its end
    _Server(listener, workers, settings, rules, records, url=url, says=says).run()


def _loaded(settings: Settings) -> Library:
    library = library_of(settings)
    load_engines(library)
    return library


def _in_memory() -> str | None:
    """A folder that no full disk concerns; None where there is none."""
    return str(_MEMORY) if os.access(_MEMORY, os.W_OK | os.X_OK) else None


def _allow_many_files() -> None:
    """Each connection is a file, and many systems allow a process 1,024 unless it asks for more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < _FILES:
        most = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _url(listener: socket.socket) -> str:
    host, port, *_ = listener.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _greeting(listener: socket.socket, url: str, clinic: Clinic | None, *, begun: bool) -> str:
    """What is printed when the server listens."""
    host, *_ = listener.getsockname()
    lines = [f"Listening on {url} ({_LOOPBACK if ipaddress.ip_address(host).is_loopback else _OPEN})"]
    if clinic is not None:
        lines += clinic.lines(url)
    elif not begun:
        lines.append(_BEGIN)
    return "\n".join(lines)


class _Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn, set up here rather than by its own command line and environment."""

    def __init__(
        self,
        listener: socket.socket,
        workers: int,
        settings: Settings,
        rules: RulesOnDisk,
        records: SiteRecords,
        *,
        url: str,
        says: str,
    ) -> None:
        self._url, self._says = url, says
        self._courier: threading.Thread | None = None
        self._stop = threading.Event()
        self._listener, self._workers = listener.detach(), workers
        self._settings, self._rules, self._records = settings, rules, records
        super().__init__()

    def run(self) -> None:
        """Serve until told to stop."""
        _Master(self).run()

    def load_config(self) -> None:
        """Sync workers, because the rules engine is not proof against threads; no log of what is asked."""
        settings = {
            "bind": f"fd://{self._listener}",
            "workers": self._workers,
            "worker_class": "service.worker.Worker",
            "preload_app": False,
            "timeout": _TIMEOUT,
            # Where a heartbeat that is written to disk would wait as long as the disk does.
            "worker_tmp_dir": _in_memory(),
            "sendfile": False,  # an answer is collected before it is sent
            "forwarded_allow_ips": "",  # whom a proxy speaks for is the application's to say
            "accesslog": None,
            "errorlog": None,
            "loglevel": "warning",
            "control_socket_disable": True,
            "when_ready": self._say_ready,
            "post_fork": _keep_signals,
        }
        if self._settings.demonstration:
            settings |= {"post_worker_init": self._deliver, "worker_exit": self._stop_delivering}
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application of one worker. All serve the rules that were read at the start.

        Nothing is asked of the database here: gunicorn ends where a worker cannot start.
        """
        return create_app(self._settings, self._rules.in_force, records=self._records)

    def look_at_rules(self) -> None:
        """Tell where there is news of the rules on disk."""
        if self._rules.look():
            self._tell_of_rules()

    def renew_rules(self) -> bool:
        """Let what lies on disk take force in the workers that begin from now on; whether it can."""
        library = self._rules.read()
        if library is None:
            self._tell_of_rules()
            return False
        try:
            announce(self._records, library, Act("service", "service", "reload", now()))
        except StoreUnavailable as error:
            log.error("rules_not_renewed", error=type(error).__name__)
            return False
        finally:
            self._records.close()
        self._rules.adopt(library)
        self._tell_of_rules()
        return True

    def _tell_of_rules(self) -> None:
        state = self._rules.state
        metrics.rules_on_disk(state)
        if state is State.IN_FORCE:
            for pack in self._rules.in_force.packs.values():
                log.info("pack_in_force", drug=pack.id, version=pack.version, digest=pack.digest)
        elif state is State.WAITING:
            log.warning("rules_waiting")
        else:
            log.error("rules_refused", count=len(self._rules.mistakes))
            for mistake in self._rules.mistakes:
                log.error("rules_mistaken", reason=mistake[:_LONGEST_MISTAKE])

    def _deliver(self, worker: Worker) -> None:
        """Deliver webhooks in the worker itself; of a site of its own, `dosegate deliver` does."""
        parts = parts_of(worker.wsgi)
        courier = Courier(parts.store.records, parts.outbound, self._url, parts.clock, random.random)
        self._courier = threading.Thread(target=courier.run, args=(self._stop,), daemon=True)
        self._courier.start()

    def _stop_delivering(self, _arbiter: Arbiter, _worker: Worker) -> None:
        self._stop.set()
        if self._courier is not None:
            self._courier.join()

    def _say_ready(self, _arbiter: Arbiter) -> None:
        print(self._says, flush=True)
        log.info("serving", workers=self._workers)
        self._tell_of_rules()


class _Master(Arbiter):  # type: ignore[misc]
    """Gunicorn's master, which here also minds the rules on disk: it alone reads them."""

    in_terminal = os.isatty(_INPUT)

    def handle_hup(self) -> None:
        """Read the rules again; but the hangup of a terminal that was closed ends what was started in it."""
        if self.in_terminal and not os.isatty(_INPUT):
            self.handle_term()
        super().handle_hup()

    def manage_workers(self) -> None:
        """What is done every second."""
        super().manage_workers()
        self.app.look_at_rules()

    def reload(self) -> None:
        """Replace the workers, one as it is told to reload; but for rules that cannot be used."""
        if self.app.renew_rules():
            super().reload()


def _keep_signals(arbiter: Arbiter, worker: Worker) -> None:
    worker.kept = arbiter.SIG_QUEUE


def _address_of(host: str, *, only_loopback: bool) -> str:
    """The address that a host names."""
    name = host.strip("[]")
    try:
        address = ipaddress.ip_address("127.0.0.1" if name == "localhost" else name)
    except ValueError:
        _refuse(
            f"{host or 'An empty host'} is not an IP address; use 127.0.0.1, or one that this machine has."
        )
    if only_loopback and not address.is_loopback:
        _refuse(f"{host} can be reached by others; a demonstration listens on 127.0.0.1 only.")
    return str(address)


def _listener(host: str, port: int) -> socket.socket:
    """A socket bound to the address, so that a taken port is told at once and any free one is known."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            _refuse(f"Port {port} is in use on {host}; choose another one with --port.")
        _refuse(f"Cannot listen on {host}, port {port}: {error.strerror}.")
    return listener


def _refuse(message: str) -> NoReturn:
    print(message, file=sys.stderr)
    raise SystemExit(_BAD_INPUT)
