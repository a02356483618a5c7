"""What an EHR did not send along is read from its FHIR server, with the token that its call granted.

All of it at once and within one time; what is not there by then is not there. Neither the token, nor an
address, nor a word of an answer is logged or repeated: why something is missing is said in words of ours.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, Protocol
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

from requests.utils import requote_uri

from service.ehr.search_pages import NoSearchResult, page_of
from service.intake.errors import BadInput
from service.intake.json_text import parse
from service.outbound.deadlines import Deadline
from service.outbound.http import Forbidden, Outbound, Reply, Unreachable

State = Literal["complete", "incomplete", "failed"]

MOST_AT_ONCE = 16  # of the searches of one call
MOST_PAGES = 10  # of one search
MOST_BYTES = 2 * 1024 * 1024  # of one page
_JSON = {"application/fhir+json", "application/json", "application/json+fhir"}
_TOKEN = re.compile(r"\{\{(.*?)\}\}")
_PORTS = {"https": 443, "http": 80}
_LATE = "timed out"
_REFUSED = {
    401: "the token was not accepted",
    403: "the token does not allow it",
    404: "not found",
    410: "no longer there",
    429: "too many requests",
}


class Wanted(Protocol):
    """A search of the table of searches, as far as it is used here."""

    @property
    def name(self) -> str:
        """What it is called: `results`."""

    @property
    def resource_type(self) -> str:
        """What it finds: `Observation`."""

    @property
    def template(self) -> str:
        """What is asked, on any server: `Observation?patient={{context.patientId}}`."""


@dataclass(frozen=True)
class FhirServer:
    """The FHIR server that a call names, and the token that the call grants for it.

    The caller has made sure that this server is registered with the EHR that calls: no other is sent a token.
    """

    base: str
    token: str = field(repr=False)


@dataclass(frozen=True)
class Fetched:
    """What one search found. `incomplete`: there is more, or may be. `failed`: nothing can be said.

    `why` says what is wrong in short words of ours, and is None where the search is complete.
    """

    resources: list[dict[str, Any]]
    state: State
    why: str | None


def fetch_missing(  # noqa: PLR0917  (each is what one call of an EHR says)
    wanted: Sequence[Wanted],
    context: Mapping[str, str],
    pages: Mapping[str, str],
    server: FhirServer,
    outbound: Outbound,
    seconds: float,
) -> dict[str, Fetched]:
    """What each search finds, by its name, within `seconds` for all of them.

    `context` is what the call says for the places in the templates. `pages` are the next pages of searches
    whose beginning the call brought along: they are read on from there, `resources` is what comes after the
    beginning, and they are never `failed` but `incomplete`.
    """
    deadline = Deadline(seconds)
    reader = _Reader(server, outbound, deadline)
    work = {search.name: partial(reader.fetch, search, context) for search in wanted}
    work |= {name: partial(reader.pages, link, begun=True) for name, link in pages.items()}
    found = {name: Fetched([], "incomplete" if name in pages else "failed", _LATE) for name in work}

    def fetch(name: str) -> None:
        for so_far in work[name]():
            found[name] = so_far

    if not work:
        return {}
    threads = ThreadPoolExecutor(min(len(work), MOST_AT_ONCE), thread_name_prefix="fhir")
    try:
        futures = [threads.submit(fetch, name) for name in work]
        done, _ = wait(futures, _left(deadline))
    finally:
        threads.shutdown(wait=False, cancel_futures=True)  # each ends by itself soon after the deadline
    for future in done:
        future.result()  # a fault of ours is no answer of theirs
    return dict(found)


class _Failed(Exception):
    """A page cannot be read; the message says why in words of ours."""


class _Reader:
    """Reads from one server by one deadline. Each search gives what it has so far after each page."""

    def __init__(self, server: FhirServer, outbound: Outbound, deadline: Deadline) -> None:
        self._base = requote_uri(server.base.rstrip("/") + "/")
        self._outbound, self._deadline = outbound, deadline
        self._headers = {
            "Accept": "application/fhir+json",
            "Authorization": f"Bearer {server.token}",
            "Cache-Control": "no-cache",  # some servers repeat an earlier search for a minute
        }

    def fetch(self, search: Wanted, context: Mapping[str, str]) -> Iterator[Fetched]:
        """What a search, or a read of one resource, finds."""
        try:
            path = _filled(search.template, context)
            if "?" in path:
                yield from self.pages(path, search.resource_type)
                return
            resource = self._read(self._address(self._base, path))
            if resource.get("resourceType") != search.resource_type:
                raise _Failed(_no_such(resource))
        except _Failed as failed:
            yield Fetched([], "failed", str(failed))
        else:
            yield Fetched([resource], "complete", None)

    def pages(self, link: str, type: str | None = None, *, begun: bool = False) -> Iterator[Fetched]:
        """What a search for a type finds from this page on; `begun`: there were pages before."""
        resources: list[dict[str, Any]] = []
        seen: list[str] = []
        matches = total = 0
        following: str | None = link
        problem: str | None = None
        try:
            while following is not None:
                address = self._address(seen[-1] if seen else self._base, following)
                if address in seen or len(seen) == MOST_PAGES:
                    raise _Failed("its pages come to no end")
                page = page_of(self._read(address), type)
                seen.append(address)
                resources, matches = resources + page.resources, matches + page.matches
                total, problem, following = max(total, page.total), problem or page.problem, page.next
                yield Fetched(resources, "incomplete", _LATE)
        except (_Failed, NoSearchResult) as failed:
            yield Fetched(resources, "incomplete" if begun or seen else "failed", str(failed))
            return
        if matches < total and not begun:
            problem = problem or "it holds back some of what it found"
        yield Fetched(resources, "incomplete" if problem else "complete", problem)

    def _address(self, current: str, link: str) -> str:
        """The whole address, of this server only: its token goes nowhere else. Raises _Failed."""
        if not link:
            raise _Failed("its next page has no address")
        try:
            address = requote_uri(urljoin(current, link))
            base, there = urlsplit(self._base), urlsplit(address)
            same = _origin(base) == _origin(there)
        except ValueError:
            raise _Failed("its next page has no address") from None
        inside = f"{there.path}/" == base.path or there.path.startswith(base.path)
        if not (same and inside) or ".." in re.split(r"[/\\]", unquote(there.path)):
            raise _Failed("its next page leads to another server")
        return address

    def _read(self, address: str) -> dict[str, Any]:
        """The one FHIR resource that is answered, which is no OperationOutcome. Raises _Failed."""
        try:
            reply = self._outbound.get(
                address, headers=self._headers, seconds=_left(self._deadline), most_bytes=MOST_BYTES
            )
        except (Forbidden, Unreachable) as error:
            raise _Failed(error.reason) from None
        if reply.status != 200:
            raise _Failed(_REFUSED.get(reply.status, f"answered with status {reply.status}"))
        resource = _json_of(reply)
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            raise _Failed("its answer is not FHIR")
        if resource["resourceType"] == "OperationOutcome":
            raise _Failed("answered with an OperationOutcome")
        return resource


def _left(deadline: Deadline) -> float:
    try:
        return deadline.left()
    except TimeoutError:
        return 0.0


def _filled(template: str, context: Mapping[str, str]) -> str:
    """The template with what the call says in its places. Raises _Failed where it says nothing for one."""

    def said(place: re.Match[str]) -> str:
        name = place[1].removeprefix("context.")
        if name == place[1] or not (value := context.get(name)):
            raise _Failed("the call does not say what to ask for")
        return quote(value, safe="")

    return _TOKEN.sub(said, template)


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def _json_of(reply: Reply) -> Any:
    kind = reply.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind not in _JSON:
        raise _Failed("its answer is not FHIR JSON")
    if reply.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise _Failed("its answer is compressed")
    try:
        return parse(reply.body, MOST_BYTES)
    except BadInput:
        raise _Failed("its answer is broken JSON") from None


def _no_such(resource: Mapping[str, Any]) -> str:
    return "its answer is a list" if resource["resourceType"] == "Bundle" else "its answer is something else"
