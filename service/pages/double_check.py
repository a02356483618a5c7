"""The blind double check: a second person gives the facts asked for, and sees nothing of what the first gave.

What was answered so far waits in the page, until all of it is compared at once.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Response, redirect, request, url_for
from werkzeug.wrappers import Response as Redirect

from service.access.roles import Permission
from service.checklist.facts import FactDefinition
from service.intake.documents import plain
from service.intake.errors import BadInput
from service.intake.facts import read_facts
from service.intake.json_text import parse_request
from service.pages.answers import Asked, BadAnswer, input_errors, own_limits, read_answer, typed_for
from service.pages.presenters.double_check import blind_view
from service.pages.presenters.draft_parts import Refused
from service.pages.rendering import page
from service.pages.section import Section
from service.pages.texts import gettext, own_words
from service.records.canonical import canonical
from service.records.record import CannotAct
from service.web.parts import act, parts, principal, someone

section = Section()

_GIVEN = "given"


@section.page("/checklists/<uuid:checklist_id>/double-check", needs=Permission.DOUBLE_CHECK)
def double_check(checklist_id: uuid.UUID) -> Response:
    """What a second person is asked, for one who has not made, seen or signed the checklist."""
    return _shown(checklist_id, {})


@section.page("/checklists/<uuid:checklist_id>/double-check", needs=Permission.DOUBLE_CHECK, method="POST")
def enter_double_check(checklist_id: uuid.UUID) -> Response | Redirect:
    """Take an answer, or compare all of them; then the checklist shows where both agree and where not."""
    given = _given(checklist_id)
    if "compare" in request.form:
        return _compare(checklist_id, given)
    vocabulary = parts().library.vocabulary
    for name in dict.fromkeys(request.form.getlist("fact")):
        if name in vocabulary:
            try:
                given[name] = _answer(vocabulary[name], _asked(checklist_id, given))
            except BadAnswer as bad:
                return _shown(checklist_id, given, Refused(name, bad.errors, bad.typed))
    return _shown(checklist_id, given)


def _answer(definition: FactDefinition, asked: Asked) -> Any:
    """One fact as it was answered. Raises BadAnswer, also for what the service would refuse at the end."""
    answer = read_answer(definition, request.form, asked)
    try:
        read_facts({definition.name: answer}, asked.vocabulary, asked.infusion_at)
    except BadInput as bad:
        raise BadAnswer(input_errors(definition, bad), typed_for(definition.name, request.form)) from None
    return answer


def _compare(checklist_id: uuid.UUID, given: Mapping[str, Any]) -> Response | Redirect:
    visits = parts().visits
    try:
        visits.double_check(str(checklist_id), dict(given), parts().library, someone())
    except BadInput as bad:
        return _shown(checklist_id, given, _refused(bad, _asked(checklist_id, given)))
    except CannotAct as cannot:
        if not _made_by_me(checklist_id):
            return _cannot(checklist_id, cannot)
    return redirect(url_for("pages.checklist", checklist_id=checklist_id, _anchor="double-check"), 303)


def _made_by_me(checklist_id: uuid.UUID) -> bool:
    """Whether this person made the double check already, as by a second tap."""
    checks = parts().visits.record(str(checklist_id), act()).visit.double_checks
    return any(each.actor == principal().actor for each in checks)


def _refused(bad: BadInput, asked: Asked) -> Refused:
    """What is refused at the end, at its fact: an answer that is missing, mostly."""
    fact = bad.errors[0].path.removeprefix("facts.").partition(".")[0]
    if fact not in asked.vocabulary:
        raise bad
    return Refused(fact, {"value": gettext('Answer this first; "not known" is an answer.')}, {})


def _shown(checklist_id: uuid.UUID, given: Mapping[str, Any], refused: Refused | None = None) -> Response:
    try:
        subject, asked = parts().visits.double_check_asked(str(checklist_id), someone())
        if any(name not in parts().library.vocabulary for name in asked):
            raise CannotAct("The rules have changed since: make the checklist anew.")
    except CannotAct as cannot:
        return _cannot(checklist_id, cannot)
    mine = {name: given[name] for name in asked if name in given}
    view = blind_view(subject.result, asked, mine, _asked(checklist_id, mine), refused)
    code = 200 if refused is None else 422
    return page("visit/double_check.html", code=code, view=view, given=canonical(plain(mine)).decode())


def _cannot(checklist_id: uuid.UUID, cannot: CannotAct) -> Response:
    return page("visit/cannot.html", code=409, reason=own_words(cannot.reason), checklist=str(checklist_id))


def _given(checklist_id: uuid.UUID) -> dict[str, Any]:
    """What this person answered so far, as the page handed it back; nothing where it is no such thing."""
    try:
        given = parse_request(request.form.get(_GIVEN, "{}").encode())
        read_facts(given, parts().library.vocabulary, _asked(checklist_id, {}).infusion_at)
    except BadInput:
        return {}
    return dict(given)


def _asked(checklist_id: uuid.UUID, given: Mapping[str, Any]) -> Asked:
    """The circumstances of the questions; of the checklist only when it is for, and of which drug."""
    library, stored = parts().library, parts().store.get(str(checklist_id))
    return Asked(
        now=act().at,
        zone=parts().time_zone,
        infusion_at=datetime.fromisoformat(stored.infusion_at),
        person=someone().name,
        vocabulary=library.vocabulary,
        given=given,
        limits=own_limits(library.packs[stored.drug]),
    )
