"""The checklist in the making: one page from top to bottom, evaluated anew with each answer."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from service.access.roles import Permission
from service.checklist.windows import windows
from service.intake.errors import BadInput
from service.intake.requests import find_drug
from service.pages.answers import Asked, BadAnswer, input_errors, own_limits, read_answer, typed_for
from service.pages.moments import moment_at
from service.pages.presenters.draft import draft_view
from service.pages.presenters.draft_parts import Refused
from service.pages.rendering import is_fragment, page
from service.pages.section import Section
from service.pages.texts import gettext, in_english
from service.records.drafting import Drafted
from service.records.drafts import DraftChanged
from service.web.parts import act, parts, someone

section = Section()

_SEE_OTHER, _CONFLICT, _REFUSED = 303, 409, 422
_MOST_PLACES = 1000


@section.page("/drafts/<uuid:draft_id>", needs=Permission.DRAFT_KEEP)
def draft(draft_id: uuid.UUID) -> Response:
    """The page of a draft, as it is now; `change` is a fact that is to be given anew."""
    return _shown(parts().drafting.read(str(draft_id), act()), change=request.args.get("change"))


@section.page("/drafts/<uuid:draft_id>/answers", method="POST", needs=Permission.DRAFT_KEEP)
def answer_draft(draft_id: uuid.UUID) -> ResponseReturnValue:
    """Keep the answers of one form, and show what comes of them."""
    drafting, sent = parts().drafting, _Sent(request.form)
    try:
        drafted = drafting.answer_with(str(draft_id), sent.read, someone())
    except BadAnswer as bad:
        refused = Refused(sent.reading, bad.errors, bad.typed)
    except BadInput as bad:
        refused = sent.refused(bad)
    else:
        return _gone_on(drafted, (tuple(sent.names), _place()))
    return _shown(drafting.read(str(draft_id), act()), refused=refused, code=_REFUSED)


@section.page("/drafts/<uuid:draft_id>/plan", method="POST", needs=Permission.DRAFT_KEEP)
def plan_draft(draft_id: uuid.UUID) -> ResponseReturnValue:
    """Move the planned start: to now, or to a time of the site's clock."""
    zone, form = parts().time_zone, request.form
    moment: datetime | None
    if form.get("when") == "now":
        moment, error = act().at.astimezone(zone).replace(second=0, microsecond=0), ""
    else:
        moment, error = moment_at(form.get("date", ""), form.get("time", ""), zone)
    if moment is not None:
        try:
            return _gone_on(parts().drafting.plan(str(draft_id), moment, someone()), ((), 0), "start")
        except BadInput as bad:
            error = in_english(bad.errors[0].message)
    drafted = parts().drafting.read(str(draft_id), act())
    return _shown(drafted, code=_REFUSED, plan_error=error)


@section.page("/drafts/<uuid:draft_id>/record", method="POST", needs=Permission.CHECKLIST_MAKE)
def record_draft(draft_id: uuid.UUID) -> ResponseReturnValue:
    """Make the checklist of a draft; tapped twice, it is the same one."""
    try:
        kept = parts().drafting.record(str(draft_id), act())
    except DraftChanged:
        notice = gettext("Somebody answered meanwhile: look at what has changed, then record it.")
        return _shown(parts().drafting.read(str(draft_id), act()), notice=notice, code=_CONFLICT)
    return redirect(url_for("pages.checklist", checklist_id=kept.id), _SEE_OTHER)


@section.page("/drafts/<uuid:draft_id>/discard", method="POST", needs=Permission.DRAFT_KEEP)
def discard_draft(draft_id: uuid.UUID) -> ResponseReturnValue:
    """Forget a draft."""
    parts().drafting.discard(str(draft_id), act())
    return redirect(url_for("pages.today"), _SEE_OTHER)


class _Sent:
    """A form with answers to one question, or to a few. `reading` is the fact that is being read."""

    def __init__(self, form: MultiDict[str, str]) -> None:
        self._form, self._vocabulary = form, parts().library.vocabulary
        self.names = [name for name in dict.fromkeys(form.getlist("fact")) if name in self._vocabulary]
        self.reading = ""

    def read(self, known: Mapping[str, Any]) -> dict[str, Any]:
        """The facts, beside what is known so far. Raises BadAnswer."""
        asked, facts = _asked(known), {}
        for name in self.names:
            self.reading = name
            facts[name] = read_answer(self._vocabulary[name], self._form, asked)
        return facts

    def refused(self, bad: BadInput) -> Refused:
        """An answer that could be read, and that is no fact: for instance a weight that nobody has."""
        for name in self.names:
            if errors := input_errors(self._vocabulary[name], bad):
                return Refused(name, errors, typed_for(name, self._form))
        raise bad


def _asked(known: Mapping[str, Any]) -> Asked:
    """The circumstances of the questions of a request as it is now."""
    library = parts().library
    return Asked(
        now=act().at,
        zone=parts().time_zone,
        infusion_at=datetime.fromisoformat(known["infusion_at"]),
        person=someone().name,
        vocabulary=library.vocabulary,
        given=known.get("facts", {}),
        limits=own_limits(find_drug(known["drug"], library)),
    )


def _place() -> int:
    """Where the question stood that was answered; anything else than a number is the top."""
    said = request.form.get("place", "")
    return min(int(said[:9]), _MOST_PLACES) if said.isdecimal() and said.isascii() else 0


def _gone_on(
    drafted: Drafted, after: tuple[tuple[str, ...], int], anchor: str | None = None
) -> ResponseReturnValue:
    if is_fragment():
        return _shown(drafted, after=after, focus=anchor)
    if anchor is None:
        anchor = draft_view(drafted, _asked(drafted.request), after=after).focus
    return redirect(url_for("pages.draft", draft_id=drafted.id, _anchor=anchor), _SEE_OTHER)


def _shown(
    drafted: Drafted, *, code: int = 200, plan_error: str = "", focus: str | None = None, **options: Any
) -> Response:
    view = draft_view(drafted, _asked_with_windows(drafted), **options)
    view = view if focus is None else replace(view, focus=focus)
    template = "draft/checklist.html" if is_fragment() else "draft.html"
    return page(template, code=code, view=view, plan_error=plan_error, fragment=is_fragment())


def _asked_with_windows(drafted: Drafted) -> Asked:
    answered = drafted.evaluated.request
    found = windows(answered.pack, answered.situation, parts().library.policy.values)
    return replace(_asked(drafted.request), windows=found)
