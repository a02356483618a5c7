"""Which times of a record can be times of the patient's life at all."""

from datetime import datetime

from service.checklist.evidence import day_of
from service.fhir.chart import Chart
from service.fhir.resources import Moment, moment


def in_life(at: Moment | None, chart: Chart, infusion_at: datetime) -> Moment | None:
    """A time of a record; none where it lies before the birth of the patient.

    Days are counted in the offset of the infusion, as everywhere.
    """
    born = moment((chart.patient or {}).get("birthDate"))
    if at is None or born is None:
        return at
    day = day_of(at.at, infusion_at.tzinfo) if at.at is not None else at.last
    return at if day >= born.first else None
