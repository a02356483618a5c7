"""From a Bundle to the resources of one patient, or to what is wrong with it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.fhir.identity import NOBODY, OTHER, UNTOLD, Whose
from service.fhir.reads import Line
from service.fhir.resources import (
    Resource,
    code,
    id_of,
    moment,
    objects,
    plain_codes,
    reference,
    target,
    text,
    type_of,
)

MOST_ENTRIES = 5_000
COMPLETE, INCOMPLETE, FAILED = "complete", "incomplete", "failed"
STATES = (COMPLETE, INCOMPLETE, FAILED)
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


@dataclass(frozen=True, eq=False)
class Chart:
    """The resources of one patient.

    What was entered in error is left out and has a line, but for observations: of those it is said where they
    are read. `searched` says of each search that was made whether its answer is whole.
    """

    patient: Resource | None
    searched: Mapping[str, str]
    lines: tuple[Line, ...]
    _by_type: Mapping[str, Sequence[Resource]]
    _targets: Mapping[str, Resource]
    _names: Mapping[int, str]
    _containers: Mapping[int, Resource]

    @property
    def patient_id(self) -> str | None:
        """The id of the Patient, where there is one."""
        return id_of(self.patient) if self.patient is not None else None

    def of_type(self, type: str) -> list[Resource]:
        """The resources of a type, in an order of their own; contained ones are not among them."""
        return list(self._by_type.get(type, ()))

    def name(self, resource: Resource) -> str:
        """What a resource is called: `Observation/31`, `DiagnosticReport/4#x`, `Observation (entry 7)`."""
        return self._names.get(id(resource)) or type_of(resource) or "a resource"

    def contained(self, resource: Resource) -> list[Resource]:
        """What a resource contains."""
        return objects(resource.get("contained"))

    def resolve(self, referred: Any, inside: Resource) -> Resource | None:
        """The resource that a Reference inside another one refers to; None where it is not here."""
        written = reference(referred)
        if written is None:
            return None
        if written.startswith("#"):
            around = self._containers.get(id(inside), inside)
            return next((each for each in self.contained(around) if each.get("id") == written[1:]), None)
        written = written.split("/_history/", maxsplit=1)[0]
        if written in self._targets:
            return self._targets[written]
        found = target(written)
        return self._targets.get("/".join(found)) if found is not None else None


@dataclass(frozen=True)
class _Entry:
    """A resource, where it stands, how it is called and by which address it is referred to."""

    resource: Resource
    path: str
    name: str
    url: str | None

    @property
    def type(self) -> str:
        return type_of(self.resource) or ""


def read_chart(bundle: Any, *, patient: str | None, searched: Mapping[str, str]) -> Chart:
    """The chart of the patient whose resources these are.

    `patient` is the id of the patient, or an identifier, where it is known otherwise; it is needed where the
    Bundle has no Patient. Raises BadBundle, OtherPatient.
    """
    reader = _Reader()
    entries = list(reader.entries(bundle, "bundle"))
    if len(entries) > MOST_ENTRIES:
        raise BadBundle([("bundle.entry", f"holds more than {MOST_ENTRIES:,} resources")])
    if reader.errors:
        raise BadBundle(reader.errors)
    try:
        entries = _newest_of_each(entries)
    except RecursionError:  # two versions of one resource, compared to the bottom
        raise BadBundle([("bundle", "is nested too deeply")]) from None
    found = [each for each in entries if each.type == "Patient"]
    if len(found) > 1:
        raise OtherPatient(
            [(each.path, "is a second Patient: send one patient's Bundle") for each in found[1:]]
        )
    if not found and patient is None:
        raise BadBundle([("bundle", "has no Patient, and patient.id is missing")])
    nobodys = _check_one_patient(entries, found[0] if found else None, patient)
    kept: list[_Entry] = []
    gone: list[Line] = []
    for entry in entries:
        why = "entered in error" if _in_error(entry.resource) else nobodys.get(entry.path)
        if why is None:
            kept.append(entry)
        else:
            gone.append(Line(entry.name, None, f"{why}, left out", True))
    whole = not reader.gaps
    return Chart(
        patient=found[0].resource if found else None,
        searched={
            name: state if whole or state == FAILED else INCOMPLETE for name, state in searched.items()
        },
        lines=(*reader.gaps, *sorted(gone, key=lambda line: line.resource)),
        **_indexed(kept),
    )


class _Reader:
    """Reads entries, and gathers what is wrong with them and what of the answer is not there."""

    def __init__(self) -> None:
        self.errors: list[Wrong] = []
        self.gaps: list[Line] = []

    def entries(self, bundle: Any, path: str, *, nested: bool = False) -> Iterator[_Entry]:
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

    def _entry(self, entry: Any, path: str, place: int, *, nested: bool) -> Iterator[_Entry]:
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
            yield from self.entries(resource, at, nested=True)
        elif type == "OperationOutcome":
            self._outcome(resource)
        else:
            name = id_of(resource)
            called = f"{type}/{name}" if name else f"{type} (entry {place + 1})"
            yield _Entry(resource, at, called, text(entry.get("fullUrl")))

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


def _in_error(resource: Resource) -> bool:
    if type_of(resource) == "Observation":
        return False
    status = plain_codes(resource.get("verificationStatus")) | {code(resource.get("status"))}
    return "entered-in-error" in status


def _newest_of_each(entries: Sequence[_Entry]) -> list[_Entry]:
    """Each resource once, in its newest version. Raises BadBundle where that cannot be told."""
    found: dict[str, _Entry] = {}
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


def _newer(one: _Entry, other: _Entry) -> _Entry | None:
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


def _check_one_patient(
    entries: Sequence[_Entry], found: _Entry | None, patient: str | None
) -> dict[str, str]:
    """What is about no patient at all, by its path. Raises OtherPatient, BadBundle."""
    whose = Whose.of(found.resource if found else None, found.url if found else None, patient)
    if not whose.is_asked_for:
        raise OtherPatient(
            [("patient.id", "is neither the id nor an identifier of the Patient of the bundle")]
        )
    others, untold, nobodys = [], [], {}
    for entry in entries:
        for resource, path in ((entry.resource, entry.path), *_contained(entry)):
            for key in ("subject", "patient"):
                verdict = whose.verdict(resource.get(key), inside=entry.resource)
                if verdict == OTHER:
                    others.append((f"{path}.{key}", "is another patient than the one asked about"))
                elif verdict == UNTOLD:
                    untold.append((f"{path}.{key}", "does not say whose it is: refer to the Patient"))
                elif verdict == NOBODY:
                    nobodys[entry.path] = "about no patient"
    if others:
        raise OtherPatient(others)
    if untold:
        raise BadBundle(untold)
    return nobodys


def _contained(entry: _Entry) -> Iterator[tuple[Resource, str]]:
    for place, each in enumerate(objects(entry.resource.get("contained"))):
        yield each, f"{entry.path}.contained[{place}]"


def _indexed(entries: Sequence[_Entry]) -> dict[str, Any]:
    """What finds resources again: by type, by reference; and their names."""
    by_type: dict[str, list[Resource]] = {}
    targets: dict[str, Resource] = {}
    names: dict[int, str] = {}
    containers: dict[int, Resource] = {}
    for entry in sorted(entries, key=lambda each: each.name):
        by_type.setdefault(entry.type, []).append(entry.resource)
        names[id(entry.resource)] = entry.name
        targets.setdefault(entry.name, entry.resource)
        if entry.url is not None:
            targets.setdefault(entry.url.split("/_history/", maxsplit=1)[0], entry.resource)
        for each in objects(entry.resource.get("contained")):
            names[id(each)] = f"{entry.name}#{id_of(each) or type_of(each) or ''}"
            containers[id(each)] = entry.resource
    return {"_by_type": by_type, "_targets": targets, "_names": names, "_containers": containers}
