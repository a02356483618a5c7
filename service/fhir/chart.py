"""From a Bundle to the resources of one patient, or to what is wrong with it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.fhir.entries import BadBundle, Entries, Entry, OtherPatient, newest_of_each
from service.fhir.identity import NOBODY, OTHER, UNTOLD, Whose
from service.fhir.reads import Line
from service.fhir.resources import (
    Resource,
    code,
    id_of,
    objects,
    plain_codes,
    reference,
    target,
    type_of,
)
from service.fhir.searches import COMPLETE, FAILED, INCOMPLETE

__all__ = ["COMPLETE", "FAILED", "INCOMPLETE", "BadBundle", "Chart", "OtherPatient", "read_chart"]

MOST_ENTRIES = 5_000
_IN_ERROR = "entered-in-error"


@dataclass(frozen=True, eq=False)
class Chart:
    """The resources of one patient.

    What was entered in error is left out and has a line, but for observations: of those it is said where they
    are read. `searched` says of each search that was made whether its answer is whole; `whole` is whether
    anything at all is known to be missing.
    """

    patient: Resource | None
    searched: Mapping[str, str]
    whole: bool
    lines: tuple[Line, ...]
    _by_type: Mapping[str, Sequence[Resource]]
    _targets: Mapping[str, Resource]
    _names: Mapping[int, str]
    _containers: Mapping[int, Resource]
    _within: Mapping[int, Mapping[str, Resource]]

    @property
    def patient_id(self) -> str | None:
        """The id of the Patient, where there is one."""
        return id_of(self.patient) if self.patient is not None else None

    def has_all(self, *names: str) -> bool:
        """Whether nothing of these searches is known to be missing.

        Where any search is named, one that is not was not made; where none is, all there is was sent.
        """
        return self.whole and all(self.searched.get(name) == COMPLETE for name in names if self.searched)

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
            within = self._within.get(id(around))
            return (within if within is not None else _by_id(around)).get(written[1:])
        written = written.split("/_history/", maxsplit=1)[0]
        if written in self._targets:
            return self._targets[written]
        found = target(written)
        return self._targets.get("/".join(found)) if found is not None else None


def read_chart(
    bundle: Any,
    *,
    patient: str | None,
    searched: Mapping[str, str],
    server: str | None = None,
    by_id: bool = False,
) -> Chart:
    """The chart of the patient whose resources these are.

    `patient` is the id of the patient, or an identifier, where it is known otherwise; it is needed where the
    Bundle has no Patient. `by_id` says that it is the id, so that no identifier does; `server` is the address
    of the FHIR server that the resources are from. Raises BadBundle, OtherPatient.
    """
    reader = Entries()
    entries = list(reader.of(bundle, "bundle"))
    if len(entries) > MOST_ENTRIES:
        raise BadBundle([("bundle.entry", f"holds more than {MOST_ENTRIES:,} resources")])
    if reader.errors:
        raise BadBundle(reader.errors)
    try:
        entries = newest_of_each(entries)
    except RecursionError:  # two versions of one resource, compared to the bottom
        raise BadBundle([("bundle", "is nested too deeply")]) from None
    found = [each for each in entries if each.type == "Patient"]
    if len(found) > 1:
        raise OtherPatient(
            [(each.path, "is a second Patient: send one patient's Bundle") for each in found[1:]]
        )
    if not found and patient is None:
        raise BadBundle([("bundle", "has no Patient, and patient.id is missing")])
    whose = Whose.of(
        found[0].resource if found else None,
        found[0].url if found else None,
        patient,
        server=server,
        by_id=by_id,
    )
    nobodys = _check_one_patient(entries, whose)
    kept: list[Entry] = []
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
        whole=whole,
        lines=(*reader.gaps, *sorted(gone, key=lambda line: line.resource)),
        **_indexed(kept),
    )


def _in_error(resource: Resource) -> bool:
    if type_of(resource) == "Observation":
        return False
    verified = plain_codes(resource.get("verificationStatus"))
    return code(resource.get("status")) == _IN_ERROR or verified == {_IN_ERROR}


def _check_one_patient(entries: Sequence[Entry], whose: Whose) -> dict[str, str]:
    """What is about no patient at all, by its path. Raises OtherPatient, BadBundle."""
    if not whose.is_asked_for:
        wrong = "not the id" if whose.by_id else "neither the id nor an identifier"
        raise OtherPatient([("patient.id", f"is {wrong} of the Patient of the bundle")])
    others, untold, nobodys = [], [], {}
    for entry in entries:
        contained = _by_id(entry.resource)
        for resource, path in ((entry.resource, entry.path), *_contained(entry)):
            for key in ("subject", "patient"):
                verdict = whose.verdict(resource.get(key), contained)
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


def _contained(entry: Entry) -> Iterator[tuple[Resource, str]]:
    for place, each in enumerate(objects(entry.resource.get("contained"))):
        yield each, f"{entry.path}.contained[{place}]"


def _by_id(container: Resource) -> dict[str, Resource]:
    """What a resource contains, by id; of two with one id the first."""
    every = reversed(objects(container.get("contained")))
    return {each["id"]: each for each in every if isinstance(each.get("id"), str)}


def _indexed(entries: Sequence[Entry]) -> dict[str, Any]:
    """What finds resources again: by type, by reference; and their names."""
    by_type: dict[str, list[Resource]] = {}
    targets: dict[str, Resource] = {}
    names: dict[int, str] = {}
    containers: dict[int, Resource] = {}
    within: dict[int, dict[str, Resource]] = {}
    for entry in sorted(entries, key=lambda each: each.name):
        by_type.setdefault(entry.type, []).append(entry.resource)
        names[id(entry.resource)] = entry.name
        targets.setdefault(entry.name, entry.resource)
        if entry.url is not None:
            targets.setdefault(entry.url.split("/_history/", maxsplit=1)[0], entry.resource)
        for each in objects(entry.resource.get("contained")):
            names[id(each)] = f"{entry.name}#{id_of(each) or type_of(each) or ''}"
            containers[id(each)] = entry.resource
        within[id(entry.resource)] = _by_id(entry.resource)
    return {
        **{"_by_type": by_type, "_targets": targets},
        **{"_names": names, "_containers": containers, "_within": within},
    }
