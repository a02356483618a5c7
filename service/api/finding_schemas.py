"""What is asked and answered about many checklists at once, as it is documented."""

from marshmallow import Schema, fields, validate

from service.api import described as a
from service.intake.filters import VERDICTS, FiltersSchema
from service.records.search import MOST_HITS, USUAL_HITS

LONGEST_CURSOR = 400


class SearchSchema(FiltersSchema):
    """What checklists are looked for by, and which page of them."""

    limit = fields.Integer(
        strict=True,
        load_default=USUAL_HITS,
        validate=validate.Range(1, MOST_HITS),
        metadata=a.said("How many at most."),
    )
    cursor = fields.String(
        load_default=None,
        validate=validate.Length(max=LONGEST_CURSOR),
        metadata=a.said("The cursor of the page before; the filters must be the same."),
    )


class FlagSchema(Schema):
    """A rule that fired (holds) or could not be decided (undecided)."""

    rule = a.text()
    check = a.text()
    verdict = a.text(validate=validate.OneOf(VERDICTS))
    status = a.status()


class HitSchema(Schema):
    """A checklist that was found; of an erased patient, patient and infusion_at are null."""

    id = a.text(metadata={"format": "uuid"})
    created_at = a.moment()
    drug = a.text()
    status = a.status()
    infusion_at = a.maybe(metadata={"format": "date-time"})
    patient = a.maybe()
    actor = a.text()
    flags = a.each(FlagSchema)
    supersedes = a.maybe(metadata={"format": "uuid"})
    superseded_by = a.maybe(metadata={"format": "uuid"})


class HitsSchema(Schema):
    """A page of checklists, the newest first."""

    checklists = a.each(HitSchema)
    cursor = a.maybe(metadata=a.said("Of the next page; null where there is none."))
