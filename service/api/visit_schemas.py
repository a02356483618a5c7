"""The bodies of requests about a visit, and the record of one as it is documented."""

from functools import partial

from marshmallow import Schema, fields, validate

from service.access.passwords import MOST_CHARACTERS
from service.api import described as a
from service.api.drug_schemas import FactSchema
from service.api.schemas import CitationSchema, PatientIdSchema
from service.fhir.told import REASON_SYSTEM
from service.intake.requests import Read, ShortText
from service.intake.values import read_text
from service.records.reasons import SAYS_NOTHING_ALONE, OutcomeReason, Reason, listed
from service.records.record import DoubleCheckState, Meaning, Outcome

LONGEST_COMMENT = 2000
_SHORT = {"type": "string", "maxLength": 200}
_ALONE = ", ".join(f"`{each.value}`" for each in Reason if each in SAYS_NOTHING_ALONE)


class Comment(Read[str]):
    """Words of a person."""

    def __init__(self, says: str, *, required: bool = False) -> None:
        described = {"type": "string", "maxLength": LONGEST_COMMENT, "description": says}
        super().__init__(partial(read_text, longest=LONGEST_COMMENT), required=required, metadata=described)


def _secret() -> fields.String:
    return fields.String(
        required=True,
        validate=validate.Length(1, MOST_CHARACTERS),
        metadata=a.said("The signer's PIN or password, again: this is a signature."),
    )


class FindingNamedSchema(Schema):
    """A finding of the checklist, and why it is not followed."""

    check = ShortText(required=True, metadata={**_SHORT, "example": "vaccination"})
    rule = ShortText(required=True, allow_none=True, metadata=_SHORT)
    reason = fields.Enum(
        Reason,
        by_value=fields.String,
        required=True,
        metadata=a.said(f"A code of {REASON_SYSTEM}. {listed(Reason)}."),
    )


class AcknowledgementSchema(FindingNamedSchema):
    """The acknowledgement of a warn."""

    comment = Comment(f"Needed where the reason says too little by itself: {_ALONE}.")


class OverrideSchema(FindingNamedSchema):
    """The override of a block, for this dose only; signed."""

    comment = Comment("Why, in the prescriber's words.", required=True)
    order_reference = ShortText(
        metadata={**_SHORT, "description": "The order that says so, if there is one."}
    )
    secret = _secret()


class AttestationSchema(Schema):
    """A signature."""

    meaning = fields.Enum(Meaning, by_value=fields.String, required=True)
    secret = _secret()


class SecondFactsSchema(Schema):
    """What a second person enters."""

    facts = fields.Raw(
        required=True,
        metadata={
            "type": "object",
            "description": "Exactly the facts asked for, as in a checklist's request.",
        },
    )


class OutcomeSchema(Schema):
    """How the visit ended. Recorded also when nothing was infused."""

    outcome = fields.Enum(Outcome, by_value=fields.String, required=True)
    reason = fields.Enum(
        OutcomeReason,
        by_value=fields.String,
        metadata=a.said(
            "Needed, with a comment, unless it was infused with nothing open, and recorded for the first "
            f"time. {listed(OutcomeReason)}."
        ),
    )
    comment = Comment("What happened.")


class ActSchema(Schema):
    """Who did something, and when; `sequence` is the entry of the journal that says so."""

    sequence = a.number()
    at = a.moment()
    actor = a.text()
    name = a.text(metadata=a.said("The printed name."))
    role = a.text()


class SaidSchema(ActSchema):
    """Something done for a reason, in coded words and in one's own."""

    reason = a.maybe()
    reason_text = a.maybe()
    comment = a.maybe()
    erased = a.flag(metadata=a.said("Whether there were words that have been erased with the patient."))


class AcknowledgedSchema(SaidSchema):
    """An acknowledgement."""

    check = a.text()
    rule = a.maybe()


class OverriddenSchema(AcknowledgedSchema):
    """An override."""

    order_reference = a.maybe()


class AttestedSchema(ActSchema):
    """A signature, as it is printed: name, role, time and meaning."""

    meaning = a.text(validate=validate.OneOf(list(Meaning)))
    local_at = a.moment(metadata=a.said("The time of signing in the offset of the infusion."))
    record = a.text(
        metadata=a.said(
            "The digest of the record as it was signed: SHA-256 over the RFC 8785 JSON of `checklist`, "
            "`result` (the commitment to the result in the entry that made it) and `entries` (the digests "
            "of all journal entries about this checklist before the signature, in order)."
        )
    )


class SignatureSchema(AttestedSchema):
    """A signature in the record of a visit."""

    covers_all = a.flag(metadata=a.said("Whether nothing was done about the visit after it."))


class GivenSchema(Schema):
    """A fact as one person gave it, in the unit that rules read."""

    value = fields.Raw(required=True)
    unit = fields.String()
    at = fields.String()
    ref_low = fields.Raw()
    ref_high = fields.Raw()


class ComparedSchema(Schema):
    """A fact as both people gave it; null is unknown, which agrees with nothing."""

    fact = a.text()
    agrees = a.flag()
    first = fields.Nested(GivenSchema, required=True, allow_none=True)
    second = fields.Nested(GivenSchema, required=True, allow_none=True)


class DoubleCheckedSchema(ActSchema):
    """What a second person entered, beside the first one's."""

    agrees = a.texts(metadata=a.said("The facts that agree."))
    differs = a.texts(metadata=a.said("The facts that differ."))
    facts = fields.List(
        fields.Nested(ComparedSchema),
        required=True,
        allow_none=True,
        metadata=a.said("Both values of each; null where they have been erased with the patient."),
    )


class OpenSchema(Schema):
    """A finding that nobody has answered."""

    check = a.text()
    rule = fields.String()
    status = a.status()


class OutcomeRecordedSchema(SaidSchema):
    """An outcome, and what was open when it was recorded."""

    outcome = a.text(validate=validate.OneOf(list(Outcome)))
    open = a.each(OpenSchema)
    double_check = a.text(validate=validate.OneOf(list(DoubleCheckState)))


class QuestionsSchema(Schema):
    """What a second person is asked: never what the first one answered."""

    id = a.text(metadata={"format": "uuid"})
    patient = fields.Nested(PatientIdSchema, required=True)
    drug = a.text()
    title = a.text()
    brands = a.texts()
    class_ = a.text(data_key="class")
    infusion_at = a.moment()
    because = a.text()
    sources = a.each(CitationSchema)
    facts = a.each(FactSchema)


class CorrectsSchema(Schema):
    """The checklist that this one corrects, and why; the reason is null where it has been erased."""

    id = a.text(metadata={"format": "uuid"})
    reason = a.maybe()


class CorrectedSchema(CorrectsSchema):
    """The checklist that corrects this one."""

    at = a.moment()
    actor = a.text()


class EarlierSchema(Schema):
    """A visit of before that was held, stopped or overridden."""

    id = a.text(metadata={"format": "uuid"})
    status = a.status()
    made_at = a.moment()
    outcome = fields.Nested(OutcomeRecordedSchema, required=True, allow_none=True)
    overrides = a.each(OverriddenSchema)


class RecordSchema(Schema):
    """A whole visit. What has been erased with the patient is null, and `erased` says so."""

    id = a.text(metadata={"format": "uuid"})
    drug = a.text()
    status = a.status()
    made_at = a.moment()
    actor = a.text()
    erased = a.flag()
    patient = fields.Nested(PatientIdSchema, required=True, allow_none=True)
    infusion_at = a.maybe(metadata={"format": "date-time"})
    open = a.each(OpenSchema)
    acknowledgements = a.each(AcknowledgedSchema)
    overrides = a.each(OverriddenSchema)
    double_check = a.text(
        validate=validate.OneOf(list(DoubleCheckState)),
        metadata=a.said("Of several double checks the last one counts: each was blind."),
    )
    double_checks = a.each(DoubleCheckedSchema)
    attestations = a.each(SignatureSchema)
    outcome = fields.Nested(
        OutcomeRecordedSchema, required=True, allow_none=True, metadata=a.said("The one recorded last.")
    )
    outcomes = a.each(OutcomeRecordedSchema, metadata=a.said("All of them, in order."))
    supersedes = fields.Nested(CorrectsSchema, required=True, allow_none=True)
    superseded_by = fields.Nested(CorrectedSchema, required=True, allow_none=True)
    earlier = a.each(
        EarlierSchema,
        metadata=a.said(
            "The last visits with this drug that were held, stopped or overridden, newest first."
        ),
    )
