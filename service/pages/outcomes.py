"""How a visit ended: infused, held or stopped, with why; and who signs for it."""

import uuid

from flask import Response, request
from werkzeug.wrappers import Response as Redirect

from service.access.roles import Permission
from service.pages.presenters.visit_forms import ENDED, OUTCOME, SIGN
from service.pages.section import Section
from service.pages.texts import gettext
from service.pages.visit_page import acting
from service.pages.visit_sent import LONGEST_COMMENT, Sent
from service.records.reasons import OutcomeReason
from service.records.record import Meaning, Outcome
from service.records.visits import Ending
from service.web.guard import check_may
from service.web.parts import parts, someone
from service.web.signatures import SIGNS, sign

section = Section()


@section.page("/checklists/<uuid:checklist_id>/outcomes", needs=Permission.OUTCOME_RECORD, method="POST")
def record_outcome(checklist_id: uuid.UUID) -> Response | Redirect:
    """Record how it ended. The same again, as by a second tap, is recorded once."""

    def do() -> None:
        sent = Sent(request.form)
        outcome = sent.code("outcome", Outcome, gettext("Choose how the visit ended."))
        reason, comment = sent.code("reason", OutcomeReason), sent.text("comment", LONGEST_COMMENT)
        sent.check()
        assert outcome is not None
        parts().visits.end(str(checklist_id), Ending(outcome, reason, comment), someone())

    form = ENDED if request.form.get("form") == ENDED else OUTCOME
    return acting(checklist_id, form, do, place="outcome")


@section.page("/checklists/<uuid:checklist_id>/attestations", needs=Permission.CHECKLIST_READ, method="POST")
def attest(checklist_id: uuid.UUID) -> Response | Redirect:
    """Sign the record as it is now, with a meaning that the role allows."""
    meaning = Sent(request.form).code("meaning", Meaning)
    if meaning is not None:
        check_may(SIGNS[meaning])

    def do() -> None:
        sent = Sent(request.form)
        signed, secret = sent.code("meaning", Meaning, gettext("Choose what you sign.")), sent.secret()
        sent.check()
        assert signed is not None
        sign(secret)
        parts().visits.attest(str(checklist_id), signed, someone())

    return acting(checklist_id, SIGN, do, place="signatures")
