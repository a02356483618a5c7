"""Style sheets, scripts and pictures: read once, named by their digest, and kept by the browser for ever."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable

from flask import Response, request, url_for
from werkzeug.exceptions import NotFound

from service.pages.section import Section
from service.web.guard import PUBLIC

section = Section()

_FOR_EVER = "public, max-age=31536000, immutable"
_SENT = {".css", ".js", ".svg"}


@dataclass(frozen=True)
class Asset:
    """A file as it is sent, plain and compressed, and its digest."""

    content: bytes
    type: str
    digest: str

    @cached_property
    def compressed(self) -> bytes:
        """The content for a browser that takes it so; compressed when the first one asks."""
        return gzip.compress(self.content, mtime=0)


def _read(folder: Traversable, before: str = "") -> dict[str, Asset]:
    found: dict[str, Asset] = {}
    for entry in folder.iterdir():
        if entry.is_dir():
            found |= _read(entry, f"{before}{entry.name}/")
        elif any(entry.name.endswith(suffix) for suffix in _SENT):
            content = entry.read_bytes()
            type, _ = mimetypes.guess_type(entry.name)
            digest = hashlib.sha256(content).hexdigest()[:16]
            found[before + entry.name] = Asset(content, type or "application/octet-stream", digest)
    return found


ASSETS = _read(files("service").joinpath("pages", "static"))


def address(name: str) -> str:
    """Where an asset is; another content has another address. Raises KeyError."""
    return url_for("pages.asset", digest=ASSETS[name].digest, name=name)


@section.page("/static/<digest>/<path:name>", needs=PUBLIC)
def asset(digest: str, name: str) -> Response:
    """A file. What it names beside itself is under the same address, whatever its digest."""
    found = ASSETS.get(name)
    if found is None:
        raise NotFound
    zipped = request.accept_encodings["gzip"] > 0
    response = Response(found.compressed if zipped else found.content, mimetype=found.type)
    response.headers["Vary"] = "Accept-Encoding"
    if zipped:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Cache-Control"] = _FOR_EVER if digest == found.digest else "public, max-age=3600"
    return response
