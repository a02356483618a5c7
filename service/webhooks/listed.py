"""Infusions from a list that the clinic uploads: what would come of it is shown first, and then kept.

A list says what is planned, and cancels nothing: what it does not name stays as it is. What senders told of
stays theirs.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, select

from service.knowledge.library import Library
from service.records.canonical import canonical
from service.records.journal import Act, Event
from service.records.site import SiteRecords
from service.records.tables import infusions, senders
from service.webhooks.incoming import Message, Type
from service.webhooks.infusions import CANCELLED, PLANNED, changed_of, keep_infusion
from service.webhooks.list_reading import PATIENT, LineError, Listed, read_list
from service.webhooks.progress import Visit, day_of

_A_LIST = "an earlier list"
_OTHER_PATIENT = (
    "is another patient than this reference has from an earlier list: mend the id, or give the infusion a "
    "reference of its own"
)


class Does(StrEnum):
    """What a line does."""

    PLANS = "plans"
    CHANGES = "changes"
    NOTHING = "nothing"
    TOLD = "told"


@dataclass(frozen=True)
class Change:
    """What a line does. `before` is the drug and the time that were planned, where it changes them.

    `told_by` is who told of the visit already, so that the line does nothing.
    """

    line: Listed
    does: Does
    before: tuple[str, str] | None = None
    told_by: str | None = None


@dataclass(frozen=True)
class Plan:
    """What would come of a list: what each good line does, what is wrong with others, columns without use."""

    changes: tuple[Change, ...]
    errors: tuple[LineError, ...]
    unused: tuple[str, ...]

    def that(self, *does: Does) -> tuple[Change, ...]:
        """The lines that do this."""
        return tuple(change for change in self.changes if change.does in does)

    @property
    def bad_lines(self) -> int:
        """How many lines something is wrong with."""
        return len({error.line for error in self.errors})

    @property
    def digest(self) -> str:
        """The same for two lists that do the same."""
        said = [[*map(str, vars(each.line).values()), each.does, each.before] for each in self.changes]
        wrong = [[*map(str, vars(error).values())] for error in self.errors]
        return hashlib.sha256(canonical([said, wrong])).hexdigest()


class OtherwiseNow(Exception):
    """What would come of the list is not (any longer) what was confirmed; `plan` is what would."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        super().__init__()


class UploadedLists:
    """The lists of one site. All of it raises BadList and StoreUnavailable."""

    def __init__(self, records: SiteRecords, library: Library, zone: ZoneInfo) -> None:
        self._records, self._library, self._zone = records, library, zone

    def preview(self, text: str, act: Act) -> Plan:
        """What would come of a list; nothing is kept. A line of another patient is entered as refused."""
        with self._records.reading() as connection:
            plan, others = self._plan(connection, text, act)
        if others:
            details = {"paths": [f"line {line}: {PATIENT}" for line in others]}
            self._records.enter(act, Event.OTHER_PATIENT_REFUSED, act.actor, details)
        return plan

    def take(self, text: str, act: Act, *, seen: str, without_bad: bool) -> Plan:
        """Keep what a list says, all of its good lines or nothing; what was done.

        `seen` is the digest of the plan that was confirmed. Raises OtherwiseNow where it is another one by
        now, or lines are bad and it was not said that they are left out.
        """
        with self._records.writing() as writing:
            writing.alone()
            plan, _ = self._plan(writing.connection, text, act)
            if plan.digest != seen or (plan.errors and not without_bad):
                raise OtherwiseNow(plan)
            kept = plan.that(Does.PLANS, Does.CHANGES)
            writing.wrote_nothing = not kept
            before = _by_reference(writing.connection, self._records.site, [each.line for each in kept])
            for each in kept:
                earlier = before.get(each.line.reference)
                keep_infusion(writing, _message(each.line, act), earlier, act, sender=None)
        return plan

    def _plan(self, connection: Connection, text: str, act: Act) -> tuple[Plan, list[int]]:
        """The plan, and the lines that name another patient than an earlier list."""
        read = read_list(text, self._library, act.at, self._zone)
        before = _by_reference(connection, self._records.site, read.lines)
        told = self._told(connection, read.lines)
        changes: list[Change] = []
        others: list[Listed] = []
        for line in read.lines:
            earlier = before.get(line.reference)
            if earlier is not None and earlier.patient != line.patient:
                others.append(line)
            else:
                changes.append(_change(line, earlier, told.get(line.visit), act))
        refused = [LineError(line.line, PATIENT, _OTHER_PATIENT, line.patient) for line in others]
        errors = sorted([*read.errors, *refused], key=lambda error: error.line)
        return Plan(tuple(changes), tuple(errors), read.unused), [line.line for line in others]

    def _told(self, connection: Connection, lines: Sequence[Listed]) -> Mapping[Visit, str]:
        """The visits that are planned already, but not by these references; with who told of them."""
        references = {line.reference for line in lines}
        wanted = (
            select(infusions, senders.c.name.label("told_by"))
            .join(senders, senders.c.id == infusions.c.sender, isouter=True)
            .where(
                infusions.c.site == self._records.site,
                infusions.c.state == PLANNED,
                infusions.c.patient.in_(sorted({line.patient for line in lines})),
            )
        )
        return {
            (row.patient, row.drug, day_of(row.infusion_utc, self._zone)): row.told_by or _A_LIST
            for row in connection.execute(wanted)
            if row.sender is not None or row.reference not in references
        }


def _by_reference(connection: Connection, site: str, lines: Sequence[Listed]) -> Mapping[str, Row[Any]]:
    """What earlier lists said, by reference."""
    wanted = select(infusions).where(
        infusions.c.site == site,
        infusions.c.sender.is_(None),
        infusions.c.reference.in_(sorted({line.reference for line in lines})),
    )
    return {row.reference: row for row in connection.execute(wanted)}


def _message(line: Listed, act: Act) -> Message:
    """The line as what a sender would tell."""
    return Message(Type.SCHEDULED, act.at, line.reference, line.patient, line.drug, line.infusion_at, None)


def _change(line: Listed, before: Row[Any] | None, told_by: str | None, act: Act) -> Change:
    if before is not None and before.state != CANCELLED:
        if not changed_of(before, _message(line, act)):
            return Change(line, Does.NOTHING)
        if told_by is None:
            return Change(line, Does.CHANGES, (before.drug, before.infusion_at))
    if told_by is not None:
        return Change(line, Does.TOLD, told_by=told_by)
    return Change(line, Does.PLANS)
