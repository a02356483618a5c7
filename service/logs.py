"""What is logged: one line an event on standard error, and in it only what this module knows to be harmless.

An event has a name and fields. Each field is listed here with the shape that its value must have; whatever
else somebody hands over is left out, and the line says which fields those were. Of what libraries log it is
told who logged it and where, never in their words: these may repeat a request.
"""

import json
import logging
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, TextIO

import structlog

DOSEGATE = "dosegate"
LEVELS = ("debug", "info", "warning", "error")
_GUNICORN = "gunicorn.error"
_SIGNAL = re.compile(r"SIG[A-Z0-9]{1,10}")

# Whether a field that is not listed, or has another shape, is left out; tests make it an error.
drops = True

Event = MutableMapping[str, Any]


class NotForTheLog(Exception):
    """Fields that are not listed, or whose values have another shape, by name."""


def _text(pattern: str) -> Callable[[Any], bool]:
    compiled = re.compile(pattern)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _count(value: Any) -> bool:
    return isinstance(value, int) and _number(value)


def _each(one: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(one, value))


_UUID = _text(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")
_WORD = _text(r"[a-z][a-z0-9_.-]{0,63}")
_WORDS = _text(r"[^\x00-\x1f\x7f]{1,300}")  # a sentence of ours; never made of what somebody sent
_ROUTE = _text(r"(/(v1|[a-z._-]+|\{[a-z_]+\})?)+|unmatched")
_VERDICT = _text(r"[a-z0-9_]+ (pass|warn|block)")
_NAME = _text(r"[a-z][a-z_]{0,49}")  # of an event or a field

# Each field: what it holds, and what its value must look like.
FIELDS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "request": ("the id of the request, as in `X-Request-Id`", _text(r"[0-9a-z-]{1,64}")),
    "trace": ("the id of the trace, where traces are sent", _text(r"[0-9a-f]{32}")),
    "method": ("how it was asked", _text(r"[A-Z]{3,7}|other")),
    "route": ("the pattern of the address, never the address", _ROUTE),
    "status": ("the status of HTTP that was answered", lambda value: _count(value) and 100 <= value <= 599),
    "ms": ("how long it took, in milliseconds", _number),
    "kind": ("what asked: a role, `key`, `ehr` or `sender`", _WORD),
    "account": ("the id of the account that asked", _UUID),
    "key": ("the prefix of the API key that asked", _text(r"[0-9a-f]{12}")),
    "checklists": ("drug and status of each checklist evaluated", _each(_VERDICT)),
    "checklist": ("the id of a checklist", _UUID),
    "drug": ("the id of a pack", _text(r"[a-z0-9_]{1,64}")),
    "version": ("the version of a pack or of the service", _text(r"[0-9A-Za-z.+-]{1,32}")),
    "digest": ("the digest of rules or of a pack", _text(r"(sha256:)?[0-9a-f]{8,64}")),
    "client": ("the name under which an EHR or a sender is registered", _text(r"[a-z0-9][a-z0-9._-]{0,63}")),
    "origin": ("scheme and host of a server", _text(r"https?://[A-Za-z0-9.:\[\]-]{1,255}")),
    "message": ("the id of a message to an endpoint", _UUID),
    "error": ("the class of an error, never its words", _text(r"[A-Za-z_]\w{0,79}")),
    "reason": ("why, in words of ours", _WORDS),
    "part": ("the part of the service that is not ready", _WORD),
    "library": ("the library that logged something", _text(r"[A-Za-z_][\w.]{0,99}")),
    "place": ("the module and the line where it did", _text(r"[A-Za-z_]\w*:\d{1,6}")),
    "workers": ("how many workers", _count),
    "count": ("how many", _count),
}
_OWN = frozenset({"at", "level"})


def _only_known(_logger: Any, _method: str, event: Event) -> Event:
    """What may be logged of an event. Raises NotForTheLog where nothing may be dropped."""
    others = [name for name in event if not fits(name, event[name])]
    if others and not drops:
        raise NotForTheLog(", ".join(f"{name} of {event['event']}" for name in sorted(others)))
    known = {name: value for name, value in event.items() if name not in others}
    dropped = {"dropped": sorted(filter(_NAME, others))} if others else {}
    return {"event": "unnamed", **known, **dropped}


def fits(name: str, value: Any) -> bool:
    """Whether a field may be logged with this value."""
    if name == "event":
        return _NAME(value)
    return name in _OWN or (name in FIELDS and FIELDS[name][1](value))


def to_the_log() -> None:
    """Let events go where the standard library's log goes."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            _only_known,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def configure(level: str) -> None:
    """Log what is of this level or above on standard error; of libraries, warnings and above.

    On a terminal it is for people to read, else JSON. Processes that are forked from this one do the same.
    """
    to_the_log()
    lines = _Lines()
    # Gunicorn's log is its own and passes nothing on; it is given nowhere else to write to.
    for logger in (logging.getLogger(), logging.getLogger(_GUNICORN)):
        logger.handlers = [*(each for each in logger.handlers if not isinstance(each, _Lines)), lines]
        logger.setLevel(logging.WARNING)
    logging.getLogger(_GUNICORN).propagate = False
    logging.getLogger(DOSEGATE).setLevel(level.upper())


class _Lines(logging.StreamHandler[TextIO]):
    """Writes to what is standard error at the time."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(_Form())

    @property
    def stream(self) -> TextIO:
        """Standard error."""
        return sys.stderr

    @stream.setter
    def stream(self, value: TextIO) -> None:
        """It is always that."""


class _Form(logging.Formatter):
    """One line an event."""

    def __init__(self) -> None:
        super().__init__()
        self._for_people = structlog.dev.ConsoleRenderer(colors=False)

    def format(self, record: logging.LogRecord) -> str:
        ours = record.name == DOSEGATE and isinstance(record.msg, dict)
        event: Event = {**record.msg} if ours else _of_a_library(record)  # type: ignore[dict-item]
        if sys.stderr.isatty():
            event["timestamp"] = event.pop("at")
            return str(self._for_people(None, "", event))
        first = {name: event.pop(name) for name in ("at", "level", "event")}
        return json.dumps({**first, **dict(sorted(event.items()))})


def _of_a_library(record: logging.LogRecord) -> Event:
    """Who logged it, and where in its code; the class of an error that it came with."""
    event: Event = {"event": "library", "library": record.name, "place": f"{record.module}:{record.lineno}"}
    if record.exc_info and record.exc_info[0] is not None:
        event["error"] = record.exc_info[0].__name__
    # Gunicorn's own sentences about its workers; with anything but numbers and signals they stay unfilled.
    if record.name == _GUNICORN and isinstance(record.msg, str) and record.args:
        filled = all(isinstance(each, int) or _SIGNAL.fullmatch(str(each)) for each in record.args)
        event["reason"] = record.getMessage() if filled else record.msg
    known = {name: value for name, value in event.items() if fits(name, value)}
    at = datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z")
    return {"at": at, "level": record.levelname.lower(), **known}
