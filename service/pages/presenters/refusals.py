"""Why something about accounts, keys and secrets was refused, in words for whoever asked."""

from collections.abc import Mapping
from dataclasses import dataclass

from service.access.account import BadAccount, NoSuchAccount
from service.access.accounts import LastAdmin, WrongSecret
from service.access.keys import BadKey
from service.access.throttle import TooManyFailures
from service.intake.errors import BadInput
from service.pages.texts import Later, gettext, lazy_gettext, ngettext
from service.web.own_account import SignInAgain
from service.web.people import OwnAccount

REFUSALS = (
    WrongSecret,
    TooManyFailures,
    LastAdmin,
    OwnAccount,
    SignInAgain,
    NoSuchAccount,
    BadAccount,
    BadKey,
    BadInput,
)

_SAID: Mapping[type[Exception], tuple[str, Later]] = {
    LastAdmin: (
        "",
        lazy_gettext("Nobody else could administer this service. Make another administrator first."),
    ),
    OwnAccount: (
        "",
        lazy_gettext(
            "Nobody changes their own role, disables themselves or sets their own password here. "
            "Another administrator does."
        ),
    ),
    SignInAgain: (
        "",
        lazy_gettext(
            "Sign in with the identity provider once more. Within 5 minutes of that this can be done."
        ),
    ),
    NoSuchAccount: ("", lazy_gettext("No account has this name.")),
}

# What the rules of accounts say of a field, as they say it, and as it is said here.
FAULTS: Mapping[str, Later] = {
    "must be 12 to 1024 characters": lazy_gettext("Choose a password of 12 to 1024 characters"),
    "must not contain the name of the account": lazy_gettext(
        "Choose a password without the name of the account"
    ),
    "must be text that can be typed": lazy_gettext("Choose a password of characters that can be typed"),
    "must be 6 to 12 digits": lazy_gettext("Choose a PIN of 6 to 12 digits"),
    "must not be one digit repeated, or digits in a row": lazy_gettext(
        "Choose a PIN that is not one digit repeated, and not digits in a row"
    ),
    "must be another one than the present one": lazy_gettext("Choose another password than the present one"),
    "must be 1 to 200 printable characters": lazy_gettext("Enter the full name, in at most 200 characters"),
    "must be 2 to 64 small letters, digits, dots, dashes, underscores and @": lazy_gettext(
        "Enter a name of 2 to 64 small letters, digits, dots, dashes, underscores and @"
    ),
    "is taken": lazy_gettext("Another account has this name"),
    "is another account's": lazy_gettext("This is another account's"),
    "must be 1 to 255 printable ASCII characters": lazy_gettext(
        "Enter 1 to 255 letters, digits and signs without accents"
    ),
    "is required": lazy_gettext("Enter this"),
    "is needed, or an issuer together with its name for the person": lazy_gettext(
        "Give a password, or an issuer together with its name for the person"
    ),
}


@dataclass(frozen=True)
class Refused:
    """What is refused, by the name of each field, or of none; and the status that says so to a browser."""

    errors: Mapping[str, str]
    code: int = 422

    def of(self, field: str) -> str | None:
        """What is said of a field."""
        return self.errors.get(field)

    def listed(self, ids: Mapping[str, str]) -> list[tuple[str | None, str]]:
        """All of it, each with the id of its field: the field's own name unless `ids` has another."""
        return [(ids.get(field, field) or None, says) for field, says in self.errors.items()]


NOTHING = Refused({}, 200)
_ENTER = lazy_gettext("Enter this")
_WANTED: Mapping[str, Later] = {
    "secret": lazy_gettext("Enter your PIN or password"),
    "present": lazy_gettext("Enter the present password"),
    "scopes": lazy_gettext("Choose at least one"),
    "name": lazy_gettext("Enter a name"),
    "full_name": lazy_gettext("Enter the full name"),
}


def not_given(form: Mapping[str, str], *fields: str) -> Refused | None:
    """What is said where one of these fields is empty."""
    empty = {field: str(_WANTED.get(field, _ENTER)) for field in fields if not form.get(field)}
    return Refused(empty) if empty else None


def refused(error: Exception, secret: str = "secret") -> Refused:
    """What to say of one of REFUSALS; `secret` is the field in which somebody showed again who they are."""
    if isinstance(error, TooManyFailures):
        return Refused({secret: waiting(error.retry_after)}, 429)
    if isinstance(error, WrongSecret):
        return Refused({secret: gettext("This is not right. Nothing was changed.")}, 403)
    if isinstance(error, BadAccount):
        return Refused({error.field: _fault(error.reason)})
    if isinstance(error, BadInput):
        return Refused({each.path: _fault(each.message) for each in error.errors})
    if type(error) in _SAID:
        field, says = _SAID[type(error)]
        return Refused({field: str(says)}, 409)
    return Refused({"": str(error)})


def waiting(seconds: int) -> str:
    """How long somebody waits who has tried too often."""
    return ngettext(
        "Too many wrong tries. Try again in one minute.",
        "Too many wrong tries. Try again in %(num)s minutes.",
        -(-seconds // 60),
    )


def _fault(reason: str) -> str:
    return str(FAULTS[reason]) if reason in FAULTS else gettext("This cannot be taken: %(why)s", why=reason)
