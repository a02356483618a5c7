"""Whether a checklist could be answered and recorded now, part by part, in words that anybody may read."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import structlog
from sqlalchemy import select

from service.records import migrate
from service.records.database import StoreUnavailable
from service.records.site import SiteRecords
from service.records.tables import checklists, endpoints
from service.web.parts import parts
from service.webhooks.presence import present

# Each part, and the words for how it may be: the first is as it should be.
WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "database": ("up", "down"),
        "migrations": ("current", "not_current", "unknown"),
        "packs": ("loaded",),
        "chain": ("sound", "unusable", "unknown"),
        "worker": ("running", "missing", "not_needed", "unknown"),
    }
)
# Those without which nothing is answered; who waits for a webhook can be told later.
NEEDED = ("database", "migrations", "packs", "chain")

log: structlog.stdlib.BoundLogger = structlog.get_logger("dosegate")


@dataclass(frozen=True)
class Readiness:
    """How each part is. `retry_after` is in seconds, where what is wrong may heal by itself."""

    parts: Mapping[str, str]
    retry_after: int | None = None

    @property
    def lacking(self) -> dict[str, str]:
        """The parts that are needed, and are not as they should be."""
        return {name: word for name, word in self.parts.items() if name in NEEDED and word != WORDS[name][0]}


def readiness() -> Readiness:
    """How each part is now."""
    records, found = parts().store.records, {name: words[-1] for name, words in WORDS.items()}
    steps = (("database", _reads), ("migrations", _check_tables), ("chain", SiteRecords.prove))
    for part, step in steps:
        try:
            step(records)
        except StoreUnavailable as error:
            log.error("not_ready", part=part, reason=str(error))
            return Readiness({**found, part: WORDS[part][1]}, error.retry_after)
        found[part] = WORDS[part][0]
    return Readiness({**found, "worker": _worker(records)})


def _reads(records: SiteRecords) -> None:
    with records.reading() as connection:
        connection.execute(select(checklists.c.id).limit(1)).first()


def _check_tables(records: SiteRecords) -> None:
    with records.reading() as connection:
        migrate.check(*connection.execute(select(migrate.REVISION, migrate.OLDEST)).one())


def _worker(records: SiteRecords) -> str:
    """Whether somebody delivers webhooks, where somebody waits for any."""
    told = (
        endpoints.c.site == records.site,
        endpoints.c.removed_at.is_(None),
        endpoints.c.paused_at.is_(None),
    )
    try:
        with records.reading() as connection:
            if connection.execute(select(endpoints.c.id).where(*told).limit(1)).first() is None:
                return "not_needed"
            return "running" if present(connection, records.site, parts().clock()) else "missing"
    except StoreUnavailable as error:
        log.error("not_ready", part="worker", reason=str(error))
        return "unknown"
