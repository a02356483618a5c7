"""What is known for a call: sent along, or fetched with the token that it grants, where it matters."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog

from service.ehr.clients import EhrClient
from service.ehr.fetching import Fetched, FhirServer, fetch_missing
from service.ehr.hooks import Call, Grant
from service.ehr.prefetch import Gathered, Searched, read_prefetch
from service.ehr.search_pages import Located
from service.fhir.administrations import TYPE as GIVEN
from service.fhir.chart import COMPLETE, FAILED, INCOMPLETE, BadBundle, Chart, read_chart
from service.fhir.drugs import medication, names_in
from service.fhir.orders import TYPE as ORDER
from service.fhir.orders import is_order, orders_in
from service.fhir.resources import Resource, objects, reference, target, text, type_of
from service.fhir.searches import Search, searches
from service.knowledge.library import Library
from service.outbound.deadlines import Deadline
from service.outbound.http import Outbound

log: structlog.stdlib.BoundLogger = structlog.get_logger("dosegate")

MEDICATION = "Medication"
ORDERS = "orders"
Answers = dict[str, Searched]
_NOT_REGISTERED = "its FHIR server is not registered here"
_NOT_MADE = "not sent and not fetched"
_UNREAD = {FAILED: "could not be read", INCOMPLETE: "not read to the end"}


@dataclass(frozen=True)
class Gap:
    """An order, or all of them, of which nothing can be told: where it should have been, and why."""

    path: str
    says: str


@dataclass(frozen=True)
class Known:
    """The orders that a call is about, all that is known of the patient, and orders that are not known.

    `unread` are the searches whose answers are not whole, by name, and what is wrong.
    """

    orders: tuple[Located, ...]
    everything: Gathered
    gaps: tuple[Gap, ...]
    unread: Mapping[str, str]


class Gathering:
    """Gathers what calls are answered with; fetching takes no longer than `seconds`."""

    def __init__(self, library: Library, outbound: Outbound, seconds: float) -> None:
        self.searches = searches(library.code_maps)
        self._library, self._outbound, self._seconds = library, outbound, seconds
        self._types = frozenset({MEDICATION, *(search.resource_type for search in self.searches)})
        self._names = {search.name: search.resource_type for search in self.searches}

    def gathered(self, call: Call, client: EhrClient) -> Known:
        """All that is known for a call of this EHR."""
        answers = read_prefetch(call.prefetch, self.searches)
        grant = call.grant
        if grant is None or not self._matters(call, answers):
            return self._known(call, answers)
        if not client.uses_fhir_server(grant.base):
            log.warning("fhir_server_not_registered", client=client.name, origin=_origin(grant.base))
            return self._known(call, answers, not_made=_NOT_REGISTERED)
        deadline = Deadline(self._seconds)
        medicines = self._medicines(call, answers)
        pages = {name: each.next for name, each in answers.items() if each.next and each.state != FAILED}
        wanted = [*self._not_whole(answers, pages), *medicines, *_dispatched(call, answers)]
        answers |= self._fetched(call, grant, answers, wanted, deadline=deadline, pages=pages)
        # Orders that were not known before refer to their medicines too.
        others = [each for each in self._medicines(call, answers) if each not in medicines]
        answers |= self._fetched(call, grant, answers, others, deadline=deadline)
        return self._known(call, answers)

    def _known(self, call: Call, answers: Answers, not_made: str = _NOT_MADE) -> Known:
        gaps = list(_gaps(call, answers))
        asked = {name: each for name, each in answers.items() if name in self._names}
        others = _found({name: each for name, each in answers.items() if name not in self._names})
        everything = Gathered.of([*call.drafts, *others], asked, self._types)
        states = {search.name: everything.searched.get(search.name) for search in self.searches}
        unread = {
            name: _UNREAD[state] if state is not None else not_made
            for name, state in states.items()
            if state != COMPLETE
        }
        return Known(tuple(_orders(call, answers)), everything, tuple(gaps), unread)

    def _matters(self, call: Call, answers: Answers) -> bool:
        """Whether an order of ours may be among those that the call is about."""
        if not call.has_drafts and any(True for _ in _gaps(call, answers)):
            return True
        orders, chart = self._orders_with_medicines(call, answers)
        if chart is None:
            return False  # it is refused, or held, as it is
        found = orders_in(orders, chart, self._library)
        return any(each.drug is not None for each in found) or any(
            unresolved(each, chart, self._library) for each in orders
        )

    def _medicines(self, call: Call, answers: Answers) -> list[Search]:
        """The reading of each Medication that an order or a dose refers to and that is not here."""
        orders, chart = self._orders_with_medicines(call, answers)
        if chart is None:
            return []
        given = [each.resource for each in _found(answers) if type_of(each.resource) == GIVEN]
        lost = [each for each in (*orders, *given) if unresolved(each, chart, self._library)]
        names = sorted({f"{MEDICATION}/{id}" for each in lost for id in _medications(each)})
        return [Search(name, MEDICATION, name) for name in names]

    def _orders_with_medicines(self, call: Call, answers: Answers) -> tuple[list[Resource], Chart | None]:
        """The orders that the call is about, and a chart of them and their medicines, if it can be read."""
        orders = list(_orders(call, answers))
        known = Gathered.of([*orders, *_found(answers)], {}, {ORDER, MEDICATION})
        try:
            chart = read_chart(known.bundle(), patient=call.patient, searched={})
        except BadBundle:
            return [], None
        return [each.resource for each in orders], chart

    def _not_whole(self, answers: Answers, pages: Mapping[str, str]) -> Iterator[Search]:
        """The searches to make anew; those with further pages are read on."""
        for search in self.searches:
            answer = answers.get(search.name)
            if search.name not in pages and (answer is None or answer.state != COMPLETE):
                yield search

    def _fetched(
        self,
        call: Call,
        grant: Grant,
        answers: Answers,
        wanted: Sequence[Search],
        *,
        deadline: Deadline,
        pages: Mapping[str, str] | None = None,
    ) -> Answers:
        """What could be fetched, as far as it was there in time."""
        try:
            seconds = deadline.left()
        except TimeoutError:
            return {}
        server, pages = FhirServer(grant.base, grant.token), pages or {}
        found = fetch_missing(wanted, call.context, pages, server, self._outbound, seconds)
        return {
            name: self._merged(name, answers.get(name), fetched, goes_on=name in pages)
            for name, fetched in found.items()
            if name in self._names or fetched.resources
        }

    def _merged(self, name: str, before: Searched | None, fetched: Fetched, *, goes_on: bool) -> Searched:
        """A search as it is known now: read on from where it stopped, or made anew."""
        after = tuple(
            Located(resource, f"fhirServer.{name}[{place}]")
            for place, resource in enumerate(fetched.resources)
        )
        if before is None:
            return Searched(after, fetched.state)
        if goes_on:
            found = (*before.found, *after)
            matches = sum(type_of(each.resource) == self._names[name] for each in found)
            return Searched(found, fetched.state if matches >= before.total else INCOMPLETE)
        if fetched.state == COMPLETE:
            return Searched(after, COMPLETE)
        # Neither is whole: what was found stays found.
        return Searched((*before.found, *after), before.state)


def unresolved(order: Resource, chart: Chart, library: Library) -> bool:
    """Whether it cannot be told which medicine an order or a dose is of.

    So it is where it names none, or refers to a Medication that is not here, or says nothing, by a name that
    is not known here.
    """
    maps, pointers = library.code_maps, objects(order.get("medicationReference"))
    bare = dict(order)
    if pointers:
        bare.pop("medicationCodeableConcept", None)
        bare["medicationReference"] = [_without_display(each) for each in pointers]
    product = medication(bare, chart.resolve, maps)
    if product.codes or product.names:
        return False
    known = frozenset(maps.medicine_names).union(*(pack.names for pack in library.packs.values()))
    return not any(names_in(name, known) for name in medication(order, chart.resolve, maps).names)


def is_called(order: Resource) -> bool:
    """Whether a name stands beside its reference to a Medication: then it is of what it is called.

    An EHR that always refers to Medications would else have no answer to any order but ours.
    """
    return any(text(each.get("display")) for each in objects(order.get("medicationReference")))


def _without_display(pointer: Resource) -> Resource:
    return {name: each for name, each in pointer.items() if name != "display"}


def _orders(call: Call, answers: Answers) -> Iterator[Located]:
    """The orders that a call is about, as far as they are known."""
    for each in call.drafts if call.has_drafts else _found(answers):
        is_meant = call.chosen is None or each.is_one_of(call.chosen)
        if is_meant and is_order(each.resource) and not _is_being_written(call, each.resource):
            yield each


def _is_being_written(call: Call, order: Resource) -> bool:
    """Whether an order was only begun: its medicine is chosen next, and then there is another call."""
    return call.hook == "order-select" and not any(
        said for name, said in order.items() if name.startswith("medication")
    )


def _found(answers: Answers) -> list[Located]:
    return [each for answer in answers.values() for each in answer.found]


def _gaps(call: Call, answers: Answers) -> Iterator[Gap]:
    """Orders that such a call is about and that are not here."""
    if call.chosen is not None:
        at = "context.selections" if call.has_drafts else "context.dispatchedOrders"
        for each in sorted(_not_here(call, answers)):
            yield Gap(at, f"names {each}, which was neither sent along nor could be read")
        return
    if call.has_drafts:
        for draft in call.drafts:
            if type_of(draft.resource) is None:
                yield Gap(draft.path, "cannot be read")
        return
    orders = answers.get(ORDERS)
    if orders is None:
        yield Gap(f"prefetch.{ORDERS}", "was neither sent along nor could be read")
    elif orders.state != COMPLETE:
        yield Gap(f"prefetch.{ORDERS}", "is not whole, and the rest could not be read")


def _origin(base: str) -> str:
    """Scheme, host and port of an address, and nothing else of it."""
    parts = urlsplit(base)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _not_here(call: Call, answers: Answers) -> set[str]:
    """The chosen orders that are not here; what is not called by type and id may be one of ours."""
    known = call.drafts if call.has_drafts else _found(answers)
    here = {name for each in known for name in each.references}
    lost = set()
    for written in call.chosen or ():
        found = target(written)
        name = "/".join(found) if found is not None else ""
        if (found is None or found[0] == ORDER) and here.isdisjoint((written, name)):
            lost.add(name or "an order otherwise than as MedicationRequest/7")
    return lost


def _dispatched(call: Call, answers: Answers) -> list[Search]:
    """The reading of each order that is sent elsewhere and was not sent along."""
    if call.has_drafts:
        return []
    lost = sorted(name for name in _not_here(call, answers) if target(name) is not None)
    return [Search(name, ORDER, name) for name in lost]


def _medications(order: Resource) -> Iterator[str]:
    for each in objects(order.get("medicationReference")):
        found = target(reference(each) or "")
        if found is not None and found[0] == MEDICATION:
            yield found[1]
