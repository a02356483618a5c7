"""A page of what a FHIR server found: its resources, whether it tells of more, and what of it cannot be read.

What cannot be read may be what matters: it is told, never passed over.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from service.fhir.resources import Resource, code, id_of, objects, target, text, type_of

_HARMLESS = frozenset({"information", "success"})
_NO_FAILURE = _HARMLESS | {"warning"}
_MATCH, _INCLUDED = (None, "match"), "include"
_MEDICATION = (
    "Medication"  # comes along with what refers to it, on some servers without being called included
)


class NoSearchResult(Exception):
    """This is no page of a search; the message says why in words of ours."""


@dataclass(frozen=True)
class Located:
    """A resource, and where it stood."""

    resource: Resource
    path: str
    url: str | None = None

    @property
    def name(self) -> str | None:
        """`MedicationRequest/7`; None where it has no id."""
        id = id_of(self.resource)
        return f"{type_of(self.resource)}/{id}" if id is not None else None

    @property
    def references(self) -> set[str]:
        """All by which it may be referred to."""
        found = target(self.url) if self.url is not None else None
        return {each for each in (self.name, self.url, "/".join(found or ())) if each}

    def is_one_of(self, references: Container[str]) -> bool:
        """Whether one of these references is to it."""
        return any(each in references for each in self.references)

    def entry(self) -> dict[str, Any]:
        """It as an entry of a Bundle."""
        return {**({"fullUrl": self.url} if self.url else {}), "resource": self.resource}


@dataclass(frozen=True)
class Page:
    """A page of a search.

    `lost` are the places of entries that cannot be read. `matches` is how many of the resources are what was
    searched for, `total` how many there are on all pages as far as the server says, `next` the link to the
    next page. `problem`: why some of this page may be missing, in words of ours, None where it is whole;
    `failed` whether the server says that something could not be searched.
    """

    found: Sequence[Located]
    lost: Sequence[str]
    matches: int
    total: int
    next: str | None
    problem: str | None
    failed: bool

    @cached_property
    def resources(self) -> list[Resource]:
        """The resources alone."""
        return [each.resource for each in self.found]

    @property
    def is_short(self) -> bool:
        """Whether there is more than this page has."""
        return self.total > self.matches


def page_of(bundle: Mapping[str, Any], type: str | None) -> Page:
    """What a resource says as a page of a search, as `read_page`. Raises NoSearchResult where it is none."""
    parts = ([] if bundle.get(part) is None else bundle[part] for part in ("entry", "link"))
    is_one = (bundle.get("resourceType"), bundle.get("type")) == ("Bundle", "searchset")
    if not is_one or not all(isinstance(part, list) for part in parts):
        raise NoSearchResult("its answer is no search result")
    return read_page(bundle, "", type)


def read_page(bundle: Mapping[str, Any], path: str, type: str | None = None) -> Page:
    """What any Bundle says as a page of a search for this type; None where it may hold any.

    A Bundle in it, as in the answer to a batch, is read with it.
    """
    return _Reading(type).page(bundle, path)


class _Reading:
    """Reads one page, and gathers what of it is not there."""

    def __init__(self, type: str | None, *, nested: bool = False) -> None:
        self._type, self._nested = type, nested
        self._found: list[Located] = []
        self._lost: list[str] = []
        self._matches = 0
        self._problem: str | None = None
        self._failed = False

    def page(self, bundle: Mapping[str, Any], path: str) -> Page:
        """The page that stands at this path."""
        self._entries(bundle.get("entry"), f"{path}.entry")
        following = self._next(bundle.get("link"))
        total = bundle.get("total")
        if total is not None and (isinstance(total, bool) or not isinstance(total, int)):
            self._warn("it does not say how many there are")
            total = None
        return Page(
            found=tuple(self._found),
            lost=tuple(self._lost),
            matches=self._matches,
            total=total or 0,
            next=following,
            problem=self._problem,
            failed=self._failed,
        )

    def _entries(self, given: Any, path: str) -> None:
        if given is None:
            return
        if not isinstance(given, list):
            self._lose(path)
            return
        for place, entry in enumerate(given):
            self._entry(entry, f"{path}[{place}]")

    def _entry(self, entry: Any, path: str) -> None:
        entry = entry if isinstance(entry, dict) else {}
        for response in objects(entry.get("response")):
            self._response(response)
        resource = entry.get("resource")
        type = type_of(resource) if isinstance(resource, dict) else None
        if type is None or (type == "Bundle" and self._nested):
            self._lose(path)
        elif type == "OperationOutcome":
            self._outcome(resource)
        elif type == "Bundle":
            self._inner(_Reading(self._type, nested=True).page(resource, f"{path}.resource"))
        else:
            modes = [code(search.get("mode")) for search in objects(entry.get("search"))]
            self._take(Located(resource, f"{path}.resource", text(entry.get("fullUrl"))), type, modes)

    def _take(self, found: Located, type: str, modes: Sequence[str | None]) -> None:
        mode = modes[0] if modes else None
        self._found.append(found)
        if self._type in (None, type):
            self._matches += mode in _MATCH
        elif mode != _INCLUDED and type != _MEDICATION:
            self._warn("it has what was not searched for")

    def _inner(self, page: Page) -> None:
        self._found += page.found
        self._lost += page.lost
        self._failed = self._failed or page.failed
        if page.problem is not None or page.next is not None or page.is_short:
            self._warn(page.problem or "a part of it is not whole")

    def _response(self, response: Resource) -> None:
        status = response.get("status")
        if status is not None and not str(status).startswith(("2", "304")):
            self._warn("a part of it was refused")
        for outcome in objects(response.get("outcome")):
            self._outcome(outcome)

    def _outcome(self, outcome: Resource) -> None:
        """Any note but plain information may mean that some is left out; one without words is no better."""
        issues = outcome.get("issue")
        issues = issues if isinstance(issues, list) else []
        severities = {code(each.get("severity")) if isinstance(each, dict) else None for each in issues}
        if not severities or not severities <= _HARMLESS:
            self._warn("it warns that its answer may not be whole")
        self._failed = self._failed or not severities or not severities <= _NO_FAILURE

    def _next(self, links: Any) -> str | None:
        if links is not None and not isinstance(links, list | dict):
            self._warn("its links cannot be read")
        following = [link.get("url") for link in objects(links) if code(link.get("relation")) == "next"]
        for url in following:
            if not isinstance(url, str) or not url:
                self._warn("its next page has no address")
                return None
        return following[0] if following else None

    def _lose(self, path: str) -> None:
        self._lost.append(path)
        self._warn("it has an entry that cannot be read")

    def _warn(self, problem: str) -> None:
        self._problem = self._problem or problem
