"""What EHRs are answered, as it is documented. They only describe: what is sent is made elsewhere."""

from marshmallow import Schema, fields, validate

from service.api import described as a
from service.ehr.cards import EXTENSION, INDICATORS


class DiscoveredSchema(Schema):
    """The service on one hook."""

    hook = a.text()
    hookVersion = a.text()
    version = a.text(metadata=a.said("Of CDS Hooks."))
    id = a.text()
    title = a.text()
    description = a.text()
    usageRequirements = a.text()
    prefetch = a.mapping(metadata=a.said("What to search for beforehand, by name."))


class DiscoverySchema(Schema):
    """All services."""

    services = a.each(DiscoveredSchema)


class CodingSchema(Schema):
    """A code of a system, with its words."""

    code = a.text()
    system = a.text()
    display = a.text()


class CardSourceSchema(Schema):
    """What a card rests on."""

    label = a.text()
    url = fields.String(metadata=a.said("Where its rules are; none where it rests on none."))
    topic = fields.Nested(CodingSchema, required=True)


class CardActionSchema(Schema):
    """A draft to be created."""

    type = a.text(validate=validate.Equal("create"))
    description = a.text()
    resource = fields.Dict(required=True)


class SuggestionSchema(Schema):
    """Orders that would settle something unknown."""

    label = a.text()
    uuid = a.text(metadata={"format": "uuid"})
    actions = a.each(CardActionSchema)


class CardLinkSchema(Schema):
    """Where to read on."""

    label = a.text()
    url = a.text()
    type = a.text(validate=validate.Equal("absolute"))


class CardSchema(Schema):
    """A card (CDS Hooks 2.0). One that rests on no checklist has no uuid: nothing is told of it."""

    uuid = fields.String(metadata={"format": "uuid"})
    summary = a.text(metadata={"maxLength": 139})
    detail = a.text(metadata=a.said("GitHub-flavoured Markdown."))
    indicator = a.text(validate=validate.OneOf(list(INDICATORS.values())))
    source = fields.Nested(CardSourceSchema, required=True)
    suggestions = fields.List(fields.Nested(SuggestionSchema))
    selectionBehavior = fields.String(validate=validate.Equal("any"))
    overrideReasons = fields.List(fields.Nested(CodingSchema))
    links = fields.List(fields.Nested(CardLinkSchema))
    extension = fields.Dict(required=True, metadata=a.said(f"{EXTENSION}: what the card is about."))


class CardsSchema(Schema):
    """The cards, worst first; none where no order is of a drug with rules here."""

    cards = a.each(CardSchema)


class IssueDetailsSchema(Schema):
    """An issue in words."""

    text = a.text()


class IssueSchema(Schema):
    """One thing that is wrong."""

    severity = a.text(validate=validate.Equal("error"))
    code = a.text()
    details = fields.Nested(IssueDetailsSchema, required=True)
    expression = fields.List(fields.String(), metadata=a.said("Where in the body it is."))


class OperationOutcomeSchema(Schema):
    """What is wrong, as FHIR has it."""

    resourceType = a.text(validate=validate.Equal("OperationOutcome"))
    issue = a.each(IssueSchema)
