"""The errors about people, sessions and keys as problems. They tell nobody which accounts there are."""

from flask import Flask, Response

from service.access.account import BadAccount, NoSuchAccount
from service.access.accounts import LastAdmin, WrongSecret
from service.access.keys import BadKey, NoSuchKey
from service.access.principal import PasswordExpired
from service.access.sign_in import SignInFailed
from service.access.throttle import TooManyFailures
from service.intake.errors import FieldError
from service.web import problems
from service.web.guard import ForeignSite
from service.web.own_account import SignInAgain
from service.web.people import OwnAccount
from service.web.responses import as_problem


def _sign_in_failed(_error: SignInFailed) -> Response:
    detail = "No enabled account has this name and this password. Try again, or ask an administrator."
    response = as_problem(problems.document(problems.SIGN_IN_FAILED, detail))
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _too_many_failures(error: TooManyFailures) -> Response:
    minutes = -(-error.retry_after // 60)
    detail = f"Too many wrong tries. Try again in {minutes} {'minute' if minutes == 1 else 'minutes'}."
    return as_problem(problems.document(problems.TOO_MANY_FAILURES, detail), error.retry_after)


def _wrong_secret(_error: WrongSecret) -> Response:
    detail = "This is not right; nothing was done. The failure is recorded."
    return as_problem(problems.document(problems.WRONG_SECRET, detail))


def _sign_in_again(_error: SignInAgain) -> Response:
    detail = "Sign in with the identity provider once more; within 5 minutes of that this can be done."
    return as_problem(problems.document(problems.SIGN_IN_AGAIN, detail))


def _password_expired(_error: PasswordExpired) -> Response:
    detail = (
        "Somebody else has set this password, and so knows it. Choose another one at "
        "/api/v1/account/password and sign in with that; until then nothing else can be done."
    )
    return as_problem(problems.document(problems.PASSWORD_EXPIRED, detail))


def _own_account(_error: OwnAccount) -> Response:
    detail = (
        "Nobody changes their own role, disables themselves or sets their own password here: another "
        "administrator does, or dosegate users; one's own password is changed at /api/v1/account/password."
    )
    return as_problem(problems.document(problems.OWN_ACCOUNT, detail))


def _foreign_site(_error: ForeignSite) -> Response:
    detail = (
        "What changes something here must come from a page of this service: the browser says so in "
        "Sec-Fetch-Site or Origin. A program sends an API key, or the service's own address as Origin."
    )
    return as_problem(problems.document(problems.FOREIGN_SITE, detail))


def _no_such_account(_error: NoSuchAccount) -> Response:
    return as_problem(problems.document(problems.NO_ACCOUNT, "No account has this name."))


def _last_admin(_error: LastAdmin) -> Response:
    detail = "Nobody else could administer this service. Make another administrator first."
    return as_problem(problems.document(problems.LAST_ADMIN, detail))


def _no_such_key(_error: NoSuchKey) -> Response:
    return as_problem(problems.document(problems.NO_KEY, "No key has this prefix."))


def _bad_account(error: BadAccount) -> Response:
    return _refused(FieldError(error.field, error.reason))


def _bad_key(error: BadKey) -> Response:
    return _refused(FieldError("prefix", str(error)))


def _refused(error: FieldError) -> Response:
    detail = "1 field is refused; nothing was recorded."
    return as_problem(problems.document(problems.BAD_INPUT, detail, [error]))


def register(app: Flask) -> None:
    """Answer each of these errors with a problem."""
    app.register_error_handler(SignInFailed, _sign_in_failed)
    app.register_error_handler(TooManyFailures, _too_many_failures)
    app.register_error_handler(WrongSecret, _wrong_secret)
    app.register_error_handler(SignInAgain, _sign_in_again)
    app.register_error_handler(PasswordExpired, _password_expired)
    app.register_error_handler(OwnAccount, _own_account)
    app.register_error_handler(ForeignSite, _foreign_site)
    app.register_error_handler(NoSuchAccount, _no_such_account)
    app.register_error_handler(LastAdmin, _last_admin)
    app.register_error_handler(NoSuchKey, _no_such_key)
    app.register_error_handler(BadAccount, _bad_account)
    app.register_error_handler(BadKey, _bad_key)
