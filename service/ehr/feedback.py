"""The cards that EHRs were given, and what they tell of them: entered once, all of it or nothing.

It says how a card was taken. It is no override in the record: a block there still needs the prescriber's own
signature, and nothing here counts as one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select

from service.ehr.cards import Card
from service.fhir.told import REASON_SYSTEM
from service.intake.errors import BadInput, FieldError
from service.records.journal import Act, Event, JournalEntry
from service.records.reasons import Reason
from service.records.site import SiteRecords, Writing
from service.records.tables import card_feedback, cards, checklists, contents, moment_text

ACCEPTED, OVERRIDDEN = "accepted", "overridden"
_EVENTS = {ACCEPTED: Event.CARD_ACCEPTED, OVERRIDDEN: Event.CARD_OVERRIDDEN}
_OWN_REASONS = frozenset(reason.value for reason in Reason)
_CLOCKS_APART = timedelta(minutes=5)  # ours and that of whoever answers a card
# One of the EHR's own: what it says is kept apart, since it may say anything.
ANOTHER_REASON = "another"


@dataclass(frozen=True)
class Told:
    """What is told of one card. `reason` is a coding; it and the comment are words of the EHR."""

    card: str
    outcome: str
    at: datetime
    suggestions: tuple[str, ...] = ()
    reason: Mapping[str, str] | None = None
    comment: str | None = None

    @property
    def key(self) -> tuple[str, str, datetime]:
        """What is entered once."""
        return self.card, self.outcome, self.at

    @property
    def is_coded(self) -> bool:
        """Whether the reason is one of those that the card offers."""
        reason = self.reason or {}
        return reason.get("system", REASON_SYSTEM) == REASON_SYSTEM and reason.get("code") in _OWN_REASONS

    def details(self) -> dict[str, Any]:
        """What the journal says of it: nothing that an EHR could have worded."""
        said: dict[str, Any] = {"card": self.card, "at": moment_text(self.at)}
        if self.outcome == ACCEPTED:
            said["suggestions"] = list(self.suggestions)
        elif self.reason is not None:
            said["reason"] = self.reason["code"] if self.is_coded else ANOTHER_REASON
        return said

    def words(self) -> dict[str, str]:
        """What is kept apart, and erased with the patient."""
        said = {"comment": self.comment} if self.comment is not None else {}
        if self.reason is not None and not self.is_coded:
            said |= {f"reason_{name}": each for name, each in self.reason.items()}
        return said


def keep_cards(writing: Writing, given: Sequence[Card], checklist: str, client: str) -> None:
    """Keep which cards an EHR was given, in the transaction that keeps their checklist."""
    rows = [
        {
            "id": card.id,
            "site": writing.site,
            "checklist": checklist,
            "client": client,
            "findings": [list(finding) for finding in card.findings],
            "suggestions": card.suggestions,
        }
        for card in given
    ]
    if rows:
        writing.connection.execute(insert(cards), rows)


class CardFeedback:
    """What is told of the cards of one site."""

    def __init__(self, records: SiteRecords) -> None:
        self._records = records

    def enter(self, told: Sequence[Told], client: str, act: Act) -> None:
        """Enter what an EHR tells of cards that it was given; what was told before is passed over.

        Raises BadInput naming each entry that is about no such card, or of a time at which nobody can have
        seen it, and then enters nothing; StoreUnavailable.
        """
        with self._records.writing() as writing:
            writing.alone()  # nobody erases a patient between the reading of a card and the words about it
            known = self._cards(writing.connection, told, client)
            _check(told, known, act.at)
            before = _told_before(writing.connection, told)
            new = {each.key: each for each in told if each.key not in before}
            for each in new.values():
                card = known[each.card]
                entry = _entered(writing, act, each, card)
                row = {"card": each.card, "outcome": each.outcome, "at": each.at, "entry": entry.sequence}
                writing.connection.execute(insert(card_feedback).values(row))
            writing.wrote_nothing = not new

    def _cards(self, connection: Connection, told: Sequence[Told], client: str) -> dict[str, Any]:
        """The cards that are told of, as far as this EHR was given them."""
        wanted = (
            select(
                cards.c.id,
                cards.c.checklist,
                cards.c.suggestions,
                checklists.c.created_at,
                contents.c.patient,
            )
            .join(checklists, checklists.c.id == cards.c.checklist)
            .join(contents, contents.c.checklist == cards.c.checklist, isouter=True)
            .where(
                cards.c.site == self._records.site,
                cards.c.client == client,
                cards.c.id.in_({each.card for each in told}),
            )
        )
        return {row.id: row for row in connection.execute(wanted)}


def _check(told: Sequence[Told], known: Mapping[str, Any], now: datetime) -> None:
    """Return where all of it is about cards that are known, after they were given. Raises BadInput."""
    errors = []
    for place, each in enumerate(told):
        card = known.get(each.card)
        if card is None:
            said = "is no card that this EHR was given; nothing of this feedback was entered"
            errors.append(FieldError(f"feedback[{place}].card", said))
            continue
        why = _no_time_of(each, card, now)
        if why is not None:
            said = f"{why}; nothing of this feedback was entered"
            errors.append(FieldError(f"feedback[{place}].outcomeTimestamp", said))
        for number, id in enumerate(each.suggestions):
            if id not in card.suggestions:
                said = "is no suggestion of this card; nothing of this feedback was entered"
                errors.append(FieldError(f"feedback[{place}].acceptedSuggestions[{number}].id", said))
    if errors:
        raise BadInput(errors)


def _no_time_of(told: Told, card: Any, now: datetime) -> str | None:
    """Why nothing can have been done about a card at that time."""
    if told.at > now + _CLOCKS_APART:
        return "is more than 5 minutes ahead of now"
    if told.at < card.created_at - _CLOCKS_APART:
        return "is before this card was made"
    return None


def _told_before(connection: Connection, told: Sequence[Told]) -> set[tuple[str, str, datetime]]:
    wanted = select(card_feedback.c.card, card_feedback.c.outcome, card_feedback.c.at).where(
        card_feedback.c.card.in_({each.card for each in told})
    )
    return {(row.card, row.outcome, row.at) for row in connection.execute(wanted)}


def _entered(writing: Writing, act: Act, told: Told, card: Any) -> JournalEntry:
    event, words = _EVENTS[told.outcome], told.words()
    # Of an erased patient no new words are kept.
    if not words or card.patient is None:
        return writing.enter(act, event, card.checklist, told.details())
    return writing.remark(
        act, event, card.checklist, details=told.details(), parts=words, patient=card.patient
    )
