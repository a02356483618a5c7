"""What an EHR sent with its call, search by search: found, looked for and nothing there, or failed.

A search that is not named here at all was not made: nothing is known of it, which is not the same as nothing.
"""

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from service.fhir.chart import COMPLETE, FAILED, INCOMPLETE
from service.fhir.resources import Resource, code, id_of, objects, text, type_of

_ENTRY = re.compile(r"bundle\.entry\[(\d{1,9})\]\.resource")


@dataclass(frozen=True)
class Located:
    """A resource, and where it stood in the request."""

    resource: Resource
    path: str
    url: str | None = None

    @property
    def name(self) -> str | None:
        """`MedicationRequest/7`; None where it has no id."""
        id = id_of(self.resource)
        return f"{type_of(self.resource)}/{id}" if id is not None else None

    def is_one_of(self, references: Container[str | None]) -> bool:
        """Whether one of these references is to it."""
        return self.name in references or (self.url is not None and self.url in references)

    def entry(self) -> dict[str, Any]:
        """It as an entry of a Bundle."""
        return {**({"fullUrl": self.url} if self.url else {}), "resource": self.resource}


@dataclass(frozen=True)
class Searched:
    """The answer to one search: what was found, and whether that is all. `next` is where it goes on."""

    found: tuple[Located, ...]
    state: str
    next: str | None = None


@dataclass(frozen=True)
class Gathered:
    """All that is known of a patient for one call: the resources, and which searches are whole.

    A resource of the call itself takes the place of an older one that was searched for.
    """

    found: tuple[Located, ...]
    searched: Mapping[str, str]

    @classmethod
    def of(
        cls, own: Iterable[Located], answers: Mapping[str, Searched], types: Container[str | None]
    ) -> "Gathered":
        """What the call brought and what was searched for, of the types that are read."""
        own = list(own)
        named = {each.name for each in own} - {None}
        others = [each for answer in answers.values() for each in answer.found if each.name not in named]
        found = tuple(each for each in (*own, *others) if type_of(each.resource) in types)
        return cls(found, {name: answer.state for name, answer in answers.items()})

    def only(self, types: Container[str | None]) -> "Gathered":
        """The resources of some types alone; nothing is said of searches."""
        return Gathered(tuple(each for each in self.found if type_of(each.resource) in types), {})

    def bundle(self) -> dict[str, Any]:
        """The resources as a Bundle."""
        entries = {"entry": [each.entry() for each in self.found]} if self.found else {}
        return {"resourceType": "Bundle", "type": "collection", **entries}

    def path(self, path: str) -> str:
        """Where something of the Bundle stood in the request."""
        at = _ENTRY.match(path)
        if at is None or int(at[1]) >= len(self.found):
            return path
        return f"{self.found[int(at[1])].path}{path[at.end() :]}"


def read_prefetch(prefetch: Mapping[str, Any], names: Iterable[str]) -> dict[str, Searched]:
    """The answers to the searches of these names that were sent."""
    return {name: _searched(prefetch[name], f"prefetch.{name}") for name in names if name in prefetch}


def _searched(answer: Any, path: str) -> Searched:
    if answer is None:
        return Searched((), COMPLETE)
    type = type_of(answer) if isinstance(answer, dict) else None
    if type == "Bundle":
        return _bundle(answer, path)
    if type is None or type == "OperationOutcome":  # an error page of a server arrives as a text
        return Searched((), FAILED)
    return Searched((Located(answer, path),), COMPLETE)


def _bundle(bundle: Resource, path: str) -> Searched:
    found = tuple(entries(bundle, path))
    outcomes = [each.resource for each in found if type_of(each.resource) == "OperationOutcome"]
    resources = tuple(each for each in found if type_of(each.resource) != "OperationOutcome")
    after = (
        text(link.get("url")) for link in objects(bundle.get("link")) if code(link.get("relation")) == "next"
    )
    links = list(after)
    total = bundle.get("total")
    is_short = isinstance(total, int) and total > len(resources)
    if any(map(_is_failure, outcomes)):
        return Searched(resources, FAILED)
    return Searched(resources, INCOMPLETE if links or is_short else COMPLETE, next(iter(links), None))


def entries(bundle: Resource, path: str) -> Iterator[Located]:
    """The resources of a Bundle."""
    for place, entry in enumerate(objects(bundle.get("entry"))):
        resource = entry.get("resource")
        if isinstance(resource, dict):
            yield Located(resource, f"{path}.entry[{place}].resource", text(entry.get("fullUrl")))


def _is_failure(outcome: Resource) -> bool:
    """Whether something could not be searched; one that says nothing is no good news."""
    severities = {code(issue.get("severity")) for issue in objects(outcome.get("issue"))}
    return not severities or not severities <= {"information", "warning"}
