"""How far visits have come: the checklist that stands, the drafts in progress, and the outcome.

A visit is a patient, a drug and a day of the site. That is how a planned infusion, a checklist and a draft
are known to be about the same.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, and_, select

from service.intake.values import Refused, read_datetime
from service.knowledge.library import Library, UnknownDrug
from service.records.drafting import KEPT_BY
from service.records.journal import Event
from service.records.search import newer
from service.records.tables import checklists, contents, drafts, journal, moment_text

MOST_DRAFTS = 500

Visit = tuple[str, str, date]  # patient, drug and day
Period = tuple[datetime, datetime]  # from the first moment on, up to the second one


@dataclass(frozen=True)
class InProgress:
    """A draft of a visit: its id, who kept it last, by the printed name, and when."""

    id: str
    kept_by: str
    kept_at: datetime
    infusion_at: datetime

    def document(self) -> dict[str, Any]:
        """The draft as JSON; when the infusion is meant to begin stands beside it."""
        return {"id": self.id, "kept_by": self.kept_by, "kept_at": moment_text(self.kept_at)}


@dataclass(frozen=True)
class Ended:
    """How a visit ended, and when that was recorded."""

    outcome: str
    at: datetime

    def document(self) -> dict[str, Any]:
        """The ending as JSON."""
        return {"outcome": self.outcome, "at": moment_text(self.at)}


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    """The day of the site that a moment is in."""
    return moment.astimezone(zone).date()


def checked_visits(
    connection: Connection, site: str, period: Period, zone: ZoneInfo
) -> Mapping[Visit, Row[Any]]:
    """The newest checklist of each visit of a period that no other one corrects."""
    kept = and_(checklists.c.id == contents.c.checklist, checklists.c.site == contents.c.site)
    about = contents.join(checklists, kept)
    names = ("id", "status", "created_at", "actor", "drug")
    wanted = (
        select(
            *(checklists.c[name] for name in names),
            *(contents.c[name] for name in ("patient", "infusion_at", "infusion_utc")),
        )
        .select_from(about.outerjoin(newer, newer.c.supersedes == checklists.c.id))
        .where(contents.c.site == site, newer.c.id.is_(None))
        .where(contents.c.infusion_utc >= period[0], contents.c.infusion_utc < period[1])
        .order_by(checklists.c.created_at, checklists.c.id)
    )
    rows = connection.execute(wanted)
    return {(row.patient, row.drug, day_of(row.infusion_utc, zone)): row for row in rows}


def drafted_visits(
    connection: Connection, site: str, zone: ZoneInfo, library: Library
) -> Mapping[Visit, tuple[InProgress, ...]]:
    """The drafts of a site by visit, the one kept last first; of drafts without end the newest ones.

    What another program keeps as a draft, and is no request for a checklist, is of no visit.
    """
    wanted = (
        select(drafts.c.id, drafts.c.patient, drafts.c.body, drafts.c.updated_at)
        .where(drafts.c.site == site, drafts.c.patient.is_not(None))
        .order_by(drafts.c.updated_at.desc(), drafts.c.id)
        .limit(MOST_DRAFTS)
    )
    found: dict[Visit, list[InProgress]] = defaultdict(list)
    for row in connection.execute(wanted):
        if (about := _about(row.body, library)) is not None:
            drug, infusion_at, kept_by = about
            draft = InProgress(row.id, kept_by, row.updated_at, infusion_at)
            found[(row.patient, drug, day_of(infusion_at, zone))].append(draft)
    return {visit: tuple(several) for visit, several in found.items()}


def _about(body: bytes, library: Library) -> tuple[str, datetime, str] | None:
    """The drug, when the infusion is meant to begin, and who kept it; None where it is no draft of ours."""
    try:
        document = json.loads(body)
        drug, kept_by = library.find(document["drug"]).id, document[KEPT_BY]
        return drug, read_datetime(document["infusion_at"]), str(kept_by)
    except (ValueError, TypeError, KeyError, AttributeError, UnknownDrug, Refused):
        return None


def endings(connection: Connection, site: str, ids: list[str]) -> Mapping[str, Ended]:
    """How each of these checklists ended, as it was recorded last; what has no outcome is not there."""
    wanted = (
        select(journal.c.subject, journal.c.details, journal.c.at)
        .where(
            journal.c.site == site,
            journal.c.subject.in_(ids),
            journal.c.event == Event.OUTCOME_RECORDED.value,
        )
        .order_by(journal.c.sequence)
    )
    return {row.subject: Ended(row.details["outcome"], row.at) for row in connection.execute(wanted)}
