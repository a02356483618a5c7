"""The responses as they are documented. They only describe: what is sent is made elsewhere."""

from marshmallow import Schema, fields, validate

from service.api import described as a
from service.checklist.rules import Kind, Override
from service.records.site import DEMONSTRATION
from service.web.readiness import WORDS


class FieldErrorSchema(Schema):
    """One bad field."""

    path = a.text(metadata={"example": "facts.dose_number"})
    message = a.text()


class ProblemSchema(Schema):
    """Problem details (RFC 9457)."""

    type = a.text(
        metadata={"description": "What sort of problem it is; about:blank is the HTTP status alone."}
    )
    title = a.text()
    status = a.number()
    detail = a.text()
    errors = fields.List(fields.Nested(FieldErrorSchema), metadata=a.said("One for each bad field."))


class CitationSchema(Schema):
    """Where a rule comes from."""

    id = a.text()
    title = a.text()
    section = a.text()
    revised = a.text()
    ledger = a.texts(metadata=a.said("The rows of the ledger that state it."))


class BecauseSchema(Schema):
    """A fact that settled a finding."""

    fact = a.text()
    value = fields.Raw(required=True, allow_none=True)
    unit = fields.String()
    at = fields.String()
    source = fields.String(metadata=a.said("Where the value came from, as it was sent."))


class FindingSchema(Schema):
    """What a check answers."""

    check = a.text()
    title = a.text()
    status = a.status()
    kind = a.text(validate=validate.OneOf([kind.value for kind in Kind]))
    rule = a.maybe(metadata=a.said("Null where nothing was found."))
    message = a.text()
    action = a.maybe()
    missing = a.texts(metadata=a.said("The facts that would settle it."))
    because = a.each(BecauseSchema)
    would_pass_when = fields.List(fields.List(fields.String()), required=True)
    eligible_from = a.lifts()
    sources = a.each(CitationSchema)
    override = a.maybe(validate=validate.OneOf([*(each.value for each in Override), None]))
    tags = fields.List(fields.String(), metadata=a.said("unverified: nobody has verified the source yet."))


class PackSchema(Schema):
    """The pack that a checklist was made with."""

    id = a.text()
    version = a.text()
    digest = a.text()


class PolicySchema(Schema):
    """The site's policy, by the digest of its file."""

    digest = a.text()


class PatientIdSchema(Schema):
    """Whose checklist it is."""

    id = a.text()


class ObservationSchema(Schema):
    """How long to watch the patient after the infusion."""

    minutes_after = a.number()
    text = a.text()
    sources = a.each(CitationSchema)


class DoubleCheckAskedSchema(Schema):
    """The facts that a second person enters without seeing the first one's."""

    facts = a.texts()
    because = a.text()
    sources = a.each(CitationSchema)


class LookAlikeSchema(Schema):
    """A drug whose name is easily taken for this one."""

    drug = a.text()
    brands = a.texts()
    class_ = a.text(data_key="class")


class ChecklistSchema(Schema):
    """A checklist: every check of the pack answered, worst first."""

    id = a.text(metadata={"format": "uuid"})
    site = a.text(metadata=a.said("Whose records keep it."))
    status = a.status(metadata=a.said("The worst of the findings."))
    drug = a.text()
    title = a.text()
    brands = a.texts()
    class_ = a.text(data_key="class")
    look_alikes = a.each(LookAlikeSchema)
    region = a.text()
    patient = fields.Nested(PatientIdSchema, required=True)
    infusion_at = a.moment()
    evaluated_at = a.moment()
    pack = fields.Nested(PackSchema, required=True)
    policy = fields.Nested(PolicySchema, required=True)
    findings = a.each(FindingSchema)
    eligible_from = a.lifts()
    needs = a.texts(metadata=a.said("The unknown facts that could change a finding, most decisive first."))
    observation = fields.Nested(ObservationSchema, required=True, allow_none=True)
    independent_double_check = fields.Nested(
        DoubleCheckAskedSchema, metadata=a.said("Only where the drug's pack asks for it.")
    )


class UnknownSchema(Schema):
    """A fact that kept a criterion undecided, and why it is unknown."""

    fact = a.text()
    reason = a.text()
    detail = a.text()


class NodeSchema(Schema):
    """A condition: a criterion with the value compared, or parts that are joined or defined by name."""

    truth = a.text(validate=validate.OneOf(["yes", "no", "unknown"]))
    criterion = fields.String()
    value = fields.Raw(allow_none=True)
    unknown_ = fields.List(fields.Nested(UnknownSchema), data_key="unknown")
    facts = fields.List(fields.String())
    joined_by = fields.String(validate=validate.OneOf(["all", "any", "not", "recorded"]))
    definition = fields.String()
    of = fields.List(fields.Nested("NodeSchema"))


class TracedRuleSchema(Schema):
    """One rule: its verdict from its criteria, and the engine's."""

    rule = a.text()
    check = a.text()
    verdict = a.text(validate=validate.OneOf(["holds", "undecided", "ruled_out"]))
    engine = a.maybe()
    status_if_it_holds = a.status()
    status_if_undecided = a.maybe()
    ledger = a.texts()
    concern = fields.Nested(NodeSchema, required=True)


class TracedCheckSchema(Schema):
    """One check and all its rules."""

    check = a.text()
    title = a.text()
    rules = a.each(TracedRuleSchema)


class TracedFactSchema(Schema):
    """A fact as it counted; or that it is unknown, and why."""

    fact = a.text()
    known = a.text(validate=validate.OneOf(["yes", "no"]))
    reason = fields.String()
    detail = fields.String()
    value = fields.Raw(allow_none=True)
    unit = fields.String()
    at = fields.String()
    source = fields.String()
    ref_low = fields.Raw()
    ref_high = fields.Raw()


class LineSchema(Schema):
    """What was read from a resource of the bundle, or that it was not understood."""

    resource = a.text(metadata={"example": "Observation/31"})
    fact = a.maybe(metadata=a.said("The fact that it says something about."))
    says = a.text(metadata={"example": "negative on 2026-11-10"})
    understood = a.flag()


class TraceSchema(Schema):
    """Why: every rule of every check, and the facts behind them."""

    fault = a.maybe(metadata=a.said("What failed, where the infusion is held by a fault of the service."))
    checks = a.each(TracedCheckSchema)
    facts = a.each(TracedFactSchema)
    reading = fields.List(
        fields.Nested(LineSchema), metadata=a.said("Of a request with a bundle: what was read of it.")
    )


class DifferenceSchema(Schema):
    """The first place where the stored and the replayed document differ; null is what is not there."""

    in_ = a.text(data_key="in", validate=validate.OneOf(["result", "trace"]))
    path = a.text()
    stored = fields.Raw(required=True, allow_none=True)
    replayed = fields.Raw(required=True, allow_none=True)


class ReplaySchema(Schema):
    """Whether a stored checklist came out the same again, byte for byte."""

    id = a.text(metadata={"format": "uuid"})
    identical = a.flag()
    result_identical = a.flag()
    trace_identical = a.flag()
    first_difference = fields.Nested(DifferenceSchema, required=True, allow_none=True)
    pack = a.text(metadata=a.said("The digest of the stored pack."))
    policy = a.text(metadata=a.said("The digest of the stored policy."))


class ReadinessSchema(Schema):
    """How each part of the service is."""

    database = a.text(validate=validate.Equal(WORDS["database"][0]))
    migrations = a.text(validate=validate.Equal(WORDS["migrations"][0]))
    packs = a.text(validate=validate.Equal(WORDS["packs"][0]))
    chain = a.text(validate=validate.Equal(WORDS["chain"][0]))
    worker = a.text(
        validate=validate.OneOf(WORDS["worker"]),
        metadata=a.said("Whether somebody delivers webhooks."),
    )


class StateSchema(Schema):
    """The state of the service."""

    status = a.text(validate=validate.OneOf(["up", "ready"]))
    parts = fields.Nested(ReadinessSchema, metadata=a.said("There where it was asked whether it is ready."))
    mode = fields.String(
        validate=validate.Equal(DEMONSTRATION), metadata=a.said("There where every patient is made up.")
    )
