"""The shape of the files under `rules/`, in marshmallow. What conditions mean is read in `language`."""

from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from service.checklist.rules import Kind, Override

VERBS = ("block_if", "warn_if", "block_unless", "warn_unless")
REGIONS = ("US", "EU")
YES_NO = validate.OneOf(("yes", "no"))
FIRED_KINDS = tuple(
    kind.value for kind in Kind if kind.value not in ("ok", "not_applicable", "policy", "engine")
)


class Strict(Schema):
    """Unknown keys are refused."""

    class Meta:
        """Marshmallow's own options."""

        unknown = RAISE


class Text(fields.String):
    """A string that says something."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("this must be text (quote it if it looks like a number)")
        if not value.strip():
            raise ValidationError("this must not be empty")
        return " ".join(value.split())


class Amount(fields.Field[Any]):
    """A number, written plainly or quoted."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return value


class Tree(fields.Raw):
    """A condition or a quantity: a mapping whose meaning the language reads."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise ValidationError("this must be a condition such as {hbsag: {is: positive}}")
        return value


class Texts(fields.List[Any]):
    """A list of texts."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Text(), **kwargs)


class SourceSchema(Strict):
    """A document that rules rest on."""

    title = Text(required=True)
    revised = Text(required=True)
    grade = fields.String(
        required=True, validate=validate.OneOf(("label", "regulator", "reference", "expert", "site", "press"))
    )
    region = fields.String(validate=validate.OneOf(REGIONS))


class CiteSchema(Strict):
    """A place in a source, and the ledger rows that state it."""

    source = Text(required=True)
    at = Text(required=True)
    ledger = Texts(required=True, validate=validate.Length(min=1))


class IfUnknownSchema(Strict):
    """What to answer when a rule cannot be decided: never pass."""

    block = Text()
    warn = Text()

    @validates_schema
    def one_status(self, data: dict[str, Any], **_: Any) -> None:
        """Exactly one of the two."""
        if len(data) != 1:
            raise ValidationError("give exactly one of block and warn, with what to do")


class NoteSchema(Strict):
    """A sentence added to the message while a condition is on record."""

    when = Tree(required=True)
    say = Text(required=True)


class RuleSchema(Strict):
    """One declared concern."""

    block_if = Tree()
    warn_if = Tree()
    block_unless = Tree()
    warn_unless = Tree()
    applies_if = Tree()
    regions = fields.List(fields.String(validate=validate.OneOf(REGIONS)), validate=validate.Length(min=1))
    kind = fields.String(required=True, validate=validate.OneOf(FIRED_KINDS))
    because = Text(required=True)
    do = Text(required=True)
    if_unknown = fields.Nested(IfUnknownSchema)
    override = fields.String(validate=validate.OneOf([each.value for each in Override]))
    cites = fields.List(fields.Nested(CiteSchema), required=True, validate=validate.Length(min=1))
    notes = fields.List(fields.Nested(NoteSchema), load_default=list)
    unverified = fields.String(validate=YES_NO, load_default="no")

    @validates_schema
    def one_verb(self, data: dict[str, Any], **_: Any) -> None:
        """Exactly one verb carries severity and polarity."""
        if sum(verb in data for verb in VERBS) != 1:
            raise ValidationError(f"give exactly one of {', '.join(VERBS)}")


class CheckSchema(Strict):
    """One line of the nurse's checklist."""

    title = Text(required=True)
    nothing_found = Text(required=True)
    applies_if = Tree()
    regions = fields.List(fields.String(validate=validate.OneOf(REGIONS)))
    not_applicable = Text()
    rules = fields.Dict(
        keys=fields.String(validate=validate.Regexp(r"[a-z][a-z0-9-]*\Z")), values=fields.Raw(), required=True
    )


class ObservationSchema(Strict):
    """A plan of observation after the infusion."""

    minutes_after = fields.Integer(strict=True, required=True, validate=validate.Range(min=1))
    when = Tree()
    say = Text(required=True)
    cites = fields.List(fields.Nested(CiteSchema), required=True, validate=validate.Length(min=1))


class DoubleCheckSchema(Strict):
    """The facts that a second person enters without seeing the first one's."""

    facts = Texts(required=True, validate=validate.Length(min=1))
    because = Text(required=True)
    cites = fields.List(fields.Nested(CiteSchema), required=True, validate=validate.Length(min=1))


class ConflictSchema(Strict):
    """Two sources that disagree, and the choice made."""

    about = Text(required=True)
    says = fields.Dict(keys=fields.String(), values=Text(), required=True, validate=validate.Length(min=2))
    chosen = Text(required=True)
    why = Text(required=True)


class NotCheckedSchema(Strict):
    """Why a ledger row is no start-of-infusion rule."""

    reason = Text(required=True)
    used_in = fields.String(validate=validate.OneOf(("observation",)))
    part = fields.String(validate=YES_NO, load_default="no")


class QuantitySchema(Strict):
    """A computed quantity with a name."""

    label = Text(required=True)
    unit = fields.String(load_default=None)
    is_ = fields.Raw(required=True, data_key="is")


class DefinitionSchema(Strict):
    """A condition shared by several rules, with parameters written `$name`."""

    label = Text(required=True)
    parameters = Texts(load_default=list)
    means = Tree(required=True)


class SetSchema(Strict):
    """A named set of words for matching in any case."""

    label = Text(required=True)
    words = Texts(required=True, validate=validate.Length(min=1))


class SharedSchema(Strict):
    """`rules/shared.yaml`: what several drugs use by name."""

    sets = fields.Dict(keys=fields.String(), values=fields.Nested(SetSchema), load_default=dict)
    quantities = fields.Dict(keys=fields.String(), values=fields.Nested(QuantitySchema), load_default=dict)
    definitions = fields.Dict(keys=fields.String(), values=fields.Nested(DefinitionSchema), load_default=dict)


class CodedSchema(Strict):
    """One code of a system of `rules/codes/systems.yaml`, its name there, and where that was read."""

    system = fields.String(required=True)
    code = fields.String(required=True)
    display = Text(required=True)
    from_ = Text(required=True, data_key="from")


class PackSchema(Strict):
    """One drug's file."""

    drug = fields.String(required=True, validate=validate.Regexp(r"[a-z][a-z0-9_]*\Z"))
    title = Text(required=True)
    brands = Texts(required=True, validate=validate.Length(min=1))
    aliases = Texts(load_default=list)
    class_ = Text(required=True, data_key="class")
    excipients = Texts(required=True)
    look_alikes = Texts(load_default=list)
    codes = fields.List(fields.Nested(CodedSchema), load_default=list)
    regions = fields.List(fields.String(validate=validate.OneOf(REGIONS)), required=True)
    version = fields.String(required=True, validate=validate.Regexp(r"\d+\.\d+\.\d+\Z"))
    status = fields.String(required=True, validate=validate.OneOf(("approved", "draft")))
    owner = Text(required=True)
    review_by = fields.String(required=True, validate=validate.Regexp(r"\d{4}-\d{2}-\d{2}\Z"))
    released = fields.String(validate=validate.Regexp(r"\d{4}-\d{2}-\d{2}\Z"))
    developer = Text()
    funding = Text()
    sources = fields.Dict(keys=fields.String(), values=fields.Nested(SourceSchema), required=True)
    quantities = fields.Dict(keys=fields.String(), values=fields.Nested(QuantitySchema), load_default=dict)
    checks = fields.Dict(keys=fields.String(), values=fields.Nested(CheckSchema), required=True)
    observation = fields.List(fields.Nested(ObservationSchema), required=True)
    independent_double_check = fields.Nested(DoubleCheckSchema)
    conflicts = fields.List(fields.Nested(ConflictSchema), load_default=list)
    not_checked = fields.Dict(keys=fields.String(), values=fields.Nested(NotCheckedSchema), load_default=dict)
