"""What is found out anew each time that Prometheus asks: the records' own figures, and what is in force."""

import platform
from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import version

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily

from service.records.database import StoreUnavailable
from service.web.parts import parts
from service.web.readiness import readiness
from service.webhooks.figures import Figures, figures

_DIGEST = 12  # characters that tell the digest of one pack from that of another


def families() -> Iterator[Metric]:
    """All of them. Where the records do not answer, those that are read there are left out."""
    build = {"version": version("dosegate"), "python": platform.python_version()}
    yield InfoMetricFamily("dosegate_build", "The version that serves.", value=build)
    packs = InfoMetricFamily("dosegate_pack", "The packs in force.", labels=("drug", "version", "digest"))
    for pack in parts().library.packs.values():
        digest = pack.digest.removeprefix("sha256:")[:_DIGEST]
        packs.add_metric((pack.id, pack.version, digest), {})
    yield packs
    ready = readiness()
    yield _one("ready", "Whether a checklist could be answered and recorded.", not ready.lacking)
    try:
        found = figures(parts().store.records, parts().clock())
    except StoreUnavailable:
        yield _one("database_up", "Whether the records answer.", False)
        return
    yield _one("database_up", "Whether the records answer.", True)
    yield from _of_records(found, parts().clock())


def _of_records(found: Figures, now: datetime) -> Iterator[Metric]:
    yield _one("journal_entries", "The number of the last entry of the journal.", found.entries)
    yield _one("journal_head_age_seconds", "Time since the last entry.", _age(found.head_at, now))
    if found.checkpoint_at is not None:
        age = _age(found.checkpoint_at, now)
        yield _one("journal_checkpoint_age_seconds", "Time since the last checkpoint.", age)
    deliveries = _by("deliveries", "Webhooks that wait or were given up.", "state")
    deliveries.add_metric(("waiting",), found.waiting)
    deliveries.add_metric(("dead",), found.dead)
    yield deliveries
    waited = 0.0 if found.waiting_since is None else _age(found.waiting_since, now)
    yield _one("delivery_queue_age_seconds", "Time since the oldest event not yet told.", waited)
    endpoints = _by("endpoints", "Endpoints of webhooks.", "state")
    endpoints.add_metric(("told",), found.told)
    endpoints.add_metric(("paused",), found.paused)
    yield endpoints
    yield _one("couriers", "Processes that deliver webhooks.", found.couriers)


def _age(at: datetime, now: datetime) -> float:
    return max((now - at).total_seconds(), 0.0)


def _one(name: str, help: str, value: float) -> Metric:
    return GaugeMetricFamily(f"dosegate_{name}", help, value=value)


def _by(name: str, help: str, label: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"dosegate_{name}", help, labels=(label,))
