"""The bodies of requests and responses about senders of webhooks."""

from marshmallow import Schema, fields

from service.api import described as a

_OLDER = {"format": "date-time", "description": "Until then the secret before is good too."}
_NAME = "2 to 64 of a-z, 0-9, dot, dash, underscore and @; the journal knows it as sender:NAME."


class NewSenderSchema(Schema):
    """Who may tell us of infusions from now on."""

    name = fields.String(required=True, metadata=a.said(_NAME))


class SenderSchema(Schema):
    """A sender, never its secrets."""

    name = a.text(metadata=a.said(_NAME))
    created_at = a.moment()
    older_until = a.maybe(metadata=_OLDER)
    revoked_at = a.maybe(metadata={"format": "date-time"})


class SenderSecretSchema(SenderSchema):
    """A sender, and the secret that it signs with from now on."""

    secret = a.text(metadata=a.said("Shown this once, as whsec_ and base64."))


class SendersSchema(Schema):
    """Every sender, by name."""

    senders = a.each(SenderSchema)
