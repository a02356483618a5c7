"""The cookies of a browser: the session, and what a device is told of who has signed in on it."""

from werkzeug.wrappers import Response

from service.web.guard import COOKIE

DEVICE_COOKIE = "__Host-dosegate-device"
_DEVICE_SECONDS = 180 * 24 * 60 * 60


def set_session(response: Response, token: str) -> None:
    """Give the browser the token of its session, until it is closed."""
    _set(response, COOKIE, token, None)


def drop_session(response: Response) -> None:
    """Let the browser forget its session."""
    _set(response, COOKIE, "", 0)


def set_device(response: Response, told: str) -> None:
    """Let the device say next time who has signed in on it."""
    _set(response, DEVICE_COOKIE, told, _DEVICE_SECONDS)


def _set(response: Response, name: str, value: str, seconds: int | None) -> None:
    """A cookie that only this site's own pages send, over TLS, and that no script reads."""
    response.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="Strict")
