"""All pages, put together: this is where to look for which there are."""

from collections.abc import Mapping, Sequence

from flask import Flask

from service.pages import (
    administration,
    answering_findings,
    assets,
    beginning,
    double_check,
    drafts,
    drugs,
    finding_checklists,
    forecast,
    impact,
    journal_pages,
    language,
    outcomes,
    own_account,
    printing,
    problem_pages,
    quality,
    rendering,
    sessions,
    traces,
    uploading,
    versions,
    visits,
    worklist,
)
from service.pages.section import Section, route
from service.web.guard import Needs

SECTIONS: Sequence[Section] = (
    assets.section,
    sessions.section,
    own_account.section,
    worklist.section,
    uploading.section,
    forecast.section,
    beginning.section,
    drafts.section,
    visits.section,
    answering_findings.section,
    outcomes.section,
    double_check.section,
    printing.section,
    finding_checklists.section,
    traces.section,
    journal_pages.section,
    quality.section,
    drugs.section,
    versions.section,
    impact.section,
    administration.section,
)


def register(app: Flask) -> Mapping[str, Needs]:
    """Route the pages of this application; what each of them needs, by endpoint."""
    rendering.register(app)  # first: the templates are strict only where nobody has asked for them before
    language.register(app)
    problem_pages.register(app)
    return route(app, SECTIONS)
