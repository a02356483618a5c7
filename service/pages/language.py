"""Which language a page is in. What the service says itself is in a catalogue; clinical text is English."""

from flask import Flask, request
from flask_babel import Babel
from werkzeug.wrappers import Response

COOKIE = "__Host-dosegate-language"
LANGUAGES = {"en": "English", "de": "Deutsch"}
_DEFAULT = "en"
_A_YEAR = 365 * 24 * 60 * 60


def chosen() -> str:
    """The language that was chosen here, else the browser's, else English."""
    kept = request.cookies.get(COOKIE, "")
    return kept if kept in LANGUAGES else request.accept_languages.best_match([*LANGUAGES]) or _DEFAULT


def keep(response: Response, language: str) -> None:
    """Keep the language that was chosen, on this device."""
    response.set_cookie(
        COOKIE, language, max_age=_A_YEAR, path="/", secure=True, httponly=True, samesite="Strict"
    )


def register(app: Flask) -> None:
    """Let texts of pages be found in the catalogue of the language that is chosen."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "pages/translations"
    app.config["BABEL_DEFAULT_LOCALE"] = _DEFAULT
    Babel(app, locale_selector=chosen)
