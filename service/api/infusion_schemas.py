"""What is answered about planned infusions, as it is documented."""

from marshmallow import RAISE, Schema, fields, validate

from service.api import described as a
from service.api.finding_schemas import FlagSchema
from service.checklist.rules import Status
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


class PlannedSchema(Schema):
    """An infusion that is planned, and the newest checklist of its patient, drug and day that stands."""

    id = a.text(metadata={"format": "uuid"})
    sender = a.maybe(metadata=a.said("Who told of it."))
    reference = a.text(metadata=a.said("The sender's own."))
    patient = a.text()
    drug = a.text()
    infusion_at = a.moment()
    status = a.maybe(
        validate=validate.OneOf([*_STATUSES, None]), metadata=a.said("Null where it was not checked.")
    )
    checklist = a.maybe(metadata={"format": "uuid"})
    checked_at = a.maybe(metadata={"format": "date-time"})
    flags = a.each(FlagSchema)


class CountsSchema(Schema):
    """How many there are of each."""

    block = a.number()
    not_checked = a.number()
    warn = a.number()
    pass_ = a.number(data_key="pass")
    cancelled = a.number(metadata=a.said("These are not listed."))


class WorklistSchema(Schema):
    """The planned infusions: what is blocked or was not checked, then warnings, then passes; each by time."""

    counts = fields.Nested(CountsSchema, required=True)
    infusions = a.each(PlannedSchema)
