"""How well the rules serve: what is overridden, why, and after how long. No patient is in it."""

from collections.abc import Mapping

from flask import Response, request

from service.access.roles import Permission
from service.intake.errors import BadInput
from service.pages.filter_forms import asked_for, drug_choices, summary
from service.pages.presenters.quality import quality_view
from service.pages.rendering import page
from service.pages.section import Section
from service.pages.texts import Later, lazy_gettext
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
    typed = {name: text for name in _LABELS if (text := request.args.get(name, "").strip())}
    try:
        asked = asked_for(typed)
    except BadInput as error:
        return _page(typed, {each.path: each.message for each in error.errors}, None, code=422)
    found = figures(parts().store.records, act(), asked.made_from, asked.made_to, asked.drug)
    return _page(typed, {}, found)


def _page(
    typed: Mapping[str, str], errors: Mapping[str, str], found: Quality | None, *, code: int = 200
) -> Response:
    return page(
        "audit/quality.html",
        code=code,
        typed={name: typed.get(name, "") for name in _LABELS},
        errors={name: errors.get(name) for name in _LABELS},
        labels=_LABELS,
        summary=summary(errors, _LABELS),
        drugs=drug_choices(),
        view=quality_view(found, parts().library) if found else None,
    )
