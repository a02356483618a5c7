"""What each setting may be: its text as a value, or the words for what is wrong with it and the way out.

The words go on from the name of the setting. They repeat no value that could hold a secret.
"""

import re
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from environs import ValidationError
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from service.access.addresses import keeps_secrets
from service.logs import LEVELS

_SENDS_TRACES = "opentelemetry-exporter-otlp-proto-http"
_SITE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ADDRESS = re.compile(r"https?://[^/?\\]+/?")
_VISIBLE = re.compile(r"[ -~]{1,255}")
_DIGIT = re.compile(r"[0-9]")
_RATE = re.compile(r"[0-9]{1,6}")
_HOST = re.compile(r"[a-z0-9._-]+(:\d{1,5})?|\[[0-9a-f:.]+\](:\d{1,5})?")
_AMOUNT = re.compile(r"\d{1,2}(\.\d{1,3})?")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]{1,1000}")
_SERVER = re.compile(r"[A-Za-z0-9._:%-]*")
_LONGEST_WAIT = 20
_SQLITE, _POSTGRESQL = "sqlite:///dosegate.db", "postgresql://dosegate@host/dosegate"
_EXAMPLES = f"{_SQLITE} or {_POSTGRESQL}"
_PASSWORD = "may hold a password in front of the @ only, as postgresql://role:password@host/db"
_IN_WORDS = ("password", "sslpassword")


def database(text: str) -> str:
    """The URL of a SQLite file or of a PostgreSQL database."""
    url = _url(text, _EXAMPLES)
    match url.drivername:
        case "sqlite" | "sqlite+pysqlite":
            # Records in memory would be lost at the end of each process, and every worker would have its own.
            if url.database in (None, "", ":memory:"):
                raise ValidationError(f"must name a file or a server; write {_EXAMPLES}")
        case "postgresql" | "postgresql+psycopg":
            _check_server(url)
        case _:
            raise ValidationError(f"must be SQLite or PostgreSQL; write {_EXAMPLES}")
    return text


def owner(text: str) -> str:
    """The URL of a PostgreSQL database."""
    url = _url(text, _POSTGRESQL)
    if url.drivername not in ("postgresql", "postgresql+psycopg"):
        raise ValidationError(f"must be PostgreSQL: a SQLite file has no roles; write {_POSTGRESQL}")
    _check_server(url)
    return text


def _url(text: str, example: str) -> URL:
    try:
        return make_url(text)
    except (ArgumentError, ValueError):  # the second for a port that is no number, which it would repeat
        raise ValidationError(f"is not a database URL; write {example}") from None


def _check_server(url: URL) -> None:
    if not url.database:
        raise ValidationError(f"names no database; write {_POSTGRESQL}")
    # What stands behind an @ of the password would be taken for the server, and be shown as its name.
    if not _SERVER.fullmatch(url.host or ""):
        raise ValidationError(
            "names a server that cannot be: in a password write @ as %40, : as %3A, / as %2F"
        )
    if any(name in url.query for name in _IN_WORDS):
        raise ValidationError(_PASSWORD)


def site(text: str) -> str:
    """The name of a journal."""
    if not _SITE.fullmatch(text):
        raise ValidationError("must be 1 to 64 letters, digits, dots, dashes and underscores")
    return text


def new_file(text: str) -> Path:
    """A file that need not be there."""
    if not text:
        raise ValidationError("must name a file")
    return Path(text)


def folder(text: str) -> Path:
    """A folder that is there."""
    return _there(text, Path.is_dir, "folder")


def file(text: str) -> Path:
    """A file that is there."""
    return _there(text, Path.is_file, "file")


def _there(text: str, is_kind: Callable[[Path], bool], kind: str) -> Path:
    try:
        found = is_kind(path := Path(text))
    except OSError:  # a name that is too long
        found = False
    if not found:
        raise ValidationError(f"names {text}, which is not a {kind} here")
    return path


def line_of(path: Path, longest: int) -> str:
    """The one line of a file; the environment of a process is read by too many.

    The name of a file that is not there is not repeated: it may be the secret itself, put in the wrong place.
    """
    try:
        with path.open("rb") as opened:
            line = opened.read(longest + 3).rstrip(b"\r\n").decode("ascii")
    except (PermissionError, IsADirectoryError) as error:
        raise ValidationError(f"names {path}, which cannot be read: {error.strerror}") from None
    except OSError as error:
        raise ValidationError(f"must name a file that can be read: {error.strerror}") from None
    except UnicodeDecodeError:
        line = ""
    if not (0 < len(line) <= longest and line.isprintable()):
        raise ValidationError(f"names {path}, which must hold 1 to {longest} ASCII characters in a line")
    return line


def public_url(text: str) -> str:
    """An address without a slash at its end: where the provider sends people back is built on it."""
    if not keeps_secrets(text) or _ADDRESS.fullmatch(text) is None:
        raise ValidationError("must be an https address without a path, as https://dosegate.example.org")
    return text.rstrip("/")


def issuer(text: str) -> str:
    """The address of an identity provider."""
    if not keeps_secrets(text) or "?" in text:
        raise ValidationError("must be the provider's https address, as its own documentation gives it")
    return text


def visible(text: str) -> str:
    """Visible ASCII characters."""
    if not _VISIBLE.fullmatch(text):
        raise ValidationError("must be 1 to 255 visible ASCII characters")
    return text


def digit(text: str) -> int:
    """A whole number of one digit."""
    if not _DIGIT.fullmatch(text):
        raise ValidationError("must be a whole number from 0 to 9")
    return int(text)


def rate(text: str) -> int:
    """How often in a minute."""
    if not _RATE.fullmatch(text):
        raise ValidationError("must be a whole number from 0 to 999999, where 0 is no limit")
    return int(text)


def seconds(text: str) -> float:
    """How long an answer may wait."""
    if not _AMOUNT.fullmatch(text) or not 0 < float(text) <= _LONGEST_WAIT:
        raise ValidationError(f"must be seconds, above 0 and up to {_LONGEST_WAIT}, such as 0.35")
    return float(text)


def yes_or_no(text: str) -> bool:
    """Whether it is yes."""
    if text not in ("yes", "no"):
        raise ValidationError("must be yes or no")
    return text == "yes"


def tracing(text: str) -> bool:
    """Whether traces are sent; what sends them has to be there."""
    wanted = yes_or_no(text)
    try:
        if wanted:
            version(_SENDS_TRACES)
    except PackageNotFoundError:
        raise ValidationError(f'needs the extra "tracing": {_SENDS_TRACES} is not installed') from None
    return wanted


def log_level(text: str) -> str:
    """The least that is logged."""
    if text not in LEVELS:
        raise ValidationError(f"must be one of {', '.join(LEVELS)}")
    return text


def uri(text: str) -> str:
    """The name of a system of identifiers."""
    if not _URI.fullmatch(text):
        raise ValidationError("must be a URI, as urn:oid:1.2.3 or https://example.org/mrn")
    return text


def zone(text: str) -> ZoneInfo:
    """A time zone by its name."""
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValidationError("must be a time zone such as Europe/Berlin") from None


def hosts(text: str) -> frozenset[str]:
    """Hosts, with a port or without, in a list with commas."""
    found = frozenset(each.strip().casefold() for each in text.split(",") if each.strip())
    if not all(map(_HOST.fullmatch, found)):
        raise ValidationError("must list hosts, as fhir.example.org,10.1.2.3:8443")
    return found
