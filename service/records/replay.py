"""Replay: the stored request answered again, under the stored pack and policy, and compared byte for byte."""

import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any, Protocol

from service.knowledge.library import POLICY, Library, library_from
from service.knowledge.problems import KnowledgeError
from service.records.canonical import canonical
from service.records.journal import Act, Event
from service.records.store import Store
from service.records.stored import Basis, StoredChecklist

_MOST_LIBRARIES = 8


class CannotReplay(Exception):
    """The stored files cannot be used; the message says why."""


class Answers(Protocol):
    """What answers a request: the same function that made the stored answer."""

    def __call__(
        self, body: bytes, library: Library, *, id: str, evaluated_at: datetime, site: str
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The result and the trace as documents."""
        ...


@dataclass(frozen=True)
class Difference:
    """The first place where two documents differ; None is what is not there."""

    path: str
    stored: Any
    replayed: Any


class Replayer:
    """Replays checklists; keeps the last few rebuilt libraries."""

    def __init__(self, store: Store, answers: Answers) -> None:
        self._store, self._answers = store, answers
        self._libraries: OrderedDict[tuple[str, str], Library] = OrderedDict()
        self._lock = Lock()

    def replay(self, id: str, act: Act) -> dict[str, Any]:
        """Whether the stored checklist comes out the same again, and where it first differs; entered as such.

        Raises NoSuchChecklist, PatientErased, StoreUnavailable, and CannotReplay where the stored files are
        not those that were recorded, or this version cannot read them or the stored request.
        """
        entry, basis = self._stored(id)
        # One replay at a time: a library that another one drops would lose its engines.
        with self._lock:
            library = self._library(basis)
            try:
                result, trace = self._answers(
                    entry.request,
                    library,
                    id=entry.id,
                    evaluated_at=entry.created_at,
                    site=self._store.records.site,
                )
            except Exception as error:  # whatever refuses a request that was once accepted
                what = f"the stored request is refused by this version ({type(error).__name__})"
                raise CannotReplay(what) from None
        report = _report(entry, basis, canonical(result), canonical(trace))
        details = {"identical": report["identical"]}
        self._store.records.enter(act, Event.CHECKLIST_REPLAYED, entry.id, details)
        return report

    def _stored(self, id: str) -> tuple[StoredChecklist, Basis]:
        try:
            entry, basis = self._store.get(id), self._store.basis(id)
        except ValueError:
            raise CannotReplay("the stored record is damaged") from None
        if not basis.intact:
            raise CannotReplay("the stored files of the pack or the policy are not those that were recorded")
        return entry, basis

    def _library(self, basis: Basis) -> Library:
        name = (basis.knowledge, basis.policy)
        if name not in self._libraries:
            try:
                self._libraries[name] = library_from({**basis.files, POLICY: basis.policy_text})
            except KnowledgeError:
                raise CannotReplay("this version cannot read the stored files of the pack") from None
        self._libraries.move_to_end(name)
        if len(self._libraries) > _MOST_LIBRARIES:
            _, oldest = self._libraries.popitem(last=False)
            for engine in oldest.engines.values():
                engine.close()
        return self._libraries[name]


def _report(entry: StoredChecklist, basis: Basis, result: bytes, trace: bytes) -> dict[str, Any]:
    same = {"result": entry.result == result, "trace": entry.trace == trace}
    difference = None
    for part, stored, replayed in (("result", entry.result, result), ("trace", entry.trace, trace)):
        if not same[part]:
            difference = {"in": part, **vars(first_difference(stored, replayed))}
            break
    return {
        "id": entry.id,
        "identical": all(same.values()),
        "result_identical": same["result"],
        "trace_identical": same["trace"],
        "first_difference": difference,
        "pack": entry.pack,
        "policy": basis.policy,
    }


def first_difference(stored: bytes, replayed: bytes) -> Difference:
    """Where two documents of different bytes first differ."""
    try:
        before = json.loads(stored)
    except ValueError:
        return Difference("", "not a JSON document", "a JSON document")
    found = next(_differences(before, json.loads(replayed), ""), None)
    return found or Difference("", "the same values in other bytes", "canonical JSON")


def _differences(stored: Any, replayed: Any, path: str) -> Iterator[Difference]:
    if isinstance(stored, Mapping) and isinstance(replayed, Mapping):
        for key in sorted({*stored, *replayed}):
            inner = f"{path}.{key}" if path else str(key)
            if key in stored and key in replayed:
                yield from _differences(stored[key], replayed[key], inner)
            else:
                yield Difference(inner, stored.get(key), replayed.get(key))
    elif isinstance(stored, list) and isinstance(replayed, list):
        for place, (before, after) in enumerate(zip(stored, replayed, strict=False)):
            yield from _differences(before, after, f"{path}[{place}]")
        for place in range(len(replayed), len(stored)):
            yield Difference(f"{path}[{place}]", stored[place], None)
        for place in range(len(stored), len(replayed)):
            yield Difference(f"{path}[{place}]", None, replayed[place])
    elif type(stored) is not type(replayed) or stored != replayed:
        yield Difference(path, stored, replayed)
