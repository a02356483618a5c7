"""Answers to findings: a warn acknowledged, a block overridden by a prescriber who signs."""

import uuid
from collections.abc import Callable

from flask import Response, request
from werkzeug.wrappers import Response as Redirect

from service.access.roles import Permission
from service.pages.presenters.visit_forms import answer_form_id
from service.pages.section import Section
from service.pages.texts import gettext
from service.pages.visit_page import acting
from service.pages.visit_sent import LONGEST_COMMENT, LONGEST_NAME, Sent
from service.records.journal import Event
from service.records.reasons import SAYS_NOTHING_ALONE, Reason
from service.records.record import Visit
from service.records.visits import Answer
from service.web.parts import parts, principal, someone
from service.web.signatures import sign

section = Section()


@section.page(
    "/checklists/<uuid:checklist_id>/acknowledgements", needs=Permission.WARN_ACKNOWLEDGE, method="POST"
)
def acknowledge(checklist_id: uuid.UUID) -> Response | Redirect:
    """Acknowledge a warn with a coded reason."""

    def do() -> None:
        sent = Sent(request.form)
        reason = sent.code("reason", Reason, gettext("Choose a reason."))
        too_little = gettext("Say in a comment what this reason points to: by itself it says too little.")
        comment = sent.text("comment", LONGEST_COMMENT, too_little if reason in SAYS_NOTHING_ALONE else None)
        sent.check()
        assert reason is not None
        parts().visits.acknowledge(str(checklist_id), Answer(*_named(), reason, comment), someone())

    return _answering(checklist_id, Event.WARN_ACKNOWLEDGED, do)


@section.page("/checklists/<uuid:checklist_id>/overrides", needs=Permission.BLOCK_OVERRIDE, method="POST")
def override(checklist_id: uuid.UUID) -> Response | Redirect:
    """Override a block, for this dose only, signing for it."""

    def do() -> None:
        sent = Sent(request.form)
        reason = sent.code("reason", Reason, gettext("Choose a reason."))
        order = sent.text("order_reference", LONGEST_NAME)
        why = gettext("Say in your own words why it is overridden.")
        comment, secret = sent.text("comment", LONGEST_COMMENT, why), sent.secret()
        sent.check()
        assert reason is not None
        sign(secret)
        parts().visits.override(str(checklist_id), Answer(*_named(), reason, comment, order), someone())

    return _answering(checklist_id, Event.BLOCK_OVERRIDDEN, do)


def _named() -> tuple[str, str | None]:
    """The check and the rule of the finding that is answered."""
    return request.form.get("check", ""), request.form.get("rule") or None


def _answering(checklist_id: uuid.UUID, event: Event, do: Callable[[], None]) -> Response | Redirect:
    named, actor = _named(), principal().actor

    def done(visit: Visit) -> bool:
        entry = visit.answers.get(named)
        if entry is None:
            return False
        said = (entry.actor, entry.event, entry.details["reason"])
        return said == (actor, event, request.form.get("reason"))

    return acting(checklist_id, answer_form_id(*named), do, place="open", done=done)
