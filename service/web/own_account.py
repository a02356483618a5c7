"""What people change of their own account: the password and the PIN."""

from datetime import timedelta

from service.access.account import Account
from service.access.principal import NotSignedIn, PasswordExpired
from service.intake.errors import BadInput, FieldError
from service.web.guard import session_token
from service.web.parts import act, parts, principal

JUST_NOW = timedelta(minutes=5)


class SignInAgain(Exception):
    """Who has no password to type signs in with the identity provider first."""


def own_account() -> Account:
    """The account of whoever asks. Raises NotSignedIn for one who is no person."""
    id = principal().account
    if id is None:
        raise NotSignedIn
    return parts().accounts.by_id(id)


def change_password(present: str, password: str) -> None:
    """Another password for one's own account; all its sessions end.

    Raises WrongSecret, TooManyFailures, BadInput, BadAccount, StoreUnavailable.
    """
    accounts, account = parts().accounts, own_account()
    accounts.confirm(principal(), present, act())
    if accounts.knows_password(account, password):
        raise BadInput([FieldError("password", "must be another one than the present one")])
    accounts.change(account.name, act(), password=password)


def change_pin(present: str | None, pin: str) -> None:
    """Another PIN for one's own account. `present` is the password, where the account has one.

    Raises PasswordExpired, WrongSecret, SignInAgain, TooManyFailures, BadInput, BadAccount, StoreUnavailable.
    """
    if principal().password_expired:  # whoever has set it could set a PIN that outlives it
        raise PasswordExpired
    _check_shown_again(present)
    parts().accounts.change(own_account().name, act(), pin=pin)


def _check_shown_again(password: str | None) -> None:
    """Return where somebody typed their password again, or, having none, signed in just now."""
    now = parts().clock()
    if not own_account().has_password:
        if not timedelta(0) <= now - parts().sessions.session(session_token(), now).created_at < JUST_NOW:
            raise SignInAgain
    elif password is None:
        raise BadInput([FieldError("present", "is required")])
    else:
        parts().accounts.confirm(principal(), password, act())
