"""Which language a page is in. What the service says itself is in a catalogue; clinical text is English."""

from flask import Flask, request
from flask_babel import Babel

COOKIE = "__Host-dosegate-language"
LANGUAGES = {"en": "English", "de": "Deutsch"}
_DEFAULT = "en"


def chosen() -> str:
    """The language that was chosen here, else the browser's, else English."""
    kept = request.cookies.get(COOKIE, "")
    return kept if kept in LANGUAGES else request.accept_languages.best_match([*LANGUAGES]) or _DEFAULT


def register(app: Flask) -> None:
    """Let texts of pages be found in the catalogue of the language that is chosen."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "pages/translations"
    app.config["BABEL_DEFAULT_LOCALE"] = _DEFAULT
    Babel(app, locale_selector=chosen)
