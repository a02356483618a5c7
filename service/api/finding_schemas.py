"""What is asked and answered about many checklists at once, as it is documented."""

from functools import partial

from marshmallow import Schema, fields, validate

from service.api import described as a
from service.intake.filters import VERDICTS, FiltersSchema
from service.records.checklist_export import Format
from service.records.search import MOST_HITS, USUAL_HITS

LONGEST_CURSOR = 400
_seconds = partial(fields.Float, required=True, allow_none=True)


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


class ExportSchema(FiltersSchema):
    """Which checklists are taken out, and how they are written."""

    format = fields.String(load_default=Format.NDJSON, validate=validate.OneOf(list(Format)))


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


class QualityAskedSchema(FiltersSchema):
    """Of which checklists the figures are."""

    class Meta(FiltersSchema.Meta):
        """Nothing of a patient: these stand in an address."""

        fields = ("drug", "made_from", "made_to")


class CardFiguresSchema(Schema):
    """How the cards about a rule were taken in EHRs. None of it is an answer to a finding in the record."""

    shown = a.number(metadata=a.said("A card about several rules counts for each of them."))
    accepted = a.number()
    overridden = a.number()
    reasons = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata=a.said("How often each reason was given last; `another` is one of the EHR's own."),
    )


class RuleFiguresSchema(Schema):
    """One rule of one drug."""

    drug = a.text()
    check = a.text()
    rule = a.text()
    evaluated = a.number(metadata=a.said("In how many checklists it was evaluated."))
    fired = a.number()
    undecided = a.number(metadata=a.said("Where it could not be decided, and that was a finding."))
    overridden = a.number()
    acknowledged = a.number()
    unanswered = a.number(metadata=a.said("Findings that nobody answered."))
    reasons = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata=a.said("How often each reason was given."),
    )
    share_overridden = fields.Float(required=True, metadata=a.said("Of its findings, 0 to 1."))
    median_seconds_to_answer = _seconds(metadata=a.said("From the checklist to the first answer."))
    p90_seconds_to_answer = _seconds()
    cards = fields.Nested(CardFiguresSchema, required=True)
    note = a.maybe(metadata=a.said("What to do about the rule, if anything."))


class QualitySchema(Schema):
    """The figures of all rules."""

    checklists = a.number(metadata=a.said("Those that no other one corrects."))
    held_by_a_fault = a.number(metadata=a.said("Those among them in which no rule was evaluated."))
    rules = a.each(RuleFiguresSchema)
