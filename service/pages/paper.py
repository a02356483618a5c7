"""What a sheet of paper needs beside its words: a code that a telephone reads, and whatever draws a PDF."""

from collections.abc import Callable

import segno
from flask import request, url_for
from markupsafe import Markup

from service.web.parts import parts

Draw = Callable[[str, str], bytes]


class CannotDraw(Exception):
    """This machine has not what draws a PDF."""


def whole_address(endpoint: str, checklist: str) -> str:
    """The address of a page about a checklist, as somebody types it at another screen."""
    own = parts().public_url or request.host_url.rstrip("/")
    return own + url_for(endpoint, checklist_id=checklist)


def qr_code(address: str, title: str) -> Markup:
    """An address as a QR code, in SVG; `title` is what it is called where it is not seen."""
    code = segno.make(address, error="m", micro=False)
    return Markup(code.svg_inline(omitsize=True, border=4, title=title))


def pdf_drawing() -> Draw:
    """What draws a page as a PDF, loaded when it is first asked for. Raises CannotDraw."""
    try:
        from service.pages.drawing import draw  # noqa: PLC0415 - a server without Pango starts all the same
    except (ImportError, OSError):
        raise CannotDraw from None
    return draw
