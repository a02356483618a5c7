"""The responses as they are documented. They describe; what is sent is made elsewhere and checked against them."""

from functools import partial
from typing import Any

from marshmallow import Schema, fields, validate

from service.checklist.rules import Kind, Override, Status

_text = partial(fields.String, required=True)
_number = partial(fields.Integer, required=True)
_flag = partial(fields.Boolean, required=True)
_maybe = partial(fields.String, required=True, allow_none=True)
_map = partial(fields.Dict, keys=fields.String(), values=fields.String(), required=True)


def _texts(**options: Any) -> fields.List[Any]:
    return fields.List(fields.String(), required=True, **options)


def _each(schema: type[Schema], **options: Any) -> fields.List[Any]:
    return fields.List(fields.Nested(schema), required=True, **options)


def _said(text: str) -> dict[str, str]:
    return {"description": text}


_status = partial(_text, validate=validate.OneOf([status.word for status in Status]))
_moment = partial(_text, metadata={"format": "date-time"})
_lifts = partial(_maybe, metadata={"format": "date", "description": "The first date on which time alone lifts it."})


class FieldErrorSchema(Schema):
    """One bad field."""

    path = _text(metadata={"example": "facts.dose_number"})
    message = _text()


class ProblemSchema(Schema):
    """Problem details (RFC 9457)."""

    type = _text(metadata={"description": "What sort of problem it is; about:blank is the HTTP status alone."})
    title = _text()
    status = _number()
    detail = _text()
    errors = fields.List(fields.Nested(FieldErrorSchema), metadata=_said("One for each bad field."))


class CitationSchema(Schema):
    """Where a rule comes from."""

    id = _text()
    title = _text()
    section = _text()
    revised = _text()
    ledger = _texts(metadata=_said("The rows of the ledger that state it."))


class BecauseSchema(Schema):
    """A fact that settled a finding."""

    fact = _text()
    value = fields.Raw(required=True, allow_none=True)
    unit = fields.String()
    at = fields.String()
    source = fields.String(metadata=_said("Where the value came from, as it was sent."))


class FindingSchema(Schema):
    """What a check answers."""

    check = _text()
    title = _text()
    status = _status()
    kind = _text(validate=validate.OneOf([kind.value for kind in Kind]))
    rule = _maybe(metadata=_said("Null where nothing was found."))
    message = _text()
    action = _maybe()
    missing = _texts(metadata=_said("The facts that would settle it."))
    because = _each(BecauseSchema)
    would_pass_when = fields.List(fields.List(fields.String()), required=True)
    eligible_from = _lifts()
    sources = _each(CitationSchema)
    override = _maybe(validate=validate.OneOf([*(each.value for each in Override), None]))
    tags = fields.List(fields.String(), metadata=_said("unverified: nobody has verified the source yet."))


class PackSchema(Schema):
    """The pack that a checklist was made with."""

    id = _text()
    version = _text()
    digest = _text()


class PolicySchema(Schema):
    """The site's policy, by the digest of its file."""

    digest = _text()


class PatientIdSchema(Schema):
    """Whose checklist it is."""

    id = _text()


class ObservationSchema(Schema):
    """How long to watch the patient after the infusion."""

    minutes_after = _number()
    text = _text()
    sources = _each(CitationSchema)


class LookAlikeSchema(Schema):
    """A drug whose name is easily taken for this one."""

    drug = _text()
    brands = _texts()
    class_ = _text(data_key="class")


class ChecklistSchema(Schema):
    """A checklist: every check of the pack answered, worst first."""

    id = _text(metadata={"format": "uuid"})
    status = _status(metadata=_said("The worst of the findings."))
    drug = _text()
    title = _text()
    brands = _texts()
    class_ = _text(data_key="class")
    look_alikes = _each(LookAlikeSchema)
    region = _text()
    patient = fields.Nested(PatientIdSchema, required=True)
    infusion_at = _moment()
    evaluated_at = _moment()
    pack = fields.Nested(PackSchema, required=True)
    policy = fields.Nested(PolicySchema, required=True)
    findings = _each(FindingSchema)
    eligible_from = _lifts()
    needs = _texts(metadata=_said("The unknown facts that could change a finding, most decisive first."))
    observation = fields.Nested(ObservationSchema, required=True, allow_none=True)


class UnknownSchema(Schema):
    """A fact that kept a criterion undecided, and why it is unknown."""

    fact = _text()
    reason = _text()
    detail = _text()


class NodeSchema(Schema):
    """A condition: a criterion with the value compared, or parts that are joined or defined by name."""

    truth = _text(validate=validate.OneOf(["yes", "no", "unknown"]))
    criterion = fields.String()
    value = fields.Raw(allow_none=True)
    unknown = fields.List(fields.Nested(UnknownSchema))
    facts = fields.List(fields.String())
    joined_by = fields.String(validate=validate.OneOf(["all", "any", "not", "recorded"]))
    definition = fields.String()
    of = fields.List(fields.Nested(lambda: NodeSchema()))


class TracedRuleSchema(Schema):
    """One rule: its verdict from its criteria, and the engine's."""

    rule = _text()
    check = _text()
    verdict = _text(validate=validate.OneOf(["holds", "undecided", "ruled_out"]))
    engine = _maybe()
    status_if_it_holds = _status()
    status_if_undecided = _maybe()
    ledger = _texts()
    concern = fields.Nested(NodeSchema, required=True)


class TracedCheckSchema(Schema):
    """One check and all its rules."""

    check = _text()
    title = _text()
    rules = _each(TracedRuleSchema)


class TracedFactSchema(Schema):
    """A fact as it counted; or that it is unknown, and why."""

    fact = _text()
    known = _text(validate=validate.OneOf(["yes", "no"]))
    reason = fields.String()
    detail = fields.String()
    value = fields.Raw(allow_none=True)
    unit = fields.String()
    at = fields.String()
    source = fields.String()
    ref_low = fields.Raw()
    ref_high = fields.Raw()


class TraceSchema(Schema):
    """Why: every rule of every check, and the facts behind them."""

    fault = _maybe(metadata=_said("What failed, where the infusion is held by a fault of the service."))
    checks = _each(TracedCheckSchema)
    facts = _each(TracedFactSchema)


class DifferenceSchema(Schema):
    """The first place where the stored and the replayed document differ; null is what is not there."""

    in_ = _text(data_key="in", validate=validate.OneOf(["result", "trace"]))
    path = _text()
    stored = fields.Raw(required=True, allow_none=True)
    replayed = fields.Raw(required=True, allow_none=True)


class ReplaySchema(Schema):
    """Whether a stored checklist came out the same again, byte for byte."""

    id = _text(metadata={"format": "uuid"})
    identical = _flag()
    result_identical = _flag()
    trace_identical = _flag()
    first_difference = fields.Nested(DifferenceSchema, required=True, allow_none=True)
    pack = _text(metadata=_said("The digest of the stored pack."))
    policy = _text(metadata=_said("The digest of the stored policy."))


class StateSchema(Schema):
    """The state of the service."""

    status = _text(validate=validate.OneOf(["up", "ready"]))
