"""Which versions of a drug's rules a site has used: when each came into force, and what was made with it.

A version is the files of a pack together with the site's policy: both decide what a checklist says.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Column, Connection, Table, func, select

from service.knowledge.library import POLICY, Library, library_from
from service.records.journal import Event
from service.records.site import SiteRecords
from service.records.stored import Basis
from service.records.tables import checklists, journal, knowledge, policies

_SHORT = 12
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
Pair = tuple[str, str]  # the digests of a pack's files and of a policy


class NoSuchVersion(Exception):
    """This site has used no version with this id for this drug, or its files are kept nowhere."""


@dataclass(frozen=True)
class Version:
    """The files of a pack and a policy, by their digests; `pack` is the digest that a checklist names.

    `since` is each time that it came into force, the first one first; empty where the journal tells of none,
    as when the checklists were made elsewhere. `kept` tells whether the files are there to be read.
    """

    knowledge: str
    policy: str
    pack: str | None
    number: str | None
    since: tuple[datetime, ...]
    made: int
    first: datetime | None
    last: datetime | None
    kept: bool

    @property
    def id(self) -> str:
        """A short name of it, for an address."""
        return version_id(self.knowledge, self.policy)


@dataclass
class _Found:
    pack: str | None = None
    number: str | None = None
    since: tuple[datetime, ...] = ()
    made: int = 0
    first: datetime | None = None
    last: datetime | None = None


def version_id(files: str, policy: str) -> str:
    """The short name of a version."""
    return "-".join(digest.removeprefix("sha256:")[:_SHORT] for digest in (files, policy))


def versions_of(records: SiteRecords, drug: str, now: Basis) -> list[Version]:
    """Every version of a drug's rules that this site has used, the newest first; `now` is in force.

    Raises StoreUnavailable.
    """
    found: dict[Pair, _Found] = {}
    with records.reading() as connection:
        for at, pair, loaded in _in_force(connection, records.site, drug):
            one = found.setdefault(pair, _Found())
            one.pack, one.number = loaded["digest"], loaded["version"]
            one.since = (*one.since, at)
        for pair, pack, made, first, last in _made(connection, records.site, drug):
            one = found.setdefault(pair, _Found())
            one.pack, one.made, one.first, one.last = one.pack or pack, made, first, last
        found.setdefault((now.knowledge, now.policy), _Found())
        kept = _kept(connection, found, now)
    made_of = [Version(*pair, **vars(one), kept=pair in kept) for pair, one in found.items()]
    return sorted(made_of, key=lambda each: _newest(each, now), reverse=True)


def basis_of(records: SiteRecords, version: Version, now: Basis) -> Basis:
    """The files of a version; those in force need not be kept yet. Raises NoSuchVersion, StoreUnavailable."""
    with records.reading() as connection:
        files = _text(connection, knowledge, knowledge.c.files, version.knowledge)
        policy = _text(connection, policies, policies.c.text, version.policy)
    kept = now.files if version.knowledge == now.knowledge else json.loads(files or "{}")
    said = now.policy_text if version.policy == now.policy else policy or ""
    found = Basis(kept, version.knowledge, said, version.policy)
    if not found.intact:
        raise NoSuchVersion
    return found


def library_of(basis: Basis) -> Library:
    """What these files say. Raises KnowledgeError where this version of the service cannot read them."""
    return library_from({**basis.files, POLICY: basis.policy_text})


def _text(connection: Connection, table: Table, column: Column[str], digest: str) -> str | None:
    wanted = select(column).where(table.c.digest == digest)
    found: str | None = connection.execute(wanted).scalar_one_or_none()
    return found


def _newest(version: Version, now: Basis) -> tuple[bool, datetime]:
    in_force = (version.knowledge, version.policy) == (now.knowledge, now.policy)
    return in_force, version.since[-1] if version.since else version.last or _LONG_AGO


def _in_force(
    connection: Connection, site: str, drug: str
) -> Iterator[tuple[datetime, Pair, dict[str, str]]]:
    """Each time that the pack or the policy changed: when, what was in force from then on, and its pack."""
    loaded, changed = Event.PACK_LOADED.value, Event.POLICY_CHANGED.value
    wanted = (
        select(journal.c.at, journal.c.event, journal.c.details)
        .where(journal.c.site == site, journal.c.event.in_((loaded, changed)))
        .where((journal.c.event == changed) | (journal.c.subject == drug))
        .order_by(journal.c.sequence)
    )
    # What one start enters has one time, and is in force together.
    moments: dict[datetime, tuple[Pair, dict[str, str]]] = {}
    policy, pack = None, None
    for at, event, details in connection.execute(wanted):
        policy, pack = (details["digest"], pack) if event == changed else (policy, details)
        if policy is not None and pack is not None:
            moments[at] = ((pack["knowledge"], policy), pack)
    before = None
    for at, (pair, details) in moments.items():
        if pair != before:
            yield at, pair, details
        before = pair


def _made(
    connection: Connection, site: str, drug: str
) -> Iterator[tuple[Pair, str, int, datetime, datetime]]:
    made = checklists.c.created_at
    wanted = (
        select(
            checklists.c.knowledge,
            checklists.c.policy,
            func.max(checklists.c.pack),
            func.count(),
            func.min(made),
            func.max(made),
        )
        .where(checklists.c.site == site, checklists.c.drug == drug)
        .group_by(checklists.c.knowledge, checklists.c.policy)
    )
    for files, policy, pack, count, first, last in connection.execute(wanted):
        yield (files, policy), pack, count, first, last


def _kept(connection: Connection, pairs: Iterable[Pair], now: Basis) -> set[Pair]:
    """Those whose files can be read."""

    def known(table: Table, digests: set[str]) -> set[str]:
        wanted = select(table.c.digest).where(table.c.digest.in_(digests))
        return set(connection.execute(wanted).scalars())

    files = known(knowledge, {pair[0] for pair in pairs}) | {now.knowledge}
    texts = known(policies, {pair[1] for pair in pairs}) | {now.policy}
    return {pair for pair in pairs if pair[0] in files and pair[1] in texts}
