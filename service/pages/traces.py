"""The trace of a checklist: every rule with why, the facts as received, the journal around it, and replay."""

import json
import uuid

from flask import Response, request
from werkzeug.exceptions import NotFound

from service.access.roles import Permission
from service.intake.json_text import parse_request
from service.pages.presenters.audit import chain_view, entry_view, flag_views, nearby, time_of
from service.pages.presenters.findings import result_view
from service.pages.presenters.trace import TRUTH_WORDS, VERDICT_WORDS, trace_view
from service.pages.presenters.trace_facts import dose_number, fact_rows, reading_lines
from service.pages.rendering import page
from service.pages.section import Section
from service.pages.texts import gettext
from service.records.chain_state import chain_state
from service.records.journal import Event
from service.records.pages import around
from service.records.replay import CannotReplay
from service.records.search import flags_by_checklist
from service.records.store import PatientErased
from service.records.stored import StoredChecklist
from service.web.parts import act, parts, principal
from service.web.responses import JSON

section = Section()

_SHOWN_BYTES = 40_000  # a longer request is only handed out as a file


@section.page("/checklists/<uuid:checklist_id>/trace", needs=Permission.TRACE_READ)
def trace(checklist_id: uuid.UUID) -> Response:
    """Every rule of a checklist; of one whose patient was erased, what is left."""
    try:
        found = parts().store.read(str(checklist_id), act(), Event.TRACE_VIEWED)
    except PatientErased:
        return _erased(str(checklist_id))
    document, result = json.loads(found.trace), json.loads(found.result)
    check = request.args.get("check") or None
    if check is not None and all(each["check"] != check for each in document["checks"]):
        raise NotFound
    here = parts()
    received, vocabulary = parse_request(found.request), here.library.vocabulary
    return page(
        "audit/trace.html",
        checklist=found,
        made_at=time_of(found.created_at, here.time_zone),
        view=result_view(result, vocabulary, here.time_zone, dose_number(document)),
        trace=trace_view(document, result, vocabulary, check),
        check=check or "",
        choices=[
            ("", gettext("All checks")),
            *((each["check"], each["title"]) for each in document["checks"]),
        ],
        verdicts=VERDICT_WORDS,
        truths=TRUTH_WORDS,
        facts=fact_rows(received, document, vocabulary),
        reading=reading_lines(document, vocabulary),
        received=_shown(found),
        audit=_audit(found.id),
    )


def _shown(found: StoredChecklist) -> str | None:
    """The request as it came in, where it is short enough to stand on a page."""
    return None if len(found.request) > _SHOWN_BYTES else found.request.decode("utf-8-sig")


def _audit(id: str) -> dict[str, object] | None:
    """The journal around a checklist and the state of the chain, for whoever may read the journal."""
    if not principal().may(Permission.JOURNAL_READ):
        return None
    here = parts()
    entries = nearby(around(here.store.records, act(), id), id, here.time_zone)
    return {"entries": entries, "chain": chain_view(chain_state(here.store.records), here.time_zone)}


def _erased(id: str) -> Response:
    """What an erasure leaves: that it was made, of which drug, which rules were found, and the journal."""
    here = parts()
    record = here.visits.record(id, act())
    with here.store.records.reading() as connection:
        flags = flags_by_checklist(connection, [id]).get(id, ())
    return page(
        "audit/erased.html",
        subject=record.subject,
        made_at=time_of(record.subject.made_at, here.time_zone),
        flags=flag_views(flags),
        entries=[entry_view(each, here.time_zone) for each in record.visit.entries],
        audit=_audit(id),
    )


@section.page("/checklists/<uuid:checklist_id>/received", needs=Permission.TRACE_READ)
def request_received(checklist_id: uuid.UUID) -> Response:
    """The request of a checklist, byte for byte as it was received."""
    found = parts().store.read(str(checklist_id), act(), Event.TRACE_VIEWED)
    response = Response(found.request, mimetype=JSON)
    response.headers["Content-Disposition"] = f'attachment; filename="request-{found.id}.json"'
    return response


@section.page("/checklists/<uuid:checklist_id>/replay", needs=Permission.CHECKLIST_REPLAY, method="POST")
def replay(checklist_id: uuid.UUID) -> Response:
    """The stored request answered again, and whether the same came out."""
    id = str(checklist_id)
    try:
        report = parts().replayer.replay(id, act())
    except CannotReplay as error:
        return page("audit/replay.html", id=id, replay=None, why=str(error), code=409)
    return page("audit/replay.html", id=id, replay=report, why="")
