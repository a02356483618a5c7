"""Counters for Prometheus. They hold names of ours only: routes, methods, statuses and drugs."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from threading import Lock

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
Labels = tuple[tuple[str, str], ...]


class Metrics:
    """The counters of one worker process. Each series names its worker, because each counts on its own."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._requests: Counter[Labels] = Counter()
        self._checklists: Counter[Labels] = Counter()
        self._other_orders: Counter[Labels] = Counter()
        self._faults = 0
        self._seconds, self._evaluations = 0.0, 0

    def request(self, endpoint: str, method: str, status: int) -> None:
        """Count an answered request; `endpoint` is its route, never its address."""
        known = method if method in _METHODS else "other"
        with self._lock:
            self._requests[(("endpoint", endpoint), ("method", known), ("status", str(status)))] += 1

    def checklist(self, drug: str, status: str, seconds: float, *, fault: bool) -> None:
        """Count an evaluated checklist and the time it took; `fault` where the engine failed."""
        with self._lock:
            self._checklists[(("drug", drug), ("status", status))] += 1
            self._seconds += seconds
            self._evaluations += 1
            self._faults += fault

    def order_without_pack(self, hook: str) -> None:
        """Count an order of a drug without rules here, by the hook on which it came; never by its name."""
        with self._lock:
            self._other_orders[(("hook", hook),)] += 1

    def text(self) -> str:
        """All of it in the Prometheus text format."""
        with self._lock:
            return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield from _family("http_requests_total", "counter", "Answered requests.", self._requests.items())
        yield from _family("checklists_total", "counter", "Evaluated checklists.", self._checklists.items())
        other = self._other_orders.items()
        yield from _family(
            "orders_without_pack_total", "counter", "Orders of drugs without rules here.", other
        )
        faults = [((), self._faults)]
        yield from _family("engine_faults_total", "counter", "Checklists held by a fault of ours.", faults)
        yield from _family(
            "evaluation_seconds", "summary", "Time from a request's body to its checklist.", ()
        )
        yield _sample("evaluation_seconds_sum", (), round(self._seconds, 6))
        yield _sample("evaluation_seconds_count", (), self._evaluations)


def _family(name: str, kind: str, help: str, samples: Iterable[tuple[Labels, float]]) -> Iterator[str]:
    yield f"# HELP dosegate_{name} {help}"
    yield f"# TYPE dosegate_{name} {kind}"
    for labels, value in sorted(samples):
        yield _sample(name, labels, value)


def _sample(name: str, labels: Labels, value: float) -> str:
    # No label value can hold a quote or a backslash: they are routes, methods, numbers and pack ids.
    said = ",".join(f'{label}="{each}"' for label, each in (*labels, ("worker", str(os.getpid()))))
    return f"dosegate_{name}{{{said}}} {value}"
