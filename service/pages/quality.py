"""How well the rules serve: what is overridden, why, and after how long. No patient is in it."""

from collections.abc import Mapping

from flask import Response, request

from service.access.roles import Permission
from service.intake.errors import BadInput
from service.pages.filter_forms import asked_for, drug_choices, filled, typed_in
from service.pages.presenters.quality import quality_view
from service.pages.rendering import page
from service.pages.section import Section
from service.pages.texts import Later, gettext, lazy_gettext
from service.records.quality import Quality
from service.records.quality import quality as figures
from service.web.parts import act, parts

section = Section()

_LABELS: Mapping[str, Later] = {
    "drug": lazy_gettext("Drug"),
    "from": lazy_gettext("Made on or after"),
    "to": lazy_gettext("Made on or before"),
}


@section.page("/quality", needs=Permission.QUALITY_READ)
def quality() -> Response:
    """The figures of each rule, the most overridden first."""
    typed = typed_in(request.args, _LABELS)
    try:
        asked = asked_for(typed)
    except BadInput as error:
        return _page(typed, None, refused=error)
    found = figures(parts().store.records, act(), asked.made_from, asked.made_to, asked.drug)
    return _page(typed, found)


def _page(typed: Mapping[str, str], found: Quality | None, refused: BadInput | None = None) -> Response:
    return page(
        "audit/quality.html",
        code=200 if refused is None else 422,
        **filled(_LABELS, typed, refused),
        drugs=drug_choices(gettext("Any")),
        view=quality_view(found, parts().library) if found else None,
    )
