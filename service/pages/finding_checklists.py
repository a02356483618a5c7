"""Finding checklists, and taking them out. What is looked for is in the body: no patient is in an address."""

import itertools
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import Response, request

from service.access.roles import Permission
from service.intake.errors import BadInput, FieldError
from service.intake.filters import ANSWERED, OUTCOMES, VERDICTS, Filters, FiltersSchema, filters_of
from service.intake.json_text import check_texts
from service.intake.requests import read_document
from service.pages.components import Choice
from service.pages.presenters.audit import hit_view
from service.pages.rendering import page
from service.pages.section import Section
from service.pages.texts import gettext, ngettext
from service.records.checklist_export import Format, export
from service.records.reasons import Reason
from service.records.search import search
from service.web.parts import act, parts
from service.web.responses import CSV, NDJSON

section = Section()

_SCHEMA = FiltersSchema()
_TEXTS = ("patient", "drug", "status", "check", "rule", "verdict", "actor", "answered", "reason", "outcome")
_DAYS = {"from": 0, "to": 1, "infusion_from": 0, "infusion_to": 1}  # the last day is wholly in a period
FIELDS = (*_TEXTS, *_DAYS, "superseded")
_FIRST = {"patient", "drug", "status", "from", "to", "outcome"}  # the form's others are folded away
_YES_NO = {"yes": True, "no": False}


@section.page("/find", needs=Permission.CHECKLIST_SEARCH)
def find() -> Response:
    """The empty form."""
    return _form({}, {}, found=None)


@section.page("/find", needs=Permission.CHECKLIST_SEARCH, method="POST")
def search_checklists() -> Response:
    """A page of what is as asked, the newest first."""
    typed = _typed()
    try:
        filters = asked_for(typed)
        found = search(parts().store.records, filters, act(), cursor=request.form.get("cursor") or None)
    except BadInput as error:
        return _refused(typed, error)
    here = parts()
    hits = [hit_view(each, here.library, here.time_zone) for each in found.hits]
    return _form(
        typed,
        {},
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
    typed = _typed()
    try:
        filters, form = asked_for(typed), _format(request.form.get("format", ""))
    except BadInput as error:
        return _refused(typed, error)
    taken = export(parts().store.records, filters, form, act())
    kind = CSV if form is Format.CSV else NDJSON
    response = Response(itertools.chain([taken.head], taken.parts), mimetype=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="checklists.{form}"'
    return response


def _typed() -> dict[str, str]:
    given = {name: request.form.get(name, "").strip() for name in FIELDS}
    return {name: text for name, text in given.items() if text}


def asked_for(typed: Mapping[str, str]) -> Filters:
    """The filters that were typed; days are those of the site's time zone. Raises BadInput."""
    check_texts(dict(typed))
    document: dict[str, Any] = {name: typed[name] for name in _TEXTS if name in typed}
    errors = []
    for name, later in _DAYS.items():
        if name not in typed:
            continue
        try:
            document[name] = midnight(typed[name], later).isoformat()
        except (ValueError, OverflowError):
            errors.append(FieldError(name, gettext("must be a date such as 2026-10-06")))
    if "superseded" in typed:
        document["superseded"] = _YES_NO.get(typed["superseded"])
    try:
        read = read_document(document, _SCHEMA)
    except BadInput as error:
        raise BadInput([*errors, *error.errors]) from None
    if errors:
        raise BadInput(errors)
    return filters_of(read, parts().library)


def midnight(day: str, later: int) -> datetime:
    """When a day begins at the site, or so many days later. Raises ValueError, OverflowError."""
    begins = date.fromisoformat(day) + timedelta(days=later)
    return datetime.combine(begins, time(), parts().time_zone)


def _format(word: str) -> Format:
    if word not in set(Format):
        raise BadInput([FieldError("format", gettext("choose one of the two files"))])
    return Format(word)


def _refused(typed: Mapping[str, str], error: BadInput) -> Response:
    return _form(typed, {each.path: each.message for each in error.errors}, found=None, code=422)


def _form(
    typed: Mapping[str, str], errors: Mapping[str, str], *, found: Mapping[str, Any] | None, code: int = 200
) -> Response:
    everything = {name: typed.get(name, "") for name in FIELDS}
    return page(
        "audit/find.html",
        code=code,
        typed=everything,
        sent=typed,
        more_is_set=any(name in typed for name in FIELDS if name not in _FIRST),
        errors={name: errors.get(name) for name in FIELDS},
        summary=[(name if name in FIELDS else None, message) for name, message in errors.items()],
        found=found,
        choices=_choices(),
        rules=sorted({rule.id for pack in parts().library.packs.values() for rule in pack.rules}),
    )


def drug_choices() -> list[Choice]:
    """Every drug with its brands and class, so that no look-alike is taken for another."""
    any_drug: Choice = ("", gettext("Any"))
    packs = sorted(parts().library.packs.values(), key=lambda pack: pack.title)
    named = [(pack.id, f"{pack.title} ({', '.join(pack.brands)}; {pack.drug_class})") for pack in packs]
    return [any_drug, *named]


def _choices() -> dict[str, list[Choice]]:
    said = {
        "status": {"block": gettext("Block"), "warn": gettext("Warn"), "pass": gettext("Pass")},
        "verdict": dict(zip(VERDICTS, (gettext("Fired"), gettext("Could not be decided")), strict=True)),
        "answered": dict(zip(ANSWERED, (gettext("Overridden"), gettext("Acknowledged")), strict=True)),
        "outcome": dict(zip(OUTCOMES, _outcomes(), strict=True)),
        "superseded": {"no": gettext("Only those that stand"), "yes": gettext("Only superseded ones")},
        "reason": {each.value: each.words for each in Reason},
        "check": _checks(),
    }
    lists = {name: [("", gettext("Any")), *words.items()] for name, words in said.items()}
    return {**lists, "drug": drug_choices()}


def _outcomes() -> tuple[str, ...]:
    return gettext("Infused"), gettext("Held"), gettext("Stopped"), gettext("None recorded")


def _checks() -> dict[str, str]:
    titles = {check.id: check.title for pack in parts().library.packs.values() for check in pack.checks}
    return dict(sorted(titles.items(), key=lambda each: each[1]))
