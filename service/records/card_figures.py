"""How the cards of each rule were taken by those who saw them in an EHR.

That is not how its findings were answered: an answer to a card overrides nothing in the record.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, and_

from service.intake.filters import Filters
from service.records.journal import Event
from service.records.search import matching
from service.records.tables import cards, checklists, journal

RuleKey = tuple[str, str, str]


@dataclass(frozen=True)
class CardFigures:
    """The cards that were about one rule of one drug: a card that is about several counts for each of them.

    `reasons` are those of the last outcomes for which one was given, one for each overridden card.
    """

    shown: int = 0
    accepted: int = 0
    overridden: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The figures as JSON."""
        reasons = dict(sorted(self.reasons.items(), key=lambda each: (-each[1], each[0])))
        return {**vars(self), "reasons": reasons}


NO_CARDS = CardFigures()


def card_figures(connection: Connection, site: str, counted: Filters) -> Mapping[RuleKey, CardFigures]:
    """The figures of each drug, check and rule, for the checklists that are counted."""
    accepted, overridden = _told(connection, site, counted)
    shown: Counter[RuleKey] = Counter()
    taken: dict[str, Counter[RuleKey]] = {"accepted": Counter(), "overridden": Counter()}
    reasons: dict[RuleKey, Counter[str]] = defaultdict(Counter)
    wanted = matching(site, counted, [checklists.c.drug, cards.c.id, cards.c.findings]).join(
        cards, cards.c.checklist == checklists.c.id
    )
    for drug, card, findings in connection.execute(wanted):
        for check, rule in findings:
            if rule is None:
                continue
            key = (drug, check, rule)
            shown[key] += 1
            taken["accepted"][key] += card in accepted
            taken["overridden"][key] += card in overridden
            if overridden.get(card) is not None:
                reasons[key][str(overridden[card])] += 1
    return {
        key: CardFigures(times, taken["accepted"][key], taken["overridden"][key], dict(reasons[key]))
        for key, times in shown.items()
    }


def _told(connection: Connection, site: str, counted: Filters) -> tuple[set[str], dict[str, str | None]]:
    """The cards that were accepted; and those that were overridden, with the last reason that was given.

    What was done last counts, not what was told last: EHRs tell late, and in any order.
    """
    about = and_(
        journal.c.site == site,
        journal.c.subject == checklists.c.id,
        journal.c.event.in_([Event.CARD_ACCEPTED.value, Event.CARD_OVERRIDDEN.value]),
    )
    columns = [journal.c.event, journal.c.details]
    wanted = matching(site, counted, columns).join(journal, about).order_by(journal.c.sequence)
    accepted: set[str] = set()
    overridden: dict[str, str | None] = {}
    told = connection.execute(wanted).all()
    for event, details in sorted(told, key=lambda row: str(row.details["at"])):  # all written in one form
        if event == Event.CARD_ACCEPTED.value:
            accepted.add(details["card"])
        else:
            overridden[details["card"]] = details.get("reason") or overridden.get(details["card"])
    return accepted, overridden
