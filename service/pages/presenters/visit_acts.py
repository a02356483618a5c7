"""What was done about a checklist, as people read it: answers, signatures, second checks, outcomes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from service.checklist.facts import Vocabulary
from service.pages.moments import clock, minute
from service.pages.presenters.seen import label_of, value_in_words
from service.pages.texts import Later, gettext, lazy_gettext
from service.records.journal import Event, JournalEntry
from service.records.reasons import OutcomeReason, Reason
from service.records.record import Meaning, Outcome, Visit
from service.records.visits import Record

Remarks = Mapping[str, Mapping[str, str]]

MEANINGS: Mapping[str, Later] = {
    Meaning.PERFORMED: lazy_gettext("Performed this check"),
    Meaning.DOUBLE_CHECK: lazy_gettext("Made the independent double check, and it agrees"),
    Meaning.REVIEWED: lazy_gettext("Reviewed this check"),
}
OUTCOMES: Mapping[str, Later] = {
    Outcome.INFUSED: lazy_gettext("Infused to the end"),
    Outcome.HELD: lazy_gettext("Held, and nothing given"),
    Outcome.STOPPED: lazy_gettext("Stopped before the whole dose was given"),
}
ANSWERS: Mapping[str, Later] = {
    Event.WARN_ACKNOWLEDGED: lazy_gettext("Acknowledged"),
    Event.BLOCK_OVERRIDDEN: lazy_gettext("Overridden, for this dose only"),
}


@dataclass(frozen=True)
class When:
    """A moment in the clinic's time and in UTC, and as programs read it; `clock` is the local time of day."""

    local: str
    clock: str
    utc: str
    iso: str

    @classmethod
    def of(cls, moment: datetime, zone: ZoneInfo) -> "When":
        """A moment of the journal."""
        return cls._shown(moment.astimezone(zone), moment)

    @classmethod
    def signed(cls, entry: JournalEntry) -> "When":
        """The moment of a signature, in the local time that was signed with it."""
        return cls._shown(datetime.fromisoformat(entry.details["local_at"]), entry.at)

    @classmethod
    def _shown(cls, local: datetime, moment: datetime) -> "When":
        utc = moment.astimezone(UTC)
        return cls(minute(local), clock(local), minute(utc), utc.isoformat())


@dataclass(frozen=True)
class Said:
    """Something done, by whom, when, and why. `erased` where there were words that are gone."""

    what: str
    name: str
    role: str
    when: When
    reason: str | None
    comment: str | None
    order_reference: str | None
    erased: bool


@dataclass(frozen=True)
class Signature:
    """A signature as it is printed. `covers_all` where nothing was done about the visit after it."""

    name: str
    role: str
    meaning: str
    when: When
    record: str
    covers_all: bool


@dataclass(frozen=True)
class BothValues:
    """A fact as each of two people gave it."""

    label: str
    first: str
    second: str
    agrees: bool


@dataclass(frozen=True)
class SecondCheck:
    """What a second person entered; `values` is None where it has been erased."""

    name: str
    role: str
    when: When
    agrees: bool
    values: tuple[BothValues, ...] | None


def said_of(entry: JournalEntry, remarks: Remarks, zone: ZoneInfo) -> Said:
    """An answer to a finding, or an outcome."""
    words = remarks.get(entry.details["remark"]) if "remark" in entry.details else {}
    code, what = entry.details.get("reason"), ANSWERS.get(entry.event)
    reasons = Reason if what is not None else OutcomeReason
    said = what if what is not None else OUTCOMES[entry.details["outcome"]]
    return Said(
        what=str(said),
        name=entry.details["name"],
        role=entry.role,
        when=When.of(entry.at, zone),
        reason=gettext(reasons.coded(code).words) if code else None,
        comment=(words or {}).get("comment"),
        order_reference=(words or {}).get("order_reference"),
        erased=words is None,
    )


def signatures_of(visit: Visit) -> tuple[Signature, ...]:
    """The signatures of a visit, in order."""
    return tuple(
        Signature(
            name=entry.details["name"],
            role=entry.role,
            meaning=str(MEANINGS[entry.details["meaning"]]),
            when=When.signed(entry),
            record=entry.details["record"],
            covers_all=visit.is_signed_whole(entry),
        )
        for entry in visit.attestations
    )


def second_checks_of(
    visit: Visit, remarks: Remarks, vocabulary: Vocabulary, zone: ZoneInfo
) -> tuple[SecondCheck, ...]:
    """What second people entered, in order; the last one counts."""
    return tuple(_second_check(entry, remarks, vocabulary, zone) for entry in visit.double_checks)


def _second_check(
    entry: JournalEntry, remarks: Remarks, vocabulary: Vocabulary, zone: ZoneInfo
) -> SecondCheck:
    words = remarks.get(entry.details["remark"])
    both = None if words is None else json.loads(words["compared"])
    return SecondCheck(
        name=entry.details["name"],
        role=entry.role,
        when=When.of(entry.at, zone),
        agrees=not entry.details["differs"],
        values=None if both is None else tuple(_both(each, vocabulary) for each in both),
    )


def _both(compared: Mapping[str, Any], vocabulary: Vocabulary) -> BothValues:
    name = compared["fact"]
    return BothValues(
        label=label_of(name, vocabulary),
        first=_in_words(compared["first"], name, vocabulary),
        second=_in_words(compared["second"], name, vocabulary),
        agrees=compared["agrees"],
    )


def _in_words(value: Mapping[str, Any] | None, fact: str, vocabulary: Vocabulary) -> str:
    if value is None:
        return gettext("not known")
    said = value_in_words(value["value"], value.get("unit"), vocabulary.facts.get(fact))
    limits = [str(value[name]) for name in ("ref_low", "ref_high") if name in value]
    more = [gettext("limits %(limits)s", limits=" – ".join(limits))] if limits else []
    return ", ".join([said, *([value["at"]] if "at" in value else []), *more])


@dataclass(frozen=True)
class ErasedView:
    """What is left of the visit of an erased patient: its acts, without the words that went with them."""

    id: str
    drug: str
    status: str
    made: When
    answers: tuple[Said, ...]
    signatures: tuple[Signature, ...]
    outcomes: tuple[Said, ...]


def erased_view(record: Record, zone: ZoneInfo) -> ErasedView:
    """The record of a patient who is erased."""
    visit, subject = record.visit, record.subject

    def said(*events: Event) -> tuple[Said, ...]:
        return tuple(said_of(each, record.remarks, zone) for each in visit.entries_of(*events))

    return ErasedView(
        id=subject.id,
        drug=subject.drug,
        status=subject.status,
        made=When.of(subject.made_at, zone),
        answers=said(Event.WARN_ACKNOWLEDGED, Event.BLOCK_OVERRIDDEN),
        signatures=signatures_of(visit),
        outcomes=said(Event.OUTCOME_RECORDED),
    )
