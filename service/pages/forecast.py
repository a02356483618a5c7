"""The next days: who would be held as things are known now, so that nobody travels for nothing."""

from flask import Response, request

from service.access.roles import Permission
from service.intake.errors import BadInput, FieldError
from service.pages.filter_forms import drug_choices
from service.pages.presenters.forecast import forecast_view
from service.pages.rendering import page
from service.pages.section import Section
from service.pages.texts import gettext, ngettext
from service.pages.worklist import chosen_drug
from service.web.parts import act, parts
from service.webhooks.forecast import USUAL, days_asked
from service.webhooks.forecast import forecast as forecast_of
from service.webhooks.worklist import MOST_DAYS

section = Section()

_LENGTHS = (1, USUAL, 7, 14, MOST_DAYS)


@section.page("/forecast", needs=Permission.INFUSION_READ)
def forecast() -> Response:
    """The forecast of the next days, from tomorrow on. Nothing is kept but that it was looked at."""
    here, doing = parts(), act()
    days, drug = _days(), chosen_drug()
    asked = days_asked(days, drug, here.library, doing.at, here.time_zone)
    found = forecast_of(here.store.records, asked, doing, here.time_zone, here.library)
    lengths = sorted({*_LENGTHS, days})
    return page(
        "worklist/forecast.html",
        view=forecast_view(found, doing.at, here.time_zone, here.library),
        days=str(days),
        lengths=[(str(each), ngettext("%(num)s day", "%(num)s days", each)) for each in lengths],
        drug=drug or "",
        drugs=drug_choices(gettext("All drugs")),
    )


def _days() -> int:
    """How many days are asked for. Raises BadInput."""
    said = request.args.get("days", str(USUAL))
    if not (said.isascii() and said.isdecimal() and len(said) <= len(str(MOST_DAYS))):
        raise BadInput([FieldError("days", f"must be a whole number from 1 to {MOST_DAYS}")])
    return int(said)
