"""Checklists found, entries of the journal, and the state of its chain, as an auditor reads them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from service.knowledge.library import Library
from service.pages.moments import minute
from service.pages.presenters.events import ABOUT_A_CHECKLIST, EVENT_WORDS
from service.pages.texts import gettext, ngettext
from service.records.chain_state import SUBJECT as CHAIN
from service.records.chain_state import ChainState
from service.records.journal import Event, JournalEntry
from service.records.search import Hit
from service.records.signing import Checkpoint
from service.records.stored import Flag
from service.records.verify import Report


@dataclass(frozen=True)
class Time:
    """A moment: as people read it in the site's time zone, and for programs."""

    shown: str
    iso: str


def time_of(at: datetime, zone: tzinfo) -> Time:
    """A moment to the second, with the offset that it is shown at."""
    local = at.astimezone(zone)
    offset = f"{local:%z}"
    return Time(f"{local:%Y-%m-%d %H:%M:%S} {offset[:3]}:{offset[3:]}", at.isoformat())


# ---------------------------------------------------------------- checklists


@dataclass(frozen=True)
class FlagView:
    """A rule that fired or could not be decided."""

    check: str
    rule: str
    fired: bool
    status: str


@dataclass(frozen=True)
class HitView:
    """A checklist that was found; `patient` and `infusion_at` are None where the patient was erased."""

    id: str
    status: str
    drug: str
    patient: str | None
    infusion_at: str | None
    made_at: Time
    actor: str
    flags: tuple[FlagView, ...]
    counted: str
    supersedes: str | None
    superseded_by: str | None


def hit_view(hit: Hit, library: Library, zone: tzinfo) -> HitView:
    """A hit as it stands in the list."""
    flags = flag_views(hit.flags)
    begins = datetime.fromisoformat(hit.infusion_at) if hit.infusion_at is not None else None
    fired = sum(each.fired for each in flags)
    return HitView(
        id=hit.id,
        status=hit.status,
        drug=library.packs[hit.drug].title if hit.drug in library.packs else hit.drug,
        patient=hit.patient,
        infusion_at=minute(begins.astimezone(zone)) if begins is not None else None,
        made_at=time_of(hit.created_at, zone),
        actor=hit.actor,
        flags=flags,
        counted=_counted(fired, len(flags) - fired),
        supersedes=hit.supersedes,
        superseded_by=hit.superseded_by,
    )


def flag_views(flags: Iterable[Flag]) -> tuple[FlagView, ...]:
    """Rules that were found."""
    return tuple(FlagView(each.check, each.rule, each.verdict == "holds", each.status) for each in flags)


def _counted(fired: int, undecided: int) -> str:
    if not fired and not undecided:
        return gettext("No rule fired, and none was left undecided")
    return ", ".join(
        [
            ngettext("%(num)s rule fired", "%(num)s rules fired", fired),
            gettext("%(num)s could not be decided", num=undecided),
        ]
    )


# ---------------------------------------------------------------- the journal


@dataclass(frozen=True)
class EntryView:
    """An entry of the journal; `checklist` is the id of the checklist that it is about, or None."""

    sequence: int
    at: Time
    words: str
    event: str
    actor: str
    role: str
    subject: str
    checklist: str | None
    request: str
    details: tuple[tuple[str, str], ...]
    commitments: tuple[tuple[str, str], ...]
    previous: str
    digest: str


def entry_view(entry: JournalEntry, zone: tzinfo) -> EntryView:
    """An entry as a line with its details."""
    known = {each.value: each for each in Event}.get(entry.event)
    return EntryView(
        sequence=entry.sequence,
        at=time_of(entry.at, zone),
        words=_words(entry, known),
        event=entry.event,
        actor=entry.actor,
        role=entry.role,
        subject=entry.subject,
        checklist=entry.subject if known in ABOUT_A_CHECKLIST else None,
        request=entry.request,
        details=tuple((name.replace("_", " "), _said(value)) for name, value in entry.details.items()),
        commitments=tuple(sorted(entry.commitments.items())),
        previous=entry.previous,
        digest=entry.digest,
    )


def _words(entry: JournalEntry, event: Event | None) -> str:
    if event is None:
        return entry.event
    if event is Event.CHECKLIST_REPLAYED:
        same = entry.details.get("identical")
        return gettext("Replayed: identical") if same else gettext("Replayed: not the same")
    if event is Event.JOURNAL_VIEWED and entry.subject == CHAIN:
        return gettext("Chain verified: faults") if entry.details.get("faults") else gettext("Chain verified")
    return str(EVENT_WORDS[event])


def _said(value: Any) -> str:
    """A detail as text: a list of texts by commas, anything deeper as JSON."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value) or gettext("none")
    if isinstance(value, Mapping | list):
        return json.dumps(value, ensure_ascii=False)
    if value is None:
        return gettext("none")
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return str(value)


@dataclass(frozen=True)
class Nearby:
    """An entry about a checklist (`own`) or next to one that is; so many (`gap`) are left out before it."""

    entry: EntryView
    own: bool
    gap: int


def nearby(entries: Iterable[JournalEntry], subject: str, zone: tzinfo) -> tuple[Nearby, ...]:
    """The entries about a checklist with their neighbours, in order."""
    found: list[Nearby] = []
    for entry in entries:
        gap = entry.sequence - found[-1].entry.sequence - 1 if found else 0
        found.append(Nearby(entry_view(entry, zone), entry.subject == subject, gap))
    return tuple(found)


# ---------------------------------------------------------------- the chain


@dataclass(frozen=True)
class SignedView:
    """A head or a checkpoint: up to which entry, when, by which key, and whether the signature holds."""

    sequence: int
    at: Time
    digest: str
    key: str
    holds: bool


@dataclass(frozen=True)
class ChainView:
    """Where the chain stands; `verified` says what its last verification found, `sound` if nothing."""

    head: SignedView
    checkpoint: SignedView | None
    verified: str | None
    sound: bool
    is_short: bool


def chain_view(state: ChainState, zone: tzinfo) -> ChainView:
    """The state of a chain in words."""
    checkpoint = state.checkpoint
    return ChainView(
        head=_signed(state.head, zone, holds=state.head_signed),
        checkpoint=_signed(checkpoint, zone, holds=state.checkpoint_signed) if checkpoint else None,
        verified=_verified(state.verified, zone) if state.verified else None,
        sound=state.verified is not None and not state.verified.details["faults"],
        is_short=state.is_short,
    )


def _signed(signed: Checkpoint, zone: tzinfo, *, holds: bool) -> SignedView:
    return SignedView(signed.sequence, time_of(signed.at, zone), signed.digest, signed.key, holds)


def _verified(entry: JournalEntry, zone: tzinfo) -> str:
    said = {"through": entry.details["through"], "at": time_of(entry.at, zone).shown, "by": entry.actor}
    faults = entry.details["faults"]
    if not faults:
        return gettext("Verified up to entry %(through)s at %(at)s by %(by)s: nothing is at fault.", **said)
    return ngettext(
        "Read up to entry %(through)s at %(at)s by %(by)s: %(num)s fault.",
        "Read up to entry %(through)s at %(at)s by %(by)s: %(num)s faults.",
        faults,
        **said,
    )


@dataclass(frozen=True)
class ReportView:
    """What a verification found."""

    sound: bool
    says: str
    contents: str
    signed: str
    digest: str
    faults: tuple[str, ...]
    notes: tuple[str, ...]
    unlisted: int


def report_view(report: Report) -> ReportView:
    """A report in words."""
    faults = len(report.faults) + report.unlisted
    if faults:
        says = ngettext(
            "%(num)s fault. Nothing is at fault up to entry %(verified)s.",
            "%(num)s faults. Nothing is at fault up to entry %(verified)s.",
            faults,
            verified=report.verified,
        )
    else:
        says = ngettext("%(num)s entry verified.", "%(num)s entries verified.", report.entries)
    contents = {"opened": report.opened, "erased": report.erased}
    return ReportView(
        sound=not faults,
        says=says,
        contents=gettext("%(opened)s with their contents, %(erased)s erased.", **contents),
        signed=gettext("Signed up to entry %(signed)s.", signed=report.signed),
        digest=report.digest,
        faults=tuple(map(str, report.faults)),
        notes=tuple(report.notes),
        unlisted=report.unlisted,
    )
