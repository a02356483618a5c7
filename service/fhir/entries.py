"""The resources of a Bundle, each with its place and name, in its newest version."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.fhir.reads import Line
from service.fhir.resources import Resource, code, id_of, moment, objects, text, type_of

_TYPES = (
    *("collection", "document", "searchset", "transaction", "batch"),
    *("transaction-response", "batch-response"),
)

Wrong = tuple[str, str]


class BadBundle(Exception):
    """A Bundle that is refused whole: what is wrong, each with its path. Nothing of the patient is in it."""

    def __init__(self, errors: Sequence[Wrong]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(f"{path}: {message}" for path, message in self.errors))


class OtherPatient(BadBundle):
    """A Bundle that holds something of another patient."""


@dataclass(frozen=True)
class Entry:
    """A resource, where it stands, how it is called and by which address it is referred to."""

    resource: Resource
    path: str
    name: str
    url: str | None

    @property
    def type(self) -> str:
        return type_of(self.resource) or ""


class Entries:
    """Reads entries, and gathers what is wrong with them and what of the answer is not there."""

    def __init__(self) -> None:
        self.errors: list[Wrong] = []
        self.gaps: list[Line] = []

    def of(self, bundle: Any, path: str, *, nested: bool = False) -> Iterator[Entry]:
        """Each resource of a Bundle, and of the Bundles in it."""
        if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
            self.errors.append((path, "must be a FHIR Bundle"))
            return
        if bundle.get("type") is not None and code(bundle["type"]) not in _TYPES:
            self.errors.append((f"{path}.type", f"must be one of {', '.join(_TYPES)}"))
            return
        if any(code(link.get("relation")) == "next" for link in objects(bundle.get("link"))):
            self._gap("Bundle", "has further pages that are not here")
        given = bundle.get("entry", [])
        if not isinstance(given, list | dict):
            self.errors.append((f"{path}.entry", "must be a list"))
            return
        for place, entry in enumerate(given if isinstance(given, list) else [given]):
            yield from self._entry(entry, f"{path}.entry[{place}]", place, nested=nested)

    def _entry(self, entry: Any, path: str, place: int, *, nested: bool) -> Iterator[Entry]:
        if not isinstance(entry, dict):
            self.errors.append((path, "must be an object with a resource"))
            return
        self._response(entry, place)
        resource, at = entry.get("resource"), f"{path}.resource"
        if resource is None or _deletes(entry):
            return
        type = type_of(resource) if isinstance(resource, dict) else None
        if type is None:
            self.errors.append((at, "must be a resource with its resourceType"))
        elif type == "Bundle" and nested:
            self.errors.append((at, "is a Bundle in a Bundle in a Bundle"))
        elif type == "Bundle":
            yield from self.of(resource, at, nested=True)
        elif type == "OperationOutcome":
            self._outcome(resource)
        else:
            name = id_of(resource)
            called = f"{type}/{name}" if name else f"{type} (entry {place + 1})"
            yield Entry(resource, at, called, text(entry.get("fullUrl")))

    def _response(self, entry: Resource, place: int) -> None:
        for response in objects(entry.get("response")):
            status = text(response.get("status")) or "2"
            if not status.startswith(("2", "304")):
                self._gap(f"entry {place + 1}", f"was answered with {status[:3]}")
            for outcome in objects(response.get("outcome")):
                self._outcome(outcome)

    def _outcome(self, outcome: Resource) -> None:
        if any(code(issue.get("severity")) in ("error", "fatal") for issue in objects(outcome.get("issue"))):
            self._gap("OperationOutcome", "says that something could not be searched")

    def _gap(self, resource: str, says: str) -> None:
        line = Line(resource, None, says, False)
        if line not in self.gaps:
            self.gaps.append(line)


def _deletes(entry: Resource) -> bool:
    return any(code(each.get("method")) == "delete" for each in objects(entry.get("request")))


def newest_of_each(entries: Sequence[Entry]) -> list[Entry]:
    """Each resource once, in its newest version. Raises BadBundle where that cannot be told."""
    found: dict[str, Entry] = {}
    for entry in entries:
        if id_of(entry.resource) is None:
            found[entry.path] = entry
            continue
        before = found.setdefault(entry.name, entry)
        if before is entry or _without_meta(before.resource) == _without_meta(entry.resource):
            continue
        newer = _newer(before, entry)
        if newer is None:
            said = "stands twice with different content, and no version says which is newer"
            raise BadBundle([(entry.path, said)])
        found[entry.name] = newer
    return list(found.values())


def _without_meta(resource: Resource) -> Resource:
    return {key: each for key, each in resource.items() if key != "meta"}


def _newer(one: Entry, other: Entry) -> Entry | None:
    for read in (_version, _updated):
        first, second = read(one.resource), read(other.resource)
        if first is not None and second is not None and first != second:
            return one if first > second else other
    return None


def _version(resource: Resource) -> float | None:
    said = next((text(each.get("versionId")) for each in objects(resource.get("meta"))), None)
    return float(said) if said is not None and said.isdecimal() and len(said) <= 15 else None


def _updated(resource: Resource) -> float | None:
    for meta in objects(resource.get("meta")):
        at = moment(meta.get("lastUpdated"))
        if at is not None and isinstance(at.at, datetime):
            return at.at.timestamp()
    return None
