"""Making a checklist: a request is evaluated and kept. The one way, whoever asks and however it came in."""

import time
import uuid
from collections.abc import Callable, Mapping
from typing import Protocol

import structlog
from structlog.contextvars import bind_contextvars, get_contextvars

from service import tracing
from service.intake.answers import answer_to
from service.intake.errors import AnothersBundle
from service.knowledge.library import Library
from service.records.journal import Act, Event
from service.records.site import Writing
from service.records.store import Store
from service.records.stored import Basis, Once, StoredChecklist

log: structlog.stdlib.BoundLogger = structlog.get_logger("dosegate")

Also = Callable[[Writing, StoredChecklist], None]


class Counters(Protocol):
    """What is told of each evaluation."""

    def checklist(self, drug: str, status: str, seconds: float, *, fault: bool) -> None:
        """Count one, and the time it took; `fault` where the engine failed."""

    def repeated(self) -> None:
        """Count one that was answered again, since its idempotency key came again."""


class Making:
    """Makes the checklists of one site with the packs of one library."""

    def __init__(
        self, library: Library, bases: Mapping[str, Basis], store: Store, counters: Counters
    ) -> None:
        self.library, self.store = library, store
        self._bases, self._counters = bases, counters

    def make(
        self, body: bytes, act: Act, once: Once | None = None, also: Also | None = None
    ) -> tuple[StoredChecklist, bool]:
        """The checklist for a request as received, kept; and whether it is new.

        It is not where one was kept under the same key before: then it is that one. `also` writes what
        belongs to a new one in the transaction that keeps it. Raises BadInput naming every bad field,
        KeyReused, CannotSupersede, StoreUnavailable.
        """
        if once is not None and (first := self.store.by_key(once, act)) is not None:
            self._counters.repeated()
            return first, False
        checklist = self.evaluated(body, act)
        kept = self.store.add(checklist, self._bases[checklist.drug], act, once, also)
        return kept, kept.id == checklist.id

    def evaluated(self, body: bytes, act: Act) -> StoredChecklist:
        """The checklist for a request as received, not kept yet. Raises BadInput.

        That a bundle held something of another patient is entered, without a word of who that is.
        """
        id, site, started = str(uuid.uuid4()), self.store.records.site, time.perf_counter()
        try:
            with tracing.span("evaluation"):
                answered = answer_to(body, self.library, id=id, evaluated_at=act.at, site=site)
        except AnothersBundle as other:
            details = {"paths": [error.path for error in other.errors]}
            self.store.records.enter(act, Event.OTHER_PATIENT_REFUSED, act.actor, details)
            raise
        seconds = time.perf_counter() - started
        checklist, drug = answered.checklist, answered.request.pack.id
        fault = checklist.trace.fault
        self._counters.checklist(drug, checklist.status.word, seconds, fault=fault is not None)
        _tell(drug, checklist.status.word)
        if fault is not None:
            log.error("checklist_held_by_fault", request=act.request, checklist=id, reason=fault)
        return StoredChecklist.of(answered, body, at=act.at, actor=act.actor)

    def keep_basis(self, writing: Writing, checklist: StoredChecklist) -> None:
        """Keep what a checklist rests on, before a transaction is alone."""
        self.store.keep_basis(writing, self._bases[checklist.drug])

    def keep(
        self,
        writing: Writing,
        checklist: StoredChecklist,
        act: Act,
        further: Mapping[str, str] | None = None,
    ) -> None:
        """Keep one that was evaluated, in a transaction of the caller's; `further` goes into its entry.

        Raises CannotSupersede.
        """
        self.store.keep(writing, checklist, self._bases[checklist.drug], act, further=further)


def _tell(drug: str, status: str) -> None:
    """Let the line that is logged of the request say so; an EHR asks about several orders in one."""
    told = get_contextvars()
    if "request" in told:
        bind_contextvars(checklists=[*told.get("checklists", ()), f"{drug} {status}"])
