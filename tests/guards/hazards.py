"""The hazard log: its shape, its risks, and the tests that show its controls."""

from functools import cache

from marshmallow import ValidationError, fields, validate, validates_schema

from service.knowledge.grammar import Strict, Text, Texts
from service.knowledge.strict_yaml import read
from tests.builders import ROOT

FILE = ROOT / "docs" / "hazards.yaml"
TESTED, UNTESTED = ("design", "information"), "procedure"
ACCEPTED = 3  # the highest risk that may remain

Named = fields.List(
    fields.String(validate=validate.Regexp(r"tests/[\w/]+\.py::\w+(::\w+)?\Z")),
    validate=validate.Length(min=1),
)


class ControlSchema(Strict):
    """What is done against a hazard. A procedure is the site's own; everything else has tests."""

    kind = fields.String(required=True, validate=validate.OneOf((*TESTED, UNTESTED)))
    says = Text(required=True)
    tests = Named

    @validates_schema
    def shown(self, data, **_):
        """By tests, exactly where it is ours."""
        if (data.get("kind") == UNTESTED) is ("tests" in data):
            raise ValidationError(
                "design and information name the tests that show them, a procedure has none"
            )


class HazardSchema(Strict):
    """One hazard. Its risk before and after its controls is computed."""

    hazard = Text(required=True)
    causes = Texts(required=True, validate=validate.Length(min=1))
    effect = Text(required=True)
    severity = fields.String(required=True)
    likelihood = fields.Dict(keys=fields.String(validate=validate.OneOf(("before", "after"))), required=True)
    controls = fields.List(fields.Nested(ControlSchema), required=True, validate=validate.Length(min=1))
    residual = Text(required=True)
    site = Text(required=True)


class AnomalySchema(Strict):
    """What goes wrong in somebody else's software, and what keeps it from a patient."""

    fault = Text(required=True)
    against = Text(required=True)
    tests = Named


class ProvenanceSchema(Strict):
    """Software that others made, whose faults were looked for."""

    used = Text(required=True)
    anomalies = fields.List(fields.Nested(AnomalySchema), required=True, validate=validate.Length(min=1))


class LogSchema(Strict):
    """`docs/hazards.yaml`."""

    severity = fields.Dict(keys=fields.String(), values=Text(), required=True)
    likelihood = fields.Dict(keys=fields.String(), values=Text(), required=True)
    risk = fields.Dict(required=True)
    hazards = fields.Dict(
        keys=fields.String(validate=validate.Regexp(r"[a-z][a-z0-9-]*\Z")),
        values=fields.Nested(HazardSchema),
        required=True,
    )
    provenance = fields.Dict(keys=fields.String(), values=fields.Nested(ProvenanceSchema), required=True)


@cache
def hazard_log():
    """The whole log. A key that stands twice is refused where it is read."""
    return LogSchema().load(read(FILE.read_text(encoding="utf-8"), "docs/hazards.yaml").data)


def risk(log, hazard, when):
    """The risk of a hazard before or after its controls, by the log's own table."""
    return log["risk"][hazard["likelihood"][when]][hazard["severity"]]


def shown_by():
    """Every hazard, and every software of others, with each test that shows a control of it."""
    log = hazard_log()
    for name, hazard in log["hazards"].items():
        yield from ((name, test) for control in hazard["controls"] for test in control.get("tests", ()))
    for name, software in log["provenance"].items():
        yield from ((name, test) for anomaly in software["anomalies"] for test in anomaly["tests"])
