"""`dosegate serve`: gunicorn with sync workers, on this machine only: it does not speak TLS."""

import errno
import ipaddress
import socket
import sys
from typing import NoReturn

from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]

from service.access.accounts import Accounts
from service.app import create_app, library_of, load_engines, now, opened
from service.checklist.engine import EngineFault
from service.knowledge.library import Library
from service.knowledge.problems import KnowledgeError
from service.records.database import StoreUnavailable
from service.records.signing import BadKeyFile
from service.records.site import SiteRecords
from service.settings import Settings

_BAD_INPUT = 2
_WHY = "loopback only: a proxy that speaks TLS lets others in"
_BEGIN = "Nobody has an account yet. Make the first one: dosegate users add NAME --role admin"


def serve(host: str, port: int, workers: int, settings: Settings) -> None:
    """Serve until told to stop. Exits with status 2 and one clear error where it cannot start.

    Port 0 takes any free port; the line printed at the start names it.
    """
    address = _loopback(host)
    try:
        library = library_of(settings)
        load_engines(library)
        records = opened(settings, library, now())
        begun = bool(Accounts(records).all())
        records.close()  # each worker makes connections of its own: none may cross a fork
    except (KnowledgeError, EngineFault, StoreUnavailable, BadKeyFile) as error:
        _refuse(str(error))
    _Server(_listener(address, port), workers, settings, library, records, begun=begun).run()


class _Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn, set up here rather than by its own command line and environment."""

    def __init__(
        self,
        listener: socket.socket,
        workers: int,
        settings: Settings,
        library: Library,
        records: SiteRecords,
        *,
        begun: bool,
    ) -> None:
        self._begun = begun
        self._address = _address(listener)
        self._listener, self._workers = listener.detach(), workers
        self._settings, self._library, self._records = settings, library, records
        super().__init__()

    def load_config(self) -> None:
        """Sync workers, because the rules engine is not proof against threads; no log of what is asked."""
        settings = {
            "bind": f"fd://{self._listener}",
            "workers": self._workers,
            "worker_class": "service.worker.Worker",
            "preload_app": False,
            "accesslog": None,
            "loglevel": "error",
            "control_socket_disable": True,
            "when_ready": self._say_ready,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application of one worker. All serve the rules that were read at the start.

        Nothing is asked of the database here: gunicorn ends where a worker cannot start.
        """
        return create_app(self._settings, self._library, records=self._records)

    def _say_ready(self, _arbiter: Arbiter) -> None:
        print(f"Listening on {self._address} ({_WHY})", flush=True)
        if not self._begun:
            print(_BEGIN, flush=True)


def _loopback(host: str) -> str:
    """The loopback address that a host names."""
    name = host.strip("[]")
    try:
        address = ipaddress.ip_address("127.0.0.1" if name == "localhost" else name)
    except ValueError:
        address = None
    if address is None or not address.is_loopback:
        _refuse(f"{host} is not an address of this machine alone; use 127.0.0.1 ({_WHY}).")
    return str(address)


def _listener(host: str, port: int) -> socket.socket:
    """A socket bound to the address, so that a taken port is told at once and any free one is known."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            _refuse(f"Port {port} is in use on {host}; choose another one with --port.")
        _refuse(f"Cannot listen on {host}, port {port}: {error.strerror}.")
    return listener


def _address(listener: socket.socket) -> str:
    host, port, *_ = listener.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _refuse(message: str) -> NoReturn:
    print(message, file=sys.stderr)
    raise SystemExit(_BAD_INPUT)
