"""Finding checklists, and taking them out. What is looked for is in the body: no patient is in an address."""

import itertools
from collections.abc import Mapping
from typing import Any

from flask import Response, request

from service.access.roles import Permission
from service.intake.errors import BadInput, FieldError
from service.intake.filters import ANSWERED, OUTCOMES, VERDICTS
from service.pages.components import Choice
from service.pages.filter_forms import asked_for, drug_choices, filled, typed_in
from service.pages.presenters.audit import hit_view
from service.pages.rendering import page
from service.pages.section import Section
from service.pages.statuses import MARKS
from service.pages.texts import Later, gettext, in_english, lazy_gettext, ngettext
from service.records.checklist_export import Format, export
from service.records.reasons import Reason
from service.records.search import search
from service.web.parts import act, parts
from service.web.responses import CSV, NDJSON

section = Section()

LABELS: Mapping[str, Later] = {
    "patient": lazy_gettext("Patient id"),
    "drug": lazy_gettext("Drug"),
    "status": lazy_gettext("Status"),
    "from": lazy_gettext("Made on or after"),
    "to": lazy_gettext("Made on or before"),
    "outcome": lazy_gettext("Outcome"),
    "infusion_from": lazy_gettext("Infusion on or after"),
    "infusion_to": lazy_gettext("Infusion on or before"),
    "superseded": lazy_gettext("Corrected by a later one"),
    "check": lazy_gettext("Check with a rule that was found"),
    "rule": lazy_gettext("Rule that was found"),
    "verdict": lazy_gettext("How it was found"),
    "answered": lazy_gettext("How it was answered"),
    "reason": lazy_gettext("Reason of that answer"),
    "actor": lazy_gettext("Made by"),
}
_FIRST = {"patient", "drug", "status", "from", "to", "outcome"}  # the form's others are folded away


@section.page("/find", needs=Permission.CHECKLIST_SEARCH)
def find() -> Response:
    """The empty form."""
    return _form({})


@section.page("/find", needs=Permission.CHECKLIST_SEARCH, method="POST")
def search_checklists() -> Response:
    """A page of what is as asked, the newest first."""
    typed = typed_in(request.form, LABELS)
    try:
        filters = asked_for(typed)
        found = search(parts().store.records, filters, act(), cursor=request.form.get("cursor") or None)
    except BadInput as error:
        return _form(typed, refused=error)
    here = parts()
    hits = [hit_view(each, here.library, here.time_zone) for each in found.hits]
    return _form(
        typed,
        found={
            "heading": _heading(len(hits), more=found.cursor is not None),
            "hits": hits,
            "cursor": found.cursor,
            "later": "cursor" in request.form,
        },
    )


def _heading(found: int, *, more: bool) -> str:
    if more:
        return gettext("%(num)s checklists, and there are older ones", num=found)
    return ngettext("%(num)s checklist", "%(num)s checklists", found)


@section.page("/find/export", needs=Permission.CHECKLIST_EXPORT, method="POST")
def export_checklists() -> Response:
    """All that is as asked, as a file that is entered in the journal before its first line."""
    typed = typed_in(request.form, LABELS)
    try:
        filters, form = asked_for(typed), _format(request.form.get("format", ""))
    except BadInput as error:
        return _form(typed, refused=error)
    taken = export(parts().store.records, filters, form, act())
    kind = CSV if form is Format.CSV else NDJSON
    response = Response(itertools.chain([taken.head], taken.parts), mimetype=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="checklists.{form}"'
    return response


def _format(word: str) -> Format:
    if word not in set(Format):
        raise BadInput([FieldError("format", gettext("choose one of the two files"))])
    return Format(word)


def _form(
    typed: Mapping[str, str], *, found: Mapping[str, Any] | None = None, refused: BadInput | None = None
) -> Response:
    return page(
        "audit/find.html",
        code=200 if refused is None else 422,
        **filled(LABELS, typed, refused),
        sent=typed,
        more_is_set=any(name in typed for name in LABELS if name not in _FIRST),
        found=found,
        choices=_choices(),
        rules=sorted({rule.id for pack in parts().library.packs.values() for rule in pack.rules}),
    )


def _choices() -> dict[str, list[Choice]]:
    said = {
        "status": {each: str(MARKS[each].word) for each in ("block", "warn", "pass")},
        "verdict": dict(zip(VERDICTS, (gettext("Fired"), gettext("Could not be decided")), strict=True)),
        "answered": dict(zip(ANSWERED, (gettext("Overridden"), gettext("Acknowledged")), strict=True)),
        "outcome": dict(zip(OUTCOMES, _outcomes(), strict=True)),
        "superseded": {"no": gettext("Only those that stand"), "yes": gettext("Only superseded ones")},
        "reason": {each.value: gettext(each.words) for each in Reason},
        "check": _checks(),
    }
    lists = {name: [("", gettext("Any")), *words.items()] for name, words in said.items()}
    return {**lists, "drug": drug_choices(gettext("Any"))}


def _outcomes() -> tuple[str, ...]:
    return gettext("Infused"), gettext("Held"), gettext("Stopped"), gettext("None recorded")


def _checks() -> dict[str, str]:
    titles = {check.id: check.title for pack in parts().library.packs.values() for check in pack.checks}
    return {id: in_english(title) for id, title in sorted(titles.items(), key=lambda each: each[1])}
