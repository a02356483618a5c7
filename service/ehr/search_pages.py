"""A page of what a FHIR server found, and whether it tells of more: R4 bundles of type searchset."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_HARMLESS = ("information", "success")


class NoSearchResult(Exception):
    """This is no page of a search; the message says why in words of ours."""


@dataclass(frozen=True)
class Page:
    """A page of a search.

    `matches` is how many of the resources are what was searched for, `total` how many there are on all pages
    as far as the server says, `next` the link to the next page. `problem`: why some of this page may be
    missing, in words of ours, None where it is whole.
    """

    resources: list[dict[str, Any]]
    matches: int
    total: int
    next: str | None
    problem: str | None


def page_of(bundle: Mapping[str, Any]) -> Page:
    """What a resource says as a page of a search. Raises NoSearchResult where it is none."""
    entries, links = ([] if bundle.get(part) is None else bundle[part] for part in ("entry", "link"))
    if (bundle.get("resourceType"), bundle.get("type")) != ("Bundle", "searchset"):
        raise NoSearchResult("its answer is no search result")
    if not isinstance(entries, list) or not isinstance(links, list):
        raise NoSearchResult("its answer is no search result")
    resources, matches, problem = [], 0, None
    for entry in entries:
        resource, mode = _entry(entry)
        if resource is None:
            problem = problem or "it has an entry that cannot be read"
        elif resource["resourceType"] == "OperationOutcome":
            problem = problem or _warning(resource)
        else:
            resources.append(resource)
            matches += mode in (None, "match")
    following = None
    for link in links:
        if isinstance(link, dict) and link.get("relation") == "next":
            following = link.get("url")
            if not isinstance(following, str) or not following:
                following, problem = None, problem or "its next page has no address"
    total = bundle.get("total")
    return Page(
        resources=resources,
        matches=matches,
        total=total if isinstance(total, int) else 0,
        next=following,
        problem=problem,
    )


def _entry(entry: Any) -> tuple[dict[str, Any] | None, Any]:
    """The resource of an entry, None where there is none, and what it is there for."""
    resource = entry.get("resource") if isinstance(entry, dict) else None
    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        return None, None
    search = entry.get("search")
    return resource, search.get("mode") if isinstance(search, dict) else None


def _warning(outcome: Mapping[str, Any]) -> str | None:
    """What a note among the results means: any but plain information may mean that some are left out."""
    issues = outcome.get("issue")
    if isinstance(issues, list) and issues:
        severities = [each.get("severity") if isinstance(each, dict) else None for each in issues]
        if all(severity in _HARMLESS for severity in severities):
            return None
    return "it warns that its answer may not be whole"
