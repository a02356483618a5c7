"""The documents of what the service knows, as they are documented: drugs and facts."""

from marshmallow import RAISE, Schema, fields, validate

from service.api import described as a
from service.api.schemas import CitationSchema, DoubleCheckAskedSchema, LookAlikeSchema
from service.checklist.rules import Kind, Override
from service.knowledge.source_attributes import KINDS, LABELS


class DrugSummarySchema(Schema):
    """A drug that has rules here."""

    id = a.text()
    title = a.text()
    brands = a.texts()
    aliases = a.texts()
    class_ = a.text(data_key="class")
    regions = a.texts()
    version = a.text()
    status = a.text(metadata=a.said("draft or approved"))
    digest = a.text(metadata=a.said("The digest of the files that the pack is made of."))
    review_by = a.text()


class DrugsSchema(Schema):
    """The drugs that have rules here."""

    drugs = a.each(DrugSummarySchema)


class SourceSchema(Schema):
    """A document that rules rest on."""

    id = a.text()
    title = a.text()
    revised = a.text()
    grade = a.text()
    region = a.maybe()


class IfUnknownSchema(Schema):
    """What a rule answers when it cannot be decided."""

    status = a.status()
    action = a.text()


class RuleSchema(Schema):
    """One rule of a check."""

    rule = a.text()
    status = a.status(metadata=a.said("What it answers when it holds."))
    kind = a.text(validate=validate.OneOf([kind.value for kind in Kind]))
    when = a.text(metadata=a.said("The condition in words."))
    message = a.text()
    action = a.text()
    if_unknown = fields.Nested(IfUnknownSchema, required=True, allow_none=True)
    override = a.text(validate=validate.OneOf([each.value for each in Override]))
    unverified = a.flag()
    facts = a.texts()
    sources = a.each(CitationSchema)


class CheckSchema(Schema):
    """One line of the checklist."""

    check = a.text()
    title = a.text()
    nothing_found = a.text()
    applies_when = a.maybe()
    not_applicable = a.maybe()
    rules = a.each(RuleSchema)


class PlanSchema(Schema):
    """How long to watch the patient; the first plan whose condition holds counts."""

    minutes_after = a.number()
    when = a.maybe()
    text = a.text()
    sources = a.each(CitationSchema)


class LedgerRowSchema(Schema):
    """One clinical statement, the source of rules."""

    row = a.text()
    check = a.text()
    statement = a.text()
    severity = a.text()
    unknown_ = a.text(data_key="unknown")
    source = a.text()
    verified = a.text()


class NotCheckedSchema(Schema):
    """A ledger row that no rule checks before the start, and why."""

    row = a.text()
    reason = a.text()
    used_in = a.maybe()


class ConflictSchema(Schema):
    """Sources that disagree, and the one that is followed here."""

    about = a.text()
    says = a.mapping()
    chosen = a.text()
    why = a.text()


class DrugSchema(DrugSummarySchema):
    """Everything that is known of one drug."""

    owner = a.text()
    released = a.maybe(metadata=a.said("The day on which this version was released; null if not stated."))
    developer = a.maybe()
    funding = a.maybe()
    excipients = a.texts()
    look_alikes = a.each(LookAlikeSchema)
    sources = a.each(SourceSchema)
    checks = a.each(CheckSchema)
    observation = a.each(PlanSchema)
    independent_double_check = fields.Nested(DoubleCheckAskedSchema, required=True, allow_none=True)
    facts_read = a.texts()
    ledger = a.each(LedgerRowSchema)
    not_checked = a.each(NotCheckedSchema)
    conflicts = a.each(ConflictSchema)


class SourceAttributesFormatSchema(Schema):
    """How the source attributes are asked for."""

    class Meta:
        """Unknown keys are refused."""

        unknown = RAISE

    form = fields.String(data_key="_format", validate=validate.OneOf(["json", "csv"]), load_default="json")


class AttributeSchema(Schema):
    """One of the thirteen source attributes."""

    number = a.number(validate=validate.Range(1, 13))
    attribute = a.text(validate=validate.OneOf(list(LABELS)))
    label = a.text()
    value = a.text(metadata=a.said("In words; never empty: what does not apply says so."))
    facts = a.texts(metadata=a.said("The facts of this kind that the rule reads."))


class AttributedRuleSchema(Schema):
    """A rule with its source attributes."""

    rule = a.text()
    check = a.text()
    status = a.status()
    attributes = a.each(AttributeSchema)


class SourceAttributesSchema(Schema):
    """The source attributes of every rule of a drug."""

    drug = a.text()
    version = a.text()
    digest = a.text()
    rules = a.each(AttributedRuleSchema)


class TimingSchema(Schema):
    """Which items are meant: those whose field lies after the infusion, where `when` holds of them."""

    field = a.text()
    when = a.mapping()


class FactFieldSchema(Schema):
    """One field of the items of a list."""

    field = a.text()
    label = a.text()
    type = a.text()
    values = a.mapping()
    required = a.flag()
    default = a.maybe()
    codes = a.maybe(metadata=a.said("The code list that its values come from."))
    earliest = a.maybe()
    latest = a.maybe()


class FactSchema(Schema):
    """One fact: what may be given, and what is asked."""

    fact = a.text()
    label = a.text()
    type = a.text(validate=validate.OneOf(["date", "code", "integer", "quantity", "list"]))
    result = a.flag(metadata=a.said("Whether it may be given as several dated results."))
    question = a.text()
    help = a.text()
    answered_by = a.text()
    may_change = a.flag()
    reported_as = fields.List(fields.String(validate=validate.OneOf(KINDS)), required=True)
    values = a.mapping(metadata=a.said("The codes it may have, each with its label."))
    numbers = fields.List(fields.Integer(), required=True)
    words = a.mapping(metadata=a.said("Words allowed beside a date or a quantity."))
    unit = a.maybe()
    units = a.texts(metadata=a.said("The UCUM units it may be given in."))
    from_ = fields.Float(required=True, allow_none=True, data_key="from")
    to = fields.Float(required=True, allow_none=True)
    earliest = a.maybe()
    latest = a.maybe()
    item = a.maybe()
    fields_ = fields.List(fields.Nested(FactFieldSchema), required=True, data_key="fields")
    at_least_one_of = a.texts()
    refused_after_infusion = fields.Nested(TimingSchema, required=True, allow_none=True)
    ignored_after_infusion = fields.Nested(TimingSchema, required=True, allow_none=True)
    not_to_confuse_with = a.mapping(metadata=a.said("Look-alike facts, each with the difference."))


class VocabularySchema(Schema):
    """Every fact that may be given, and the code lists that their fields use."""

    digest = a.text()
    facts = a.each(FactSchema)
    codes = fields.Dict(
        keys=fields.String(),
        values=fields.Dict(keys=fields.String(), values=a.mapping()),
        required=True,
    )
