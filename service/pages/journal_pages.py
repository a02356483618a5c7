"""The journal: its entries page by page, the state of its chain, and the journal taken out."""

import json
from collections.abc import Mapping

from flask import Response, request

from service.access.roles import Permission
from service.intake.errors import BadInput, FieldError
from service.intake.filters import check_period
from service.intake.json_text import check_texts
from service.pages.filter_forms import days_of, filled, typed_in
from service.pages.presenters.audit import chain_view, entry_view, report_view
from service.pages.presenters.events import EVENT_WORDS
from service.pages.rendering import page
from service.pages.section import Section
from service.pages.texts import Later, gettext, lazy_gettext
from service.records import export as taking_out
from service.records.chain_state import ChainTooLong, chain_state, verify_chain
from service.records.pages import NewestFirst, Period, newest
from service.web.guard import check_may
from service.web.parts import act, parts
from service.web.responses import CSV, JSON, NDJSON

section = Section()

_NAMED = ("event", "actor", "subject")
_LABELS: Mapping[str, Later] = {
    "event": lazy_gettext("Event"),
    "actor": lazy_gettext("Who"),
    "subject": lazy_gettext("About"),
    "from": lazy_gettext("On or after"),
    "to": lazy_gettext("On or before"),
    "entry": lazy_gettext("Up to entry"),
}
_LONGEST, _LAST = 200, 2**31 - 1


@section.page("/journal", needs=Permission.JOURNAL_READ)
def journal() -> Response:
    """The newest entries, or those that are asked for. No patient data is in them, nor in the address."""
    typed = typed_in(request.args, _LABELS)
    try:
        found = _found(typed)
    except BadInput as error:
        return _page(typed, None, refused=error)
    return _page(typed, found)


def _found(typed: Mapping[str, str]) -> NewestFirst:
    """The entries that are asked for. Raises BadInput, StoreUnavailable."""
    check_texts(dict(typed))
    days, errors = days_of(typed)
    errors += [
        FieldError(name, gettext("must be at most 200 characters long"))
        for name in _NAMED
        if len(typed.get(name, "")) > _LONGEST
    ]
    entry = typed.get("entry")
    if entry is not None and not (entry.isascii() and entry.isdecimal() and 0 < int(entry[:12]) <= _LAST):
        errors.append(FieldError("entry", gettext("must be the number of an entry, such as 120")))
    if errors:
        raise BadInput(errors)
    period, through = Period(days.get("from"), days.get("to")), int(entry) if entry is not None else None
    check_period(days.get("from"), days.get("to"), "to")
    filters = {name: typed[name] for name in _NAMED if name in typed}
    return newest(parts().store.records, act(), filters, period, through)


def _page(typed: Mapping[str, str], found: NewestFirst | None, refused: BadInput | None = None) -> Response:
    here = parts()
    zone = here.time_zone
    asked = {name: text for name, text in typed.items() if name != "entry"}
    return page(
        "audit/journal.html",
        code=200 if refused is None else 422,
        **filled(_LABELS, typed, refused),
        filtered=bool(typed),
        asked=asked,
        entries=[entry_view(each, zone) for each in found.entries] if found else [],
        older=found.older if found else None,
        events=[("", gettext("Any")), *((each.value, str(words)) for each, words in EVENT_WORDS.items())],
        chain=chain_view(chain_state(here.store.records), zone),
    )


@section.page("/journal/verify", needs=Permission.JOURNAL_READ, method="POST")
def verify_journal() -> Response:
    """The whole chain verified now, where it is short enough for that."""
    try:
        report = report_view(verify_chain(parts().store.records, act()))
    except ChainTooLong:
        return page("audit/verified.html", report=None, code=409)
    return page("audit/verified.html", report=report)


@section.page("/journal/export", needs=Permission.JOURNAL_EXPORT, method="POST")
def export_journal() -> Response:
    """The journal as a file; with what it commits to only for whoever may take out patient data."""
    word = request.form.get("format", "")
    form = taking_out.Form(word) if word in set(taking_out.Form) else taking_out.Form.NDJSON
    openings = request.form.get("contents") == "yes"
    if openings:
        check_may(Permission.CHECKLIST_EXPORT)
    lines = taking_out.export(parts().store.records, form, act(), openings=openings)
    response = Response(lines, mimetype=CSV if form is taking_out.Form.CSV else NDJSON)
    response.headers["Content-Disposition"] = f'attachment; filename="journal.{form}"'
    return response


@section.page("/journal/checkpoint", needs=Permission.JOURNAL_READ, method="POST")
def take_checkpoint() -> Response:
    """A checkpoint of the chain as it is now, signed, as a file to hold elsewhere."""
    kept = taking_out.checkpoint(parts().store.records, act())
    response = Response(json.dumps(kept, indent=2) + "\n", mimetype=JSON)
    response.headers["Content-Disposition"] = f'attachment; filename="checkpoint-{kept["sequence"]}.json"'
    return response
