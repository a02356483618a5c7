"""Today: the infusions of a day, those first that need somebody; and everything of one patient."""

from datetime import date, timedelta

from flask import Response, request

from service.access.roles import Permission
from service.intake.errors import BadInput, FieldError
from service.intake.filters import Filters
from service.intake.requests import find_drug
from service.intake.values import Refused, read_date, read_text
from service.pages.filter_forms import drug_choices
from service.pages.presenters.patient import patient_view
from service.pages.presenters.worklist import today_view
from service.pages.rendering import page
from service.pages.section import Section
from service.pages.texts import gettext
from service.records.search import search
from service.web.parts import act, parts, principal
from service.webhooks.worklist import MOST_DAYS, Asked, worklist

section = Section()

_REFUSED = 422
_MOST_CHECKLISTS = 50


@section.page("/today", needs=Permission.INFUSION_READ)
def today() -> Response:
    """The infusions of a day, of one drug where one is asked for."""
    here, doing = parts(), act()
    day, drug = _day(doing.at.astimezone(here.time_zone).date()), chosen_drug()
    found = worklist(here.store.records, Asked(day, day, drug), doing, here.time_zone, here.library)
    view = today_view(found, day, doing.at, here.time_zone, here.library)
    return page(
        "worklist/today.html",
        view=view,
        drug=drug or "",
        drugs=drug_choices(gettext("All drugs")),
        region=str(here.library.policy.values["region"]),
        taken={name: request.args.get(name, 0, type=int) for name in ("planned", "changed")},
    )


@section.page("/today/search", needs=Permission.INFUSION_READ, method="POST")
def search_patient() -> Response:
    """What is planned, begun and recorded of one patient. The id is in the body, and in no address."""
    here, doing = parts(), act()
    try:
        patient = read_text(request.form.get("patient", ""))
    except Refused:
        wrong = gettext("Enter the patient's id, as it stands on the wristband or in the record.")
        return page("worklist/patient.html", code=_REFUSED, view=None, patient="", wrong=wrong)
    first = doing.at.astimezone(here.time_zone).date()
    asked = Asked(first, first + timedelta(days=MOST_DAYS - 1), patient=patient)
    planned = worklist(here.store.records, asked, doing, here.time_zone, here.library)
    # Whoever may not keep drafts has no use for them, nor may they be shown what others may not.
    may_draft = principal().may(Permission.DRAFT_KEEP)
    begun = here.drafting.unfinished(patient, doing) if may_draft else ()
    made = search(here.store.records, Filters(patient=patient), doing, limit=_MOST_CHECKLISTS)
    view = patient_view(patient, planned, begun, made, zone=here.time_zone, library=here.library)
    return page(
        "worklist/patient.html",
        view=view,
        patient=patient,
        wrong="",
        region=str(here.library.policy.values["region"]),
    )


def _day(today: date) -> date:
    """The day that is asked for. Raises BadInput."""
    if not (said := request.args.get("day", "")):
        return today
    try:
        return read_date(said)
    except Refused as refused:
        raise BadInput([FieldError("day", refused.message)]) from None


def chosen_drug() -> str | None:
    """The drug that a list is narrowed to, by its id; None for all. Raises BadInput."""
    said = request.args.get("drug", "")
    return find_drug(said, parts().library).id if said else None
