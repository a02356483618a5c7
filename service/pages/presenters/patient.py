"""What is planned, begun and recorded of one patient, as whoever looked for the id reads it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from service.knowledge.library import Library
from service.pages.presenters.drug_names import DrugName, drug_name
from service.pages.presenters.worklist import Row, rows_of
from service.records.drafting import Unfinished
from service.records.search import Hit, Page
from service.webhooks.worklist import Worklist


@dataclass(frozen=True)
class Begun:
    """A checklist that somebody has begun."""

    id: str
    drug: DrugName
    begins: datetime
    kept_by: str
    kept_at: datetime


@dataclass(frozen=True)
class Made:
    """A checklist that is recorded; `corrected` where another one has taken its place."""

    id: str
    drug: DrugName
    status: str
    begins: datetime | None
    made_at: datetime
    corrected: bool


@dataclass(frozen=True)
class PatientView:
    """Everything of one patient; there may be older checklists than those that are `made`."""

    patient: str
    planned: tuple[Row, ...]
    begun: tuple[Begun, ...]
    made: tuple[Made, ...]
    more: bool

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all is known under this id."""
        return not (self.planned or self.begun or self.made)


def patient_view(
    patient: str,
    planned: Worklist,
    begun: Iterable[Unfinished],
    made: Page,
    *,
    zone: ZoneInfo,
    library: Library,
) -> PatientView:
    """The page of a patient: planned infusions by time, drafts and checklists the newest first."""
    rows = sorted(rows_of(planned.infusions, zone, library), key=lambda row: row.begins)
    return PatientView(
        patient=patient,
        planned=tuple(rows),
        begun=tuple(_begun(each, zone, library) for each in begun),
        made=tuple(_made(each, zone, library) for each in made.hits),
        more=made.cursor is not None,
    )


def _begun(draft: Unfinished, zone: ZoneInfo, library: Library) -> Begun:
    return Begun(
        id=draft.id,
        drug=drug_name(draft.drug, library),
        begins=draft.infusion_at.astimezone(zone),
        kept_by=draft.kept_by,
        kept_at=draft.kept_at.astimezone(zone),
    )


def _made(hit: Hit, zone: ZoneInfo, library: Library) -> Made:
    begins = datetime.fromisoformat(hit.infusion_at).astimezone(zone) if hit.infusion_at else None
    return Made(
        id=hit.id,
        drug=drug_name(hit.drug, library),
        status=hit.status,
        begins=begins,
        made_at=hit.created_at.astimezone(zone),
        corrected=hit.superseded_by is not None,
    )
