"""All pages, put together: this is where to look for which there are."""

from collections.abc import Mapping, Sequence

from flask import Flask

from service.pages import (
    administration,
    assets,
    audit,
    beginning,
    drafts,
    drugs,
    language,
    printing,
    problem_pages,
    quality,
    rendering,
    sessions,
    visits,
    worklist,
)
from service.pages.section import Section, route
from service.web.guard import Needs

SECTIONS: Sequence[Section] = (
    assets.section,
    sessions.section,
    worklist.section,
    beginning.section,
    drafts.section,
    visits.section,
    printing.section,
    audit.section,
    quality.section,
    drugs.section,
    administration.section,
)


def register(app: Flask) -> Mapping[str, Needs]:
    """Route the pages of this application; what each of them needs, by endpoint."""
    language.register(app)
    rendering.register(app)
    problem_pages.register(app)
    return route(app, SECTIONS)
