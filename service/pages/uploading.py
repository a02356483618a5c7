"""Planning infusions from a list that the clinic uploads: chosen, shown, and kept when it is confirmed."""

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from service.access.roles import Permission
from service.pages.presenters.uploading import plan_view
from service.pages.rendering import page
from service.pages.section import Section
from service.pages.texts import gettext
from service.web.parts import act, parts
from service.web.responses import CSV
from service.webhooks.list_reading import MOST_BYTES, MOST_LINES, TEMPLATE, BadList, text_of
from service.webhooks.listed import Does, OtherwiseNow, Plan, UploadedLists

section = Section()

_SEE_OTHER, _CONFLICT, _REFUSED = 303, 409, 422
_WITHOUT_BAD = "good"


@section.page("/today/upload", needs=Permission.CHECKLIST_MAKE)
def upload_list() -> Response:
    """The form, and what a list looks like."""
    return _form()


@section.page("/today/upload/template.csv", needs=Permission.CHECKLIST_MAKE)
def list_template() -> Response:
    """The heading of a list, as a file to begin with."""
    response = Response(TEMPLATE, mimetype=CSV)
    response.headers["Content-Disposition"] = 'attachment; filename="infusions.csv"'
    return response


@section.page("/today/upload", needs=Permission.CHECKLIST_MAKE, method="POST")
def preview_list() -> Response:
    """What would come of the list that was chosen. Nothing is kept."""
    chosen = request.files.get("list")
    if chosen is None or not chosen.filename:
        return _form(gettext("Choose the file first."))
    try:
        text = text_of(chosen.read(MOST_BYTES + 1))
        return _preview(_lists().preview(text, act()), text)
    except BadList as bad:
        return _form(bad.reason)


@section.page("/today/upload/confirm", needs=Permission.CHECKLIST_MAKE, method="POST")
def confirm_list() -> ResponseReturnValue:
    """Keep what was shown; where something else would come of it by now, that is shown instead."""
    text, seen = request.form.get("text", ""), request.form.get("seen", "")
    try:
        text = text_of(text.encode())
        plan = _lists().take(text, act(), seen=seen, without_bad=request.form.get("take") == _WITHOUT_BAD)
    except BadList as bad:
        return _form(bad.reason)
    except OtherwiseNow as otherwise:
        return _preview(otherwise.plan, text, otherwise=True)
    planned, changed = plan.that(Does.PLANS), plan.that(Does.CHANGES)
    first = min((each.line.infusion_at for each in (*planned, *changed)), default=act().at)
    day = first.astimezone(parts().time_zone).date()
    where = url_for("pages.today", day=day, planned=len(planned), changed=len(changed))
    return redirect(where, _SEE_OTHER)


def _lists() -> UploadedLists:
    return UploadedLists(parts().store.records, parts().library, parts().time_zone)


def _preview(plan: Plan, text: str, *, otherwise: bool = False) -> Response:
    view = plan_view(plan, parts().time_zone, parts().library)
    code = _CONFLICT if otherwise else 200
    return page("worklist/preview.html", code=code, view=view, text=text, otherwise=otherwise)


def _form(wrong: str = "") -> Response:
    """The form; `wrong` is what was wrong with the file as a whole."""
    packs = parts().library.packs.values()
    return page(
        "worklist/upload.html",
        code=_REFUSED if wrong else 200,
        wrong=wrong,
        drugs=[f"{pack.title} ({', '.join(pack.brands)})" for pack in packs],
        zone=parts().time_zone.key,
        region=str(parts().library.policy.values["region"]),
        most_lines=MOST_LINES,
        most_kibibytes=MOST_BYTES // 1024,
    )
