"""What is counted for Prometheus. Labels hold names of ours only: routes, methods, statuses, drugs, hooks.

Each worker counts in memory of its own; where several serve together they count in files of one folder, so
that one answer counts for all of them.
"""

import atexit
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable
from functools import cache, partial
from pathlib import Path

import prometheus_client
from prometheus_client import CollectorRegistry, Metric, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from service.knowledge.on_disk import State

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"
_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_OF_A_REQUEST = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # seconds
_OF_AN_EVALUATION = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1)

prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]


def prepare_folder(place: str | None = None) -> None:
    """Let the processes that this one forks from now on count together; call it before they begin.

    They count in files of a new folder, in `place` if it is given, which is removed when this process ends.
    A process that takes the place of one that ended goes on counting where that one stopped. The files are
    mapped into memory: on a disk that is full, the kernel ends whoever counts.
    """
    folder = Path(tempfile.mkdtemp(prefix="dosegate-metrics-", dir=place))
    os.environ[_FOLDER] = str(folder)
    values.ValueClass = values.MultiProcessValue(_Place(folder))  # type: ignore[no-untyped-call]
    atexit.register(_remove, folder, os.getpid())


def rules_on_disk(state: State) -> None:
    """Say how the rules on disk are. For the process that forks the workers: it says so for all of them."""
    for each in State:
        _rules_on_disk().labels(each).set(each is state)


@cache
def _rules_on_disk() -> prometheus_client.Gauge:
    return prometheus_client.Gauge(
        "dosegate_rules_on_disk",
        "1 for what the rules on disk are: in force, good and waiting for a reload, or refused.",
        ("state",),
        registry=None,
        multiprocess_mode="mostrecent",
    )


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # a process that was forked inherits what is done at the end
        shutil.rmtree(folder, ignore_errors=True)


class _Place:
    """The number that a process counts under: the lowest that no living process has.

    A lock holds it, and ends with the process however that ends: so there are never more files than there
    were processes at once.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._process, self._number = folder, 0, 0

    def __call__(self) -> int:
        if self._process != os.getpid():
            self._number, self._process = self._taken(), os.getpid()
        return self._number

    def _taken(self) -> int:
        number = 0
        while True:
            self._lock = (self._folder / f"{number}.lock").open("w")
            try:
                fcntl.lockf(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                self._lock.close()
                number += 1
            else:
                return number


class _Said(Collector):
    """Families that were found out for one answer."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


class Metrics:
    """The counters of one worker process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        counter = partial(prometheus_client.Counter, namespace="dosegate", registry=self._registry)
        histogram = partial(prometheus_client.Histogram, namespace="dosegate", registry=self._registry)
        asked = ("endpoint", "method")
        self._requests = counter("http_requests", "Answered requests.", (*asked, "status"))
        self._request_seconds = histogram(
            "http_request_seconds", "Time from a request to its answer.", asked, buckets=_OF_A_REQUEST
        )
        self._limited = counter("rate_limited", "Requests refused because too many came.", ("endpoint",))
        self._checklists = counter("checklists", "Evaluated checklists.", ("drug", "status"))
        self._repeated = counter("checklists_repeated", "Checklists answered again under their key.")
        self._other_orders = counter("orders_without_pack", "Orders of drugs without rules here.", ("hook",))
        self._faults = counter("engine_faults", "Checklists held by a fault of ours.")
        self._seconds = histogram(
            "evaluation_seconds", "Time from a request's body to its checklist.", buckets=_OF_AN_EVALUATION
        )
        counter("workers_begun", "Worker processes that have begun.").inc()

    def request(self, endpoint: str, method: str, status: int, seconds: float) -> None:
        """Count an answered request and the time it took; `endpoint` is its route, never its address."""
        known = method if method in METHODS else OTHER
        self._requests.labels(endpoint, known, str(status)).inc()
        self._request_seconds.labels(endpoint, known).observe(seconds)

    def limited(self, endpoint: str) -> None:
        """Count a request that was refused because too many came; `endpoint` is its route."""
        self._limited.labels(endpoint).inc()

    def checklist(self, drug: str, status: str, seconds: float, *, fault: bool) -> None:
        """Count an evaluated checklist and the time it took; `fault` where the engine failed."""
        self._checklists.labels(drug, status).inc()
        self._seconds.observe(seconds)
        self._faults.inc(fault)

    def repeated(self) -> None:
        """Count a checklist that was answered again, since its idempotency key came again."""
        self._repeated.inc()

    def order_without_pack(self, hook: str) -> None:
        """Count an order of a drug without rules here, by the hook on which it came; never by its name."""
        self._other_orders.labels(hook).inc()

    def text(self, families: Iterable[Metric] = ()) -> str:
        """All that was counted, by all workers, and these families, in the Prometheus text format."""
        counted = self._registry
        if _FOLDER in os.environ:
            counted = CollectorRegistry()
            MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
        found = CollectorRegistry()
        found.register(_Said(families))
        return (generate_latest(counted) + generate_latest(found)).decode()
