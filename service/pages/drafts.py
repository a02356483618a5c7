"""The checklist in the making: one page from top to bottom, evaluated anew with each answer."""

import uuid
from datetime import datetime
from typing import Any

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from service.access.roles import Permission
from service.intake.errors import BadInput
from service.pages.answers import Asked, BadAnswer, input_errors, own_limits, read_answer
from service.pages.moments import moment_at
from service.pages.presenters.draft import Refused, draft_view
from service.pages.rendering import is_fragment, page
from service.pages.section import Section
from service.pages.texts import gettext
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
    drafting, vocabulary = parts().drafting, parts().library.vocabulary
    names = [name for name in dict.fromkeys(request.form.getlist("fact")) if name in vocabulary]
    drafted = drafting.read(str(draft_id), act())
    facts: dict[str, Any] = {}
    name = ""
    try:
        for name in names:
            facts[name] = read_answer(vocabulary[name], request.form, _asked(drafted))
        answered = drafting.answer(str(draft_id), facts, someone()) if facts else drafted
    except BadAnswer as bad:
        return _shown(drafted, refused=Refused(name, bad.errors, bad.typed), code=_REFUSED)
    except BadInput as bad:
        return _shown(drafted, refused=_refused(bad, names), code=_REFUSED)
    return _gone_on(answered, (tuple(facts), _place()))


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
            error = bad.errors[0].message
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
    return redirect(f"/checklists/{kept.id}", _SEE_OTHER)


@section.page("/drafts/<uuid:draft_id>/discard", method="POST", needs=Permission.DRAFT_KEEP)
def discard_draft(draft_id: uuid.UUID) -> ResponseReturnValue:
    """Forget a draft."""
    parts().drafting.discard(str(draft_id), act())
    return redirect("/today", _SEE_OTHER)


def _asked(drafted: Drafted) -> Asked:
    situation, pack = drafted.evaluated.request.situation, drafted.evaluated.request.pack
    return Asked(
        now=act().at,
        zone=parts().time_zone,
        infusion_at=situation.infusion_at,
        person=someone().name,
        vocabulary=parts().library.vocabulary,
        given=drafted.facts,
        limits=own_limits(pack),
    )


def _place() -> int:
    """Where the question stood that was answered; anything else than a number is the top."""
    said = request.form.get("place", "")
    return min(int(said), _MOST_PLACES) if said.isdecimal() and said.isascii() else 0


def _refused(bad: BadInput, names: list[str]) -> Refused:
    """An answer that could be read, and that is no fact: for instance one that nobody can have."""
    for name in names:
        if errors := input_errors(parts().library.vocabulary[name], bad):
            start = f"{name}."
            sent = [key for key in request.form if key.startswith(start)]
            typed = {key.removeprefix(start): request.form.getlist(key) for key in sent}
            return Refused(name, errors, typed)
    raise bad


def _gone_on(
    drafted: Drafted, after: tuple[tuple[str, ...], int], anchor: str | None = None
) -> ResponseReturnValue:
    if is_fragment():
        return _shown(drafted, after=after)
    if anchor is None:
        anchor = draft_view(drafted, _asked(drafted), after=after).focus
    return redirect(url_for("pages.draft", draft_id=drafted.id, _anchor=anchor), _SEE_OTHER)


def _shown(drafted: Drafted, *, code: int = 200, plan_error: str = "", **options: Any) -> Response:
    view = draft_view(drafted, _asked(drafted), **options)
    template = "draft/checklist.html" if is_fragment() else "draft.html"
    return page(template, code=code, view=view, plan_error=plan_error, fragment=is_fragment())
