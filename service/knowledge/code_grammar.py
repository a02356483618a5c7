"""The shape of the code maps under `rules/codes/`, in marshmallow: how what an EHR says becomes facts."""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from service.knowledge.check_digits import CHECKS
from service.knowledge.grammar import YES_NO, Strict, Text, Texts


class SystemSchema(Strict):
    """A code system: the address by which FHIR names it, other names of it, and how its codes are checked."""

    uri = Text(required=True)
    also = Texts(load_default=list)
    check_digit = fields.String(validate=validate.OneOf(tuple(CHECKS)))


class SystemsSchema(Strict):
    """`rules/codes/systems.yaml`."""

    title = Text(required=True)
    systems = fields.Dict(keys=fields.String(), values=fields.Nested(SystemSchema), required=True)


class CodesSchema(Strict):
    """Codes of one system of `rules/codes/systems.yaml`, each with its name there; where they were read."""

    system = fields.String(required=True)
    from_ = Text(required=True, data_key="from")
    codes = fields.Dict(keys=fields.String(), values=Text(), required=True, validate=validate.Length(min=1))


class WithinSchema(CodesSchema):
    """Codes; with `children` all codes too that begin with one of them."""

    children = fields.String(validate=YES_NO, load_default="no")


class ResultSchema(Strict):
    """How a fact is read from observations, and which test to order where it is missing."""

    codes = fields.List(fields.Nested(CodesSchema), required=True, validate=validate.Length(min=1))
    answers = fields.String()
    above_zero = fields.String()
    order = fields.String()


class NeverReadSchema(CodesSchema):
    """Observations that look like a result and are none."""

    why = Text(required=True)


class ResultsSchema(Strict):
    """`rules/codes/results.yaml`."""

    title = Text(required=True)
    note = Text()
    results = fields.Dict(keys=fields.String(), values=fields.Nested(ResultSchema), required=True)
    never_read = fields.List(fields.Nested(NeverReadSchema), load_default=list)


class MeaningSchema(CodesSchema):
    """Codes of an answer, and what they mean here."""

    means = fields.String(required=True)


class AnswersSchema(Strict):
    """One list of answers: codes, and texts in any case, with what each means."""

    codes = fields.List(fields.Nested(MeaningSchema), load_default=list)
    texts = fields.Dict(keys=fields.String(), values=Texts(), load_default=dict)


class AnswerListsSchema(Strict):
    """`rules/codes/answers.yaml`."""

    title = Text(required=True)
    note = Text()
    answers = fields.Dict(keys=fields.String(), values=fields.Nested(AnswersSchema), required=True)


class UnitsSchema(Strict):
    """`rules/codes/units.yaml`: other spellings of the units of the vocabulary."""

    title = Text(required=True)
    note = Text()
    units = fields.Dict(keys=fields.String(), values=Texts(), required=True)


class StatementSchema(Strict):
    """What a condition, procedure or order on record says of a fact: a value, or why it says none."""

    fact = fields.String(required=True)
    value = fields.String()
    date = fields.String(validate=YES_NO, load_default="no")
    unreadable = Text()
    while_ = fields.String(
        data_key="while", validate=validate.OneOf(("active", "ever", "planned")), load_default="active"
    )
    codes = fields.List(fields.Nested(WithinSchema), required=True, validate=validate.Length(min=1))

    @validates_schema
    def one_reading(self, data: dict[str, Any], **_: Any) -> None:
        """Exactly one of value, date and unreadable."""
        if (data.get("date") == "yes") + ("value" in data) + ("unreadable" in data) != 1:
            raise ValidationError("give exactly one of value, date: yes and unreadable")


class StatementsSchema(Strict):
    """`rules/codes/conditions.yaml` and `rules/codes/procedures.yaml`."""

    title = Text(required=True)
    note = Text()
    statements = fields.List(fields.Nested(StatementSchema), required=True)


class MedicineSchema(Strict):
    """A medicine, or a class of them: how it is coded and called, and the facts that it belongs to.

    `lists` maps a list of the vocabulary to the fields that an entry of it has from being this medicine;
    `dates` are dates of the vocabulary that its last administration gives.
    """

    name = Text(required=True)
    codes = fields.List(fields.Nested(WithinSchema), load_default=list)
    names = Texts(load_default=list)
    lists = fields.Dict(
        keys=fields.String(),
        values=fields.Dict(keys=fields.String(), values=fields.String()),
        load_default=dict,
    )
    dates = Texts(load_default=list)

    @validates_schema
    def found_somehow(self, data: dict[str, Any], **_: Any) -> None:
        """A medicine has a code or a name, and is of use."""
        if not (data["codes"] or data["names"]) or not (data["lists"] or data["dates"]):
            raise ValidationError("give codes or names, and lists or dates")


class MedicinesSchema(Strict):
    """`rules/codes/medicines.yaml`."""

    title = Text(required=True)
    note = Text()
    medicines = fields.List(fields.Nested(MedicineSchema), required=True)
