"""The shape of the vocabulary, the policy and the code lists, in marshmallow."""

from marshmallow import fields, validate

from service.knowledge.grammar import YES_NO, Amount, Strict, Text, Texts
from service.knowledge.source_attributes import KINDS


class CodeSchema(Strict):
    """One entry of a code list: its label, and the fields it settles."""

    label = Text(required=True)
    kind = fields.String(required=True)


class CodeListSchema(Strict):
    """`rules/codes/*.yaml`."""

    title = Text(required=True)
    source = Text(required=True)
    note = Text()
    codes = fields.Dict(keys=fields.String(), values=fields.Nested(CodeSchema), required=True)


class ParameterSchema(Strict):
    """One parameter of the site's policy."""

    value = fields.Raw(required=True, allow_none=True)
    type = fields.String(required=True, validate=validate.OneOf(("integer", "decimal", "code")))
    unit = fields.String()
    values = fields.Dict(keys=fields.String(), values=fields.String())
    from_ = Amount(data_key="from")
    to = Amount()
    meaning = Text(required=True)
    basis = Text(required=True)


class PolicySchema(Strict):
    """`rules/policy.yaml`."""

    policy = fields.Dict(keys=fields.String(), values=fields.Nested(ParameterSchema), required=True)


class UnitSchema(Strict):
    """An accepted unit and its exact conversion to the canonical one."""

    minus = Amount()
    times = Amount()
    over = Amount()
    dimension = fields.String()


class TimingSchema(Strict):
    """Items whose field lies after the infusion."""

    field = fields.String(required=True)
    when = fields.Dict(keys=fields.String(), values=fields.String(), load_default=dict)


class FieldSchema(Strict):
    """One field of a list's items."""

    type = fields.String(required=True, validate=validate.OneOf(("text", "code", "date", "time", "quantity")))
    label = Text(required=True)
    values = fields.Dict(keys=fields.String(), values=fields.String())
    required = fields.String(validate=YES_NO)
    default = fields.String()
    codes = fields.String()
    from_code = fields.String()
    any_unit = fields.String(validate=YES_NO)
    latest = fields.String(validate=validate.Equal("infusion"))
    earliest = fields.String(validate=validate.Equal("birth"))


class FactSchema(Strict):
    """One fact of the vocabulary."""

    label = Text(required=True)
    type = fields.String(
        required=True, validate=validate.OneOf(("date", "code", "integer", "quantity", "list"))
    )
    result = fields.String(validate=YES_NO, load_default="no")
    values = fields.Raw()
    or_ = fields.Dict(keys=fields.String(), values=fields.String(), data_key="or")
    unit = fields.String()
    units = fields.Dict(keys=fields.String(), values=fields.Nested(UnitSchema))
    from_ = Amount(data_key="from")
    to = Amount()
    latest = fields.String(validate=validate.Equal("infusion"))
    earliest = fields.String(validate=validate.Equal("birth"))
    item = Text()
    never_stale = Texts(load_default=list)
    advised = fields.String(validate=YES_NO, load_default="yes")
    of = fields.String(validate=validate.Equal("code"))
    fields_ = fields.Dict(keys=fields.String(), values=fields.Nested(FieldSchema), data_key="fields")
    at_least_one_of = Texts(load_default=list)
    not_after_infusion = fields.Nested(TimingSchema)
    ignored_after_infusion = fields.Nested(TimingSchema)
    question = Text(required=True)
    help = Text(required=True)
    answered_by = fields.String(
        required=True, validate=validate.OneOf(("patient", "nurse", "record", "prescriber"))
    )
    not_to_confuse_with = fields.Dict(keys=fields.String(), values=Text(), load_default=dict)
    asked_after = Texts(load_default=list)
    lasting = fields.String(load_default="no", validate=YES_NO)
    may_change = fields.String(required=True, validate=YES_NO)
    reported_as = fields.List(fields.String(validate=validate.OneOf(KINDS)), load_default=list)


class VocabularySchema(Strict):
    """`rules/facts.yaml`."""

    facts = fields.Dict(keys=fields.String(), values=fields.Nested(FactSchema), required=True)
