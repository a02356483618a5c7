"""The bodies of requests and responses about people and keys."""

from marshmallow import Schema, fields, validate

from service.access.keys import LONGEST
from service.access.passwords import MOST_CHARACTERS
from service.access.roles import SCOPES, Role
from service.api import described as a

_ROLE = validate.OneOf([role.value for role in Role])
_PASSWORD = "12 to 1024 characters, without the name of the account."
_EXPIRED = "Its owner has to choose another one when they have signed in with it."
_PIN = "6 to 12 digits, not one digit repeated and not digits in a row."


def _typed(says: str, *, required: bool = True) -> fields.String:
    """A secret as it was typed; what it must be is decided where it is set."""
    return fields.String(
        required=required, validate=validate.Length(1, MOST_CHARACTERS), metadata={"description": says}
    )


class SignInSchema(Schema):
    """Who signs in."""

    name = fields.String(required=True, validate=validate.Length(1, 256))
    password = _typed("The password.")


class UnlockSchema(Schema):
    """The PIN or the password again."""

    secret = _typed("The PIN or the password.")


class NewPasswordSchema(Schema):
    """Another password for one's own account."""

    present = _typed("The present password.")
    password = _typed(_PASSWORD)


class NewPinSchema(Schema):
    """Another PIN for one's own account."""

    present = _typed("The present password, where the account has one.", required=False)
    pin = _typed(_PIN)


class SignedSchema(Schema):
    """What somebody signs by showing again who they are."""

    secret = _typed("The PIN or the password of whoever asks, once more.")


class NewAccountSchema(SignedSchema):
    """A new account. One without a password signs in with the site's identity provider."""

    name = fields.String(required=True, metadata={"example": "nina.koch"})
    full_name = fields.String(required=True, metadata=a.said("As it is printed on what the person signs."))
    role = fields.String(required=True, validate=_ROLE)
    password = fields.String(metadata=a.said(f"{_PASSWORD} {_EXPIRED}"))
    issuer = fields.String(validate=validate.Length(1, 255), metadata=a.said("Who vouches for the person."))
    external = fields.String(validate=validate.Length(1, 255), metadata=a.said("The issuer's name for them."))


class AccountChangeSchema(SignedSchema):
    """What changes of an account; what is left out stays."""

    full_name = fields.String()
    role = fields.String(validate=_ROLE)
    password = fields.String(metadata=a.said(f"{_PASSWORD} {_EXPIRED}"))
    disabled = fields.Boolean(truthy={True}, falsy={False}, metadata=a.said("True ends all its sessions."))


class AccountSchema(Schema):
    """An account, never its secrets."""

    name = a.text()
    full_name = a.text()
    role = a.text(validate=_ROLE)
    has_password = a.flag()
    has_pin = a.flag()
    issuer = a.maybe()
    external = a.maybe()
    created_at = a.moment()
    disabled_at = a.maybe(metadata={"format": "date-time"})


class AccountsSchema(Schema):
    """Every account."""

    accounts = a.each(AccountSchema)


class SessionSchema(Schema):
    """Somebody signed in, and what they may do."""

    name = a.text()
    full_name = a.text()
    role = a.text(validate=_ROLE)
    has_password = a.flag(metadata=a.said("Without one, a PIN has to be set to unlock and to sign."))
    has_pin = a.flag(metadata=a.said("Without one, the password unlocks and signs."))
    password_expired = a.flag(
        metadata=a.said("Somebody else has set the password: another one has to be chosen first.")
    )
    permissions = a.texts()
    locks_after_seconds = a.number(metadata=a.said("After so long without a request it is locked."))
    ends_after_seconds = a.number(metadata=a.said("So long after the sign-in it ends."))


class NewKeySchema(SignedSchema):
    """A new key of a machine client."""

    name = fields.String(
        required=True,
        validate=[validate.Length(1, 200), validate.Predicate("isprintable", error="must be printable")],
    )
    scopes = fields.List(
        fields.String(validate=validate.OneOf(sorted(SCOPES))),
        required=True,
        validate=validate.Length(1, len(SCOPES)),
    )
    days = fields.Integer(required=True, strict=True, validate=validate.Range(1, LONGEST.days))


class KeySchema(Schema):
    """A key, never its secret; the prefix tells keys apart."""

    prefix = a.text()
    name = a.text()
    scopes = a.texts()
    created_at = a.moment()
    expires_at = a.moment()
    used_at = a.maybe(metadata={"format": "date-time"})
    revoked_at = a.maybe(metadata={"format": "date-time"})


class KeyMadeSchema(KeySchema):
    """A key that was made now."""

    token = a.text(metadata=a.said("Shown this once: Authorization: Bearer TOKEN."))


class KeysSchema(Schema):
    """Every key, the newest first."""

    keys = a.each(KeySchema)
