"""From a call of a hook to cards: which orders it is about, what is known, and a checklist for each.

An order that is ours always has an answer: where none can be made, that is a critical card, never no card.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import partial
from typing import Protocol
from zoneinfo import ZoneInfo

import structlog

from service.ehr import troubles
from service.ehr.cards import Asked, Card, Orders, cards_of
from service.ehr.clients import EhrClient
from service.ehr.feedback import keep_cards
from service.ehr.gathering import MEDICATION, Gap, Gathering, Known, is_called, unresolved
from service.ehr.hooks import Call
from service.ehr.prefetch import Gathered
from service.ehr.troubles import CannotKnow
from service.fhir.chart import BadBundle, Chart, OtherPatient, read_chart
from service.fhir.identity import identifier_of
from service.fhir.orders import TYPE as ORDER
from service.fhir.orders import Ordered, orders_in
from service.fhir.resources import moment, type_of
from service.fhir.service_requests import TYPE as TEST
from service.fhir.service_requests import missing_orders, on_order
from service.intake.documents import plain
from service.intake.errors import BadInput
from service.knowledge.library import Library
from service.records.canonical import canonical
from service.records.journal import Act, Event
from service.records.making import Making
from service.records.stored import StoredChecklist

log: structlog.stdlib.BoundLogger = structlog.get_logger("dosegate")

# What says when an infusion is meant to be; nothing does where it is assumed.
BOOKED, ORDERED, ASSUMED = "booked", "ordered", "assumed"
_AT_HAND = ("patient-view", "encounter-start")  # hooks on which now is meant where no time is said
_NO_MEDICATION = "names no medicine, or refers to one that was neither sent along nor could be read"
_MOST_ORDERS = 20  # of ours in one call: each makes a checklist
_MOST_PATHS = 10  # that an entry names


class Counters(Protocol):
    """What is told of orders that were not checked."""

    def order_without_pack(self, hook: str) -> None:
        """Count one."""


@dataclass(frozen=True)
class Caller:
    """Who calls, as whom the journal has it, and by which address of ours."""

    client: EhrClient
    act: Act
    base: str


@dataclass(frozen=True)
class Made:
    """The cards for one order, and the checklist that they are of, not kept yet."""

    cards: list[Card]
    checklist: StoredChecklist | None = None


@dataclass(frozen=True)
class Answering:
    """Answers EHRs for one site. `zone` is the site's; `pass_cards` whether a pass has a card.

    `patient_system` is the system of the identifiers by which the site knows patients; without it, and where
    a Patient has none or several, that is the id of the resource.
    """

    library: Library
    making: Making
    gathering: Gathering
    counters: Counters
    zone: ZoneInfo
    pass_cards: bool
    patient_system: str | None

    def cards(self, call: Call, caller: Caller) -> list[Card]:
        """The cards for a call, by order.

        Raises CannotKnow where patient or drug cannot be known, OtherPatient (which is entered), BadBundle,
        StoreUnavailable.
        """
        known = self.gathering.gathered(call, caller.client)
        chart, bad = self._chart(call, caller, known.everything)
        orders = [each.resource for each in known.orders]
        gaps, cards, made = list(known.gaps), list[Card](), list[Made]()
        too_many = list[Ordered]()
        found = orders_in(orders, chart, self.library, now=caller.act.at)
        for ordered, order in zip(found, orders, strict=True):
            if ordered.drug is not None and len(made) == _MOST_ORDERS:
                too_many.append(ordered)
            elif ordered.drug is not None:
                made.append(_Checking(self, call, caller, ordered, chart).made(known, bad))
                cards += made[-1].cards
            elif ordered.problem is not None:
                cards.append(troubles.disagreeing(ordered))
            elif ordered.look_alikes:
                cards.append(troubles.look_alike(ordered))
            elif unresolved(order, chart, self.library) and not is_called(order):
                gaps.append(Gap(ordered.reference, _NO_MEDICATION))
            elif ordered.named:
                self.counters.order_without_pack(call.hook)
        if gaps and not (cards or made):
            raise CannotKnow(gaps)
        self._keep(made, call, caller)
        cards += [troubles.too_many(too_many)] if too_many else []
        return [*cards, troubles.not_known(gaps)] if gaps else cards

    def _keep(self, made: Sequence[Made], call: Call, caller: Caller) -> None:
        """Keep all checklists of a call with their cards, or none. Raises StoreUnavailable."""
        kept = [(each.checklist, each.cards) for each in made if each.checklist is not None]
        if not kept:
            return
        with self.making.store.records.writing() as writing:
            for checklist, _ in kept:
                self.making.keep_basis(writing, checklist)  # before the first one holds the chain
            for checklist, cards in kept:
                self.making.keep(writing, checklist, caller.act, call.details)
                keep_cards(writing, cards, checklist.id, caller.client.name)

    def _chart(self, call: Call, caller: Caller, known: Gathered) -> tuple[Chart, BadBundle | None]:
        """The chart; where it cannot be read, that of the orders alone, and why not all of it.

        Raises OtherPatient, BadBundle.
        """
        read = partial(read_chart, patient=call.patient, server=call.server, by_id=True)
        try:
            return read(known.bundle(), searched=known.searched), None
        except OtherPatient as error:
            paths = [_in_call(path, said, known) for path, said in error.errors]
            details = {"hook": call.hook, "paths": [path for path, _ in paths][:_MOST_PATHS]}
            records = self.making.store.records
            records.enter(caller.act, Event.OTHER_PATIENT_REFUSED, caller.act.actor, details)
            raise OtherPatient(paths) from None
        except BadBundle as error:
            bad = BadBundle([(known.path(path), said) for path, said in error.errors])
        orders = known.only((ORDER, MEDICATION))
        try:
            return read(orders.bundle(), searched={}), bad
        except BadBundle:
            raise bad from None


@dataclass(frozen=True)
class _Checking:
    """One order of ours, as it is checked."""

    site: Answering
    call: Call
    caller: Caller
    ordered: Ordered
    chart: Chart

    def made(self, known: Known, bad: BadBundle | None) -> Made:
        """The checklist and its cards; where none can be made, the card that says so."""
        act, reasons = self.caller.act, bad.errors if bad is not None else ()
        if bad is None:
            try:
                return self._checklist(known)
            except BadInput as error:
                reasons = tuple((known.everything.path(each.path), each.message) for each in error.errors)
                log.error("order_not_checked", request=act.request, reason="its request is refused")
            except Exception as error:
                # No fault of ours may look like an order with nothing against it.
                log.error("order_not_checked", request=act.request, error=type(error).__name__)
        return Made([troubles.not_checked(self.ordered, reasons)])

    def _checklist(self, known: Known) -> Made:
        """The checklist and its cards. Raises BadInput."""
        base = self.caller.base
        at, said_by = self._infusion_at()
        asked = Asked(
            self.call.instance,
            self.ordered.reference,
            base,
            _new_id,
            known.unread,
            infusion_at_from=said_by,
            in_doubt=said_by == ASSUMED and self.call.hook not in _AT_HAND,
        )
        checklist = self.site.making.evaluated(self._request(known.everything, at), self.caller.act)
        result = json.loads(checklist.result)
        orders, vocabulary = self._orders(result["needs"]), self.site.library.vocabulary
        return Made(cards_of(result, asked, vocabulary, orders, pass_card=self.site.pass_cards), checklist)

    def _orders(self, needs: Sequence[str]) -> Orders:
        """What could be ordered to know what is missing, and what is on order already."""
        maps, already = self.site.library.code_maps, self.chart.of_type(TEST)
        drafts = missing_orders(needs, self.call.patient, maps, already)
        return Orders(drafts, on_order(needs, maps, already))

    def _request(self, known: Gathered, infusion_at: datetime) -> bytes:
        """The request for the checklist, as it is kept and can be replayed."""
        pack = self.ordered.drug
        assert pack is not None
        return canonical(
            plain(
                {
                    "drug": pack.id,
                    "region": self.site.library.policy.values["region"],
                    "infusion_at": infusion_at.isoformat(),
                    "patient": {"id": self._patient()},
                    "bundle": known.bundle(),
                    "order": self.ordered.reference,
                    "searched": dict(known.searched),
                }
            )
        )

    def _patient(self) -> str:
        """The patient's id at the site."""
        system = self.site.patient_system
        own = identifier_of(self.chart.patient, system) if system is not None else None
        return own if own is not None else self.call.patient

    def _infusion_at(self) -> tuple[datetime, str]:
        """When the infusion is meant to be (never in the past), and what says so; without that it is now."""
        zone, now = self.site.zone, self.caller.act.at
        said = [(at, BOOKED) for at in self._booked()]
        if self.ordered.infusion_at is not None:
            said.append((self.ordered.infusion_at, ORDERED))
        coming = ((_in_zone(at, zone), said_by) for at, said_by in said)
        return next((each for each in coming if each[0] >= now), (now.astimezone(zone), ASSUMED))

    def _booked(self) -> list[date | datetime]:
        """The times of the appointments that are proposed, the earliest first."""
        zone = self.site.zone
        found = (moment(start) for start in self.call.starts)
        known = [each.at for each in found if each is not None and each.at is not None]
        return sorted(known, key=lambda at: _in_zone(at, zone))


def _in_call(path: str, said: str, known: Gathered) -> tuple[str, str]:
    """What is wrong with a Bundle of ours, as whoever called has to read it."""
    if path == "patient.id":
        place = next((each.path for each in known.found if type_of(each.resource) == "Patient"), path)
        return place, "is another patient than context.patientId"
    return known.path(path), said


def _in_zone(at: date | datetime, zone: ZoneInfo) -> datetime:
    """A time; of a date alone its noon at the site."""
    return at if isinstance(at, datetime) else datetime.combine(at, time(12), zone)


def _new_id() -> str:
    return str(uuid.uuid4())
