"""What is answered about planned infusions, as it is documented."""

from marshmallow import RAISE, Schema, fields, validate

from service.api import described as a
from service.api.finding_schemas import FlagSchema
from service.checklist.rules import Status
from service.records.record import Outcome
from service.webhooks.infusions import CANCELLED, PLANNED
from service.webhooks.worklist import WorklistSearchSchema

_STATUSES = [status.word for status in Status]


class CheckedSchema(Schema):
    """The checklist that was made of a message."""

    id = a.text(metadata={"format": "uuid"})
    status = a.status()
    link = a.text(metadata=a.said("Where it can be read."))


class TakenSchema(Schema):
    """What came of a message; nothing of the patient is in it."""

    infusion = a.text(metadata={"format": "uuid", "description": "Our id of the infusion."})
    state = a.text(validate=validate.OneOf([PLANNED, CANCELLED]))
    applied = a.flag(metadata=a.said("False where a later message about the infusion came before."))
    checklist = fields.Nested(
        CheckedSchema, required=True, allow_none=True, metadata=a.said("Null where nothing was checked.")
    )


class WorklistAskedSchema(WorklistSearchSchema):
    """Which infusions; nothing of a patient, since these stand in an address."""

    class Meta:
        """Unknown keys are refused, and the patient is one."""

        unknown = RAISE
        exclude = ("patient",)


class DraftInProgressSchema(Schema):
    """A checklist of the visit that somebody has begun."""

    id = a.text(metadata={"format": "uuid"})
    kept_by = a.text(metadata=a.said("Who kept it last, by the printed name."))
    kept_at = a.moment()


class EndedSchema(Schema):
    """How the visit ended, as it was recorded last."""

    outcome = a.text(validate=validate.OneOf([each.value for each in Outcome]))
    at = a.moment()


class PlannedSchema(Schema):
    """An infusion of a day, and the newest checklist of its patient, drug and day that stands."""

    id = a.maybe(metadata={"format": "uuid", **a.said("Null where nobody planned it.")})
    sender = a.maybe(metadata=a.said("Who told of it; null where it is from a list or nobody planned it."))
    reference = a.maybe(metadata=a.said("That of the sender or the list; null where nobody planned it."))
    patient = a.text()
    drug = a.text()
    infusion_at = a.moment()
    status = a.maybe(
        validate=validate.OneOf([*_STATUSES, None]), metadata=a.said("Null where it was not checked.")
    )
    checklist = a.maybe(metadata={"format": "uuid"})
    checked_at = a.maybe(metadata={"format": "date-time"})
    flags = a.each(FlagSchema)
    drafts = a.each(DraftInProgressSchema)
    outcome = fields.Nested(
        EndedSchema, required=True, allow_none=True, metadata=a.said("Null until one is recorded.")
    )


class CountsSchema(Schema):
    """How many there are of each."""

    block = a.number()
    not_checked = a.number()
    warn = a.number()
    pass_ = a.number(data_key="pass")
    cancelled = a.number(metadata=a.said("These are not listed."))


class WorklistSchema(Schema):
    """The infusions: blocked or not checked, then warnings, then passes, then what is over; each by time."""

    counts = fields.Nested(CountsSchema, required=True)
    infusions = a.each(PlannedSchema)
