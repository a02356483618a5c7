"""What an EHR sent with its call, search by search: found, looked for and nothing there, or failed.

A search that is not named here at all was not made: nothing is known of it, which is not the same as nothing.
"""

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from service.ehr.search_pages import Located, Page, read_page
from service.fhir.chart import COMPLETE, FAILED, INCOMPLETE
from service.fhir.resources import Resource, type_of
from service.fhir.searches import Search

_ENTRY = re.compile(r"bundle\.entry\[(\d{1,9})\]\.resource")


@dataclass(frozen=True)
class Searched:
    """The answer to one search: what was found, and whether that is all.

    `next` is where it goes on; then `total` is how many there are on all pages, as far as that is said.
    """

    found: tuple[Located, ...]
    state: str
    next: str | None = None
    total: int = 0


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


def read_prefetch(prefetch: Mapping[str, Any], searches: Iterable[Search]) -> dict[str, Searched]:
    """The answers to these searches that were sent, by name."""
    return {each.name: _searched(prefetch[each.name], each) for each in searches if each.name in prefetch}


def _searched(answer: Any, search: Search) -> Searched:
    path = f"prefetch.{search.name}"
    if answer is None:
        return Searched((), COMPLETE)
    type = type_of(answer) if isinstance(answer, dict) else None
    if type == "Bundle":
        return _paged(read_page(answer, path, search.resource_type))
    if type != search.resource_type:  # an error page of a server arrives as a text
        return Searched((), FAILED)
    return Searched((Located(answer, path),), COMPLETE)


def _paged(page: Page) -> Searched:
    found = tuple(page.found)
    if page.failed:
        return Searched(found, FAILED)
    if page.problem is not None:  # to read on would not bring back what this page has lost
        return Searched(found, INCOMPLETE)
    if page.next is not None:
        return Searched(found, INCOMPLETE, page.next, page.total)
    return Searched(found, INCOMPLETE if page.is_short else COMPLETE)


def entries(bundle: Resource, path: str) -> Iterator[Located]:
    """The resources of a Bundle; what cannot be read of it is an empty one at its place."""
    page = read_page(bundle, path)
    yield from page.found
    not_whole = page.problem is not None or page.next is not None or page.is_short
    for place in page.lost or ([path] if not_whole else []):
        yield Located({}, place)
