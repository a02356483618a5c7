"""The store: every checklist of a site, and the journal entry of each time that one was made or read."""

import json
import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from service.records.database import StoreUnavailable, add_once
from service.records.journal import Act, Event, commitments_of
from service.records.prepared import Prepared, at_once
from service.records.site import SALT_BYTES, SiteRecords, Writing
from service.records.stored import Basis, Once, StoredChecklist
from service.records.tables import (
    checklists,
    contents,
    flagged,
    idempotency,
    knowledge,
    moment_text,
    policies,
)

_SHELL = tuple(
    checklists.c[name] for name in ("id", "created_at", "drug", "status", "pack", "actor", "supersedes")
)
_CONTENT = tuple(contents.c[name] for name in ("patient", "infusion_at", "request", "result", "trace"))
_newer = checklists.alias()
_SUPERSEDED_BY = (
    select(_newer.c.id).where(_newer.c.supersedes == checklists.c.id).scalar_subquery().label("superseded_by")
)
_SHELL_NAMES, _CONTENT_NAMES = (tuple(column.name for column in each) for each in (_SHELL, _CONTENT))
_ADD_SHELL, _ADD_CONTENT, _ADD_FLAG = (Prepared(insert(each)) for each in (checklists, contents, flagged))


_TRIES, _SOON = 3, 2


class NoSuchChecklist(Exception):
    """No checklist has this id."""


class KeyReused(Exception):
    """The idempotency key came before with another body."""


class PatientErased(Exception):
    """The checklist was made, and what it held of the patient has been erased."""


class CannotSupersede(Exception):
    """A checklist cannot correct the one it names; `reason` says why."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class _KeyTaken(Exception):
    """Another writer kept a checklist under the same key meanwhile."""


class Store:
    """The checklists of one site."""

    def __init__(self, records: SiteRecords) -> None:
        self.records = records
        self._bases: set[tuple[str, str]] = set()  # those that are known to be kept

    def add(
        self,
        checklist: StoredChecklist,
        basis: Basis,
        act: Act,
        once: Once | None = None,
        also: Callable[[Writing, StoredChecklist], None] | None = None,
    ) -> StoredChecklist:
        """Keep a checklist and all that it rests on, with its journal entry; the one that is kept.

        Where another one was kept under the same key meanwhile, it is that one. What `also` writes is part of
        the transaction that keeps it. Raises KeyReused, CannotSupersede, StoreUnavailable.
        """
        for _ in range(_TRIES):
            try:
                kept = self._added(checklist, basis, act, once, also)
            except _KeyTaken:
                continue  # what took it is there to be found now
            except StoreUnavailable:
                self._bases.clear()  # it may be another database that comes back
                raise
            self._bases.add((basis.knowledge, basis.policy))
            return kept
        raise StoreUnavailable("the idempotency key is taken, and by nothing that can be found", _SOON)

    def keep(
        self,
        writing: Writing,
        checklist: StoredChecklist,
        basis: Basis,
        act: Act,
        once: Once | None = None,
        *,
        further: Mapping[str, str] | None = None,
    ) -> None:
        """Keep a checklist in a transaction that is under way, with its journal entry.

        `further` is what the entry says beside the checklist. Raises CannotSupersede.
        """
        if checklist.supersedes is not None:
            self._may_supersede(writing, checklist)
        self.keep_basis(writing, basis)
        committed = self._keep(writing.connection, checklist, basis)
        if once is not None:
            key = {"site": self.records.site, "actor": act.actor, "checklist": checklist.id}
            if not add_once(writing.connection, idempotency, {**vars(once), **key}):
                raise _KeyTaken
        details = {
            "drug": checklist.drug,
            "status": checklist.status,
            "pack": checklist.pack,
            "knowledge": basis.knowledge,
            "policy": basis.policy,
            "evaluated_at": moment_text(checklist.created_at),
            "flags": sorted([*vars(flag).values()] for flag in checklist.flags),
            **({"supersedes": checklist.supersedes} if checklist.supersedes else {}),
            **(further or {}),
        }
        writing.enter(act, Event.CHECKLIST_MADE, checklist.id, details, committed)

    def keep_basis(self, writing: Writing, basis: Basis) -> None:
        """Keep what checklists rest on, where it is not kept yet.

        A transaction that is to be alone before it keeps a checklist does this first: of two that keep a new
        basis one waits for the other, and must not hold the chain meanwhile.
        """
        if (basis.knowledge, basis.policy) not in self._bases:
            _keep_basis(writing.connection, basis)

    def _added(
        self,
        checklist: StoredChecklist,
        basis: Basis,
        act: Act,
        once: Once | None,
        also: Callable[[Writing, StoredChecklist], None] | None,
    ) -> StoredChecklist:
        with self.records.writing() as writing:
            if once is not None and (first := self._first(writing.connection, once, act)) is not None:
                self._viewed(writing, act, first)
                return first
            self.keep(writing, checklist, basis, act, once)
            if also is not None:
                also(writing, checklist)
        return checklist

    def get(self, id: str) -> StoredChecklist:
        """The checklist with this id, for the service's own use: whoever is shown it is entered elsewhere.

        Raises NoSuchChecklist, PatientErased, StoreUnavailable.
        """
        with self.records.reading() as connection:
            return self._found(connection, id)

    def read(self, id: str, act: Act, event: Event = Event.CHECKLIST_VIEWED) -> StoredChecklist:
        """The checklist with this id, for somebody to see; entered as such.

        Raises NoSuchChecklist, PatientErased, StoreUnavailable.
        """
        with self.records.writing() as writing:
            found = self._found(writing.connection, id)
            writing.enter(act, event, found.id)
        return found

    def by_key(self, once: Once, act: Act) -> StoredChecklist | None:
        """The checklist that this caller made under this key, if any. Raises KeyReused, StoreUnavailable."""
        with self.records.reading() as connection:
            first = self._first(connection, once, act)
        if first is not None:
            with self.records.writing() as writing:
                self._viewed(writing, act, first)
        return first

    def basis(self, id: str) -> Basis:
        """The files and the policy of a checklist. Raises NoSuchChecklist, StoreUnavailable."""
        wanted = (
            select(knowledge.c.files, knowledge.c.digest, policies.c.text, policies.c.digest.label("policy"))
            .select_from(checklists)
            .join(knowledge, knowledge.c.digest == checklists.c.knowledge)
            .join(policies, policies.c.digest == checklists.c.policy)
            .where(checklists.c.id == valid_id(id), checklists.c.site == self.records.site)
        )
        with self.records.reading() as connection:
            row = connection.execute(wanted).first()
        if row is None:
            raise NoSuchChecklist
        return Basis(json.loads(row.files), row.digest, row.text, row.policy)

    def _keep(self, connection: Connection, checklist: StoredChecklist, basis: Basis) -> dict[str, str]:
        """Insert the rows of a checklist; the commitments to what may be erased."""
        shell = {name: getattr(checklist, name) for name in _SHELL_NAMES}
        shell |= {"id": valid_id(checklist.id), "site": self.records.site}
        shell |= {"knowledge": basis.knowledge, "policy": basis.policy}
        salt = secrets.token_bytes(SALT_BYTES)
        content = {name: getattr(checklist, name) for name in _CONTENT_NAMES}
        content["infusion_utc"] = datetime.fromisoformat(checklist.infusion_at)
        row = {"checklist": checklist.id, "site": self.records.site, "salt": salt, **content}
        with at_once(connection):
            _ADD_SHELL.run(connection, shell)
            _ADD_CONTENT.run(connection, row)
            for flag in checklist.flags:
                _ADD_FLAG.run(connection, {"checklist": checklist.id, **vars(flag)})
        return commitments_of(salt, parts_of(content))

    def _may_supersede(self, writing: Writing, checklist: StoredChecklist) -> None:
        writing.alone()
        try:
            corrected = self._found(writing.connection, checklist.supersedes or "")
        except (NoSuchChecklist, PatientErased):
            raise CannotSupersede("no checklist with this id is recorded here") from None
        if (corrected.patient, corrected.drug) != (checklist.patient, checklist.drug):
            raise CannotSupersede("is a checklist of another patient or drug")
        if corrected.superseded_by is not None:
            raise CannotSupersede(f"is superseded already, by {corrected.superseded_by}")

    def _found(self, connection: Connection, id: str) -> StoredChecklist:
        wanted = (
            select(*_SHELL, *_CONTENT, _SUPERSEDED_BY)
            .join(contents, contents.c.checklist == checklists.c.id, isouter=True)
            .where(checklists.c.id == valid_id(id), checklists.c.site == self.records.site)
        )
        row: Any = connection.execute(wanted).first()
        if row is None:
            raise NoSuchChecklist
        return replace(stored(row), superseded_by=row.superseded_by)

    def _first(self, connection: Connection, once: Once, act: Act) -> StoredChecklist | None:
        wanted = (
            select(idempotency.c.body, *_SHELL, *_CONTENT)
            .join(checklists, checklists.c.id == idempotency.c.checklist)
            .join(contents, contents.c.checklist == checklists.c.id)
            .where(
                idempotency.c.site == self.records.site,
                idempotency.c.actor == act.actor,
                idempotency.c.key == once.key,
            )
        )
        row = connection.execute(wanted).first()
        if row is not None and row.body != once.body:
            raise KeyReused
        return stored(row) if row is not None else None

    def _viewed(self, writing: Writing, act: Act, checklist: StoredChecklist) -> None:
        writing.enter(act, Event.CHECKLIST_VIEWED, checklist.id, {"repeated": True})


def stored(row: Row[Any]) -> StoredChecklist:
    """The checklist of a joined row. Raises PatientErased where only its shell is left."""
    if row.patient is None:
        raise PatientErased
    fields = {column.name: getattr(row, column.name) for column in (*_SHELL, *_CONTENT)}
    return StoredChecklist(**fields)


def parts_of(content: Any) -> dict[str, bytes]:
    """What a journal entry commits to of a checklist, by name; `content` maps the columns of `contents`."""
    return {
        "patient": content["patient"].encode(),
        "infusion_at": content["infusion_at"].encode(),
        "infusion_utc": moment_text(content["infusion_utc"]).encode(),
        "request": bytes(content["request"]),
        "result": bytes(content["result"]),
        "trace": bytes(content["trace"]),
    }


def valid_id(id: str) -> str:
    """The id as it is written in the tables. Raises NoSuchChecklist where it cannot be one."""
    try:
        return str(uuid.UUID(id))
    except ValueError:
        raise NoSuchChecklist from None


def _keep_basis(connection: Connection, basis: Basis) -> None:
    if (
        connection.execute(select(knowledge.c.digest).where(knowledge.c.digest == basis.knowledge)).first()
        is None
    ):
        files = json.dumps(dict(basis.files), sort_keys=True)
        add_once(connection, knowledge, {"digest": basis.knowledge, "files": files})
    if connection.execute(select(policies.c.digest).where(policies.c.digest == basis.policy)).first() is None:
        add_once(connection, policies, {"digest": basis.policy, "text": basis.policy_text})
