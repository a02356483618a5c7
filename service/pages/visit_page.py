"""The page of a recorded checklist, and what every form on it shares: done, or shown again with why not."""

import json
import uuid
from collections.abc import Callable, Mapping

from flask import Response, redirect, request, url_for
from werkzeug.wrappers import Response as Redirect

from service.access.accounts import WrongSecret
from service.access.throttle import TooManyFailures
from service.intake.errors import BadInput, FieldError
from service.pages.paper import qr_code, whole_address
from service.pages.presenters.refusals import waiting
from service.pages.presenters.trace_facts import dose_number
from service.pages.presenters.visit import visit_view
from service.pages.presenters.visit_ending import Seeing
from service.pages.presenters.visit_forms import (
    COMMON_TO_ACKNOWLEDGE,
    COMMON_TO_OVERRIDE,
    Refused,
    acknowledge_choices,
    outcome_choices,
    outcome_reason_choices,
    reason_choices,
)
from service.pages.rendering import page
from service.pages.texts import Later, gettext, lazy_gettext, own_words
from service.pages.visit_sent import SECRET, BadForm
from service.records.record import CannotAct, Visit
from service.records.visits import Record
from service.web.guard import FORM_KEY
from service.web.parts import act, parts, principal
from service.web.signatures import SIGNS

_NOT_TYPED = {SECRET, FORM_KEY}
# What a field lacks that the record of a visit asks for only as things stand.
_LACKING: Mapping[str, Later] = {
    "reason": lazy_gettext("Choose why: it was held, stopped or corrected, or begun with something open."),
    "comment": lazy_gettext("Say in a comment what happened: the reason alone says too little here."),
}


def show(record: Record, refused: Refused | None = None, code: int = 200) -> Response:
    """The page of a visit as it is now. Raises PatientErased."""
    seeing = Seeing(principal(), parts().clock(), parts().time_zone, parts().library.vocabulary, SIGNS)
    view = visit_view(record, dose_number(json.loads(record.subject.contents.trace)), seeing, refused)
    address = whole_address("pages.double_check", record.subject.id)
    return page(
        "visit/page.html",
        code=code,
        view=view,
        at_once=acknowledge_choices(),
        reasons_to_acknowledge=reason_choices(COMMON_TO_ACKNOWLEDGE),
        reasons_to_override=reason_choices(COMMON_TO_OVERRIDE),
        outcomes=outcome_choices(),
        outcome_reasons=outcome_reason_choices(),
        second_person_address=address,
        second_person_code=qr_code(address, gettext("The same address as a QR code")),
    )


def read(checklist_id: uuid.UUID) -> Record:
    """The record, for somebody to see; entered as such. Raises NoSuchChecklist, StoreUnavailable."""
    return parts().visits.record(str(checklist_id), act())


def acting(
    checklist_id: uuid.UUID,
    form: str,
    do: Callable[[], object],
    *,
    place: str,
    done: Callable[[Visit], bool] = lambda _visit: False,
) -> Response | Redirect:
    """Do what a form asks for, and show the page at `place`; or show it again with why it cannot be done.

    `done` says whether just this was done before, as by a second tap: then it counts as done now.
    """
    try:
        do()
    except (BadForm, BadInput, CannotAct, WrongSecret, TooManyFailures) as refusal:
        record = read(checklist_id)
        if not (isinstance(refusal, CannotAct) and done(record.visit)):
            errors, code = _said(refusal)
            response = show(record, Refused(form, typed(), errors), code)
            if isinstance(refusal, TooManyFailures):
                response.headers["Retry-After"] = str(refusal.retry_after)
            return response
    return redirect(url_for("pages.checklist", checklist_id=checklist_id, _anchor=place), 303)


def typed() -> dict[str, str]:
    """What was typed into the form that is sent, but for secrets."""
    return {name: value for name, value in request.form.items() if name not in _NOT_TYPED}


def _said(refusal: Exception) -> tuple[dict[str, str], int]:
    """What is wrong, by field, and the status of the answer."""
    if isinstance(refusal, BadForm):
        return dict(refusal.errors), 422
    if isinstance(refusal, BadInput):
        return {each.path: _lacking(each) for each in refusal.errors}, 422
    if isinstance(refusal, WrongSecret):
        wrong = gettext(
            "This is neither your PIN nor your password; nothing was done. What you typed stands."
        )
        return {SECRET: wrong}, 403
    if isinstance(refusal, TooManyFailures):
        return {SECRET: waiting(refusal.retry_after)}, 429
    if isinstance(refusal, CannotAct):
        return {"": own_words(refusal.reason)}, 409
    return {"": gettext("This cannot be done.")}, 409


def _lacking(error: FieldError) -> str:
    return str(_LACKING[error.path]) if error.path in _LACKING else own_words(error.message)
