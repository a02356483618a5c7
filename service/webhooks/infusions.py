"""Infusions that are planned: each message of a sender is taken once, and the latest one says what is so.

A message that is older than one about the same infusion that was taken before changes nothing, so that the
order in which they arrive plays no part. An infusion never becomes another patient's.
"""

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from service.intake.errors import BadInput, FieldError
from service.records.journal import Act, Event
from service.records.making import Making
from service.records.site import Writing
from service.records.stored import StoredChecklist
from service.records.tables import infusions, messages
from service.webhooks.incoming import Message, Type, in_data, message_of
from service.webhooks.senders import Sender

PLANNED, CANCELLED = "planned", "cancelled"


class AnotherPatient(BadInput):
    """The message names another patient than an earlier one about the same infusion."""

    def __init__(self) -> None:
        says = "is another patient than this reference has: cancel it and send a new reference"
        super().__init__([FieldError("data.patient.id", says)])


class MessageReused(Exception):
    """The message id came before with another body."""


@dataclass(frozen=True)
class Taken:
    """What is answered to a message, without anything of the patient.

    That is `infusion` (our id), its `state`, whether the message was `applied`, and id and status of the
    `checklist` that was made, or None.
    """

    answer: Mapping[str, Any]
    repeated: bool = False


class Infusions:
    """The infusions of one site."""

    def __init__(self, making: Making) -> None:
        self._making, self._records = making, making.store.records

    def take(self, sender: Sender, id: str, body: bytes, act: Act) -> Taken:
        """Take a message: the infusion and its checklist are kept together, or nothing is.

        Raises BadInput naming every bad field, AnotherPatient (which is entered), MessageReused,
        StoreUnavailable.
        """
        try:
            return self._taken(sender, id, body, act)
        except AnotherPatient as other:
            details = {"paths": [error.path for error in other.errors]}
            self._records.enter(act, Event.OTHER_PATIENT_REFUSED, act.actor, details)
            raise

    def _taken(self, sender: Sender, id: str, body: bytes, act: Act) -> Taken:
        message = message_of(body, self._making.library, act.at)
        digest = hashlib.sha256(body).hexdigest()
        with self._records.reading() as connection:
            first = _first(connection, sender, id, digest)
        if first is not None:
            return Taken(first, repeated=True)
        checklist = self._evaluated(message, act)
        with self._records.writing() as writing:
            if checklist is not None:
                self._making.keep_basis(writing, checklist)
            writing.alone()
            first = _first(writing.connection, sender, id, digest)
            if first is not None:  # another process took it meanwhile
                writing.wrote_nothing = True
                return Taken(first, repeated=True)
            answer = self._applied(writing, sender, message, checklist, act)
            kept = {"id": id, "sender": sender.id, "site": self._records.site, "patient": message.patient}
            row = {**kept, "at": act.at, "body": digest, "answer": answer}
            writing.connection.execute(insert(messages).values(row))
        return Taken(answer)

    def _evaluated(self, message: Message, act: Act) -> StoredChecklist | None:
        if message.request is None:
            return None
        try:
            return self._making.evaluated(message.request, act)
        except BadInput as bad:
            raise in_data(bad) from None

    def _applied(
        self,
        writing: Writing,
        sender: Sender,
        message: Message,
        checklist: StoredChecklist | None,
        act: Act,
    ) -> dict[str, Any]:
        """Keep what a message says, and the checklist; what is answered."""
        mine = (infusions.c.sender == sender.id, infusions.c.reference == message.reference)
        wanted = select(infusions).where(infusions.c.site == self._records.site, *mine)
        before = writing.connection.execute(wanted).one_or_none()
        if before is not None and before.patient != message.patient:
            raise AnotherPatient
        if before is not None and message.at < before.told_at:
            writing.wrote_nothing = True  # that a message came too late is no event
            return _answer(before.id, before.state, applied=False)
        further = {}
        if checklist is not None:
            self._making.keep(writing, checklist, act)
            further["checklist"] = checklist.id
        id = keep_infusion(writing, message, before, act, sender=sender.id, further=further)
        return _answer(id, _state(message), applied=True, checklist=checklist)


def keep_infusion(
    writing: Writing,
    message: Message,
    before: Row[Any] | None,
    act: Act,
    *,
    sender: str | None,
    further: Mapping[str, str] | None = None,
) -> str:
    """Keep what is told of an infusion in place of what was `before`, with its journal entry; its id.

    `sender` is the id of who told it, None for a list of the clinic's own; `further` is what the entry says
    beside that.
    """
    id, row = before.id if before is not None else str(uuid.uuid4()), _row(message)
    if before is None:
        named = {"id": id, "site": writing.site, "sender": sender, "reference": message.reference}
        writing.connection.execute(insert(infusions).values({**named, **row}))
    else:
        writing.connection.execute(update(infusions).where(infusions.c.id == id).values(row))
    details = {"drug": message.drug, "changed": changed_of(before, message), **(further or {})}
    # Whose it is, when, and its reference can be erased.
    said = {"reference": message.reference, "infusion_at": row["infusion_at"]}
    writing.remark(act, event_of(before, message), id, details=details, parts=said, patient=message.patient)
    return id


def _first(connection: Connection, sender: Sender, id: str, digest: str) -> Mapping[str, Any] | None:
    """What was answered to this message before, if it was. Raises MessageReused."""
    wanted = select(messages.c.body, messages.c.answer).where(
        messages.c.sender == sender.id, messages.c.id == id
    )
    row = connection.execute(wanted).one_or_none()
    if row is None:
        return None
    if row.body != digest:
        raise MessageReused
    return dict(row.answer)


def _answer(
    id: str, state: str, *, applied: bool, checklist: StoredChecklist | None = None
) -> dict[str, Any]:
    made = {"id": checklist.id, "status": checklist.status} if checklist is not None else None
    return {"infusion": id, "state": state, "applied": applied, "checklist": made}


def _row(message: Message) -> dict[str, Any]:
    """What a message says of its infusion, as it is kept."""
    return {
        "patient": message.patient,
        "drug": message.drug,
        "infusion_at": message.infusion_at.isoformat(),
        "infusion_utc": message.infusion_at,
        "state": _state(message),
        "told_at": message.at,
    }


def _state(message: Message) -> str:
    return CANCELLED if message.type is Type.CANCELLED else PLANNED


def event_of(before: Row[Any] | None, message: Message) -> Event:
    """What it is that a message tells, given what was known before."""
    if message.type is Type.CANCELLED:
        return Event.INFUSION_CANCELLED
    new = before is None or before.state == CANCELLED
    return Event.INFUSION_PLANNED if new else Event.INFUSION_CHANGED


def changed_of(before: Row[Any] | None, message: Message) -> list[str]:
    """The names of what is otherwise than it was; none of a new infusion."""
    if before is None:
        return []
    now = {"drug": message.drug, "infusion_utc": message.infusion_at}
    names = {"infusion_utc": "infusion_at"}
    return sorted(names.get(name, name) for name, value in now.items() if before._mapping[name] != value)
