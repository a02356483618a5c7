"""Beginning a checklist: for whom, of what and when; or going on from one that is recorded."""

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from service.access.roles import Permission
from service.checklist.rules import Pack
from service.intake.documents import plain
from service.intake.errors import BadInput
from service.intake.json_text import parse_request
from service.intake.requests import find_drug
from service.intake.second_person import RulesChanged, facts_received
from service.pages.moments import clock, moment_at
from service.pages.rendering import page
from service.pages.section import Section
from service.pages.texts import gettext, in_english
from service.records.carried import carried_facts
from service.records.drafting import Unfinished
from service.records.record import CannotAct
from service.web.parts import act, parts, someone

section = Section()

_SEE_OTHER, _REFUSED = 303, 422
_WHOLE = re.compile("[0-9]{1,9}")
_ADDED = "Answers were added at the chair."  # stored in the record, so in one language


@dataclass(frozen=True)
class Choice:
    """A drug to choose: what tells it apart from those whose names look alike."""

    id: str
    words: Markup


@dataclass(frozen=True)
class Offer:
    """A draft of this patient that somebody left: of what, for when, who left it and when."""

    id: str
    drug: str
    infusion_at: datetime
    name: str
    left_at: datetime


@dataclass
class Beginning:
    """The form as it was filled in, and what is wrong with it, by field."""

    typed: Mapping[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    offers: tuple[Offer, ...] = ()

    def __getitem__(self, name: str) -> str:
        return self.typed.get(name, "").strip()


@section.page("/checklists/new", needs=Permission.DRAFT_KEEP)
def new_checklist() -> Response:
    """The form, planned for now."""
    now = act().at.astimezone(parts().time_zone)
    region = str(parts().library.policy.values["region"])
    return _shown(Beginning({"date": str(now.date()), "time": clock(now), "region": region}))


@section.page("/checklists/new", method="POST", needs=Permission.DRAFT_KEEP)
def begin_checklist() -> ResponseReturnValue:
    """Begin one with what earlier ones still say, unless somebody has begun one of this patient already."""
    form = Beginning(request.form)
    pack, started = _read(form)
    if form.errors or pack is None:
        return _shown(form, code=_REFUSED)
    patient = started["patient"]["id"]
    if not form["anew"]:
        form.offers = tuple(_offer(each) for each in parts().drafting.unfinished(patient, act()))
        if form.offers:
            return _shown(form)
    carried = carried_facts(parts().store.records, patient, pack.id, parts().library)
    facts = {**carried, **started["facts"]}
    try:
        drafted = parts().drafting.begin({**started, "facts": facts}, someone())
    except BadInput as bad:
        for error in bad.errors:
            said = in_english(f"{error.message[:1].upper()}{error.message[1:]}.")
            form.errors.setdefault(_field_of(error.path), said)
        return _shown(form, code=_REFUSED)
    return redirect(url_for("pages.draft", draft_id=drafted.id), _SEE_OTHER)


@section.page("/checklists/<uuid:checklist_id>/continue", method="POST", needs=Permission.DRAFT_KEEP)
def continue_checklist(checklist_id: uuid.UUID) -> ResponseReturnValue:
    """Begin a checklist that corrects a recorded one, with all that was known then; or go on with that."""
    id = str(checklist_id)
    kept = parts().store.read(id, act())
    if kept.superseded_by is not None:
        raise CannotAct(f"This checklist is superseded by {kept.superseded_by}: go on from that one.")
    for each in parts().drafting.unfinished(kept.patient, act()):
        if each.corrects == id:
            return redirect(url_for("pages.draft", draft_id=each.id), _SEE_OTHER)
    document = dict(parse_request(kept.request))
    try:
        facts = plain(facts_received(document, parts().library))
    except RulesChanged:
        raise CannotAct("The rules have changed since: make the checklist anew.") from None
    result = json.loads(kept.result)
    started = {
        "drug": kept.drug,
        "region": result["region"],
        "infusion_at": kept.infusion_at,
        "patient": {"id": kept.patient},
        "facts": facts,
        "supersedes": {"id": id, "reason": _ADDED},
    }
    drafted = parts().drafting.begin(started, someone())
    return redirect(url_for("pages.draft", draft_id=drafted.id), _SEE_OTHER)


def _read(form: Beginning) -> tuple[Pack | None, dict[str, Any]]:
    """The drug and the request so far, with what is wrong in the form's errors."""
    if not form["patient"]:
        form.errors["patient"] = gettext("Enter the patient's id.")
    pack = _pack(form)
    moment, wrong = moment_at(form["date"], form["time"], parts().time_zone)
    if moment is None:
        form.errors["date"] = wrong
    facts: dict[str, Any] = {}
    if form["dose_number"]:
        if _WHOLE.fullmatch(form["dose_number"]):
            facts["dose_number"] = int(form["dose_number"])
        else:
            form.errors["dose_number"] = gettext("Enter a whole number, or leave it out.")
    return pack, {
        "drug": pack.id if pack is not None else "",
        "region": form["region"] or str(parts().library.policy.values["region"]),
        "infusion_at": moment.isoformat() if moment is not None else "",
        "patient": {"id": form["patient"]},
        "facts": facts,
    }


def _pack(form: Beginning) -> Pack | None:
    """The drug that was chosen or typed; both only where they are the same."""
    chosen, typed = form["drug"], form["drug_name"]
    if not chosen and not typed:
        form.errors["drug"] = gettext("Choose the drug, or type its name as it is on the order.")
        return None
    found = []
    for name, at in ((chosen, "drug"), (typed, "drug_name")):
        if name:
            try:
                found.append(find_drug(name, parts().library))
            except BadInput as bad:
                form.errors[at] = f"{name}: {bad.errors[0].message}"
                return None
    if len(found) > 1 and found[0] is not found[1]:
        form.errors["drug_name"] = gettext("This is another drug than the one that is chosen above.")
        return None
    return found[0]


def _field_of(path: str) -> str:
    """The field in which a part of the request was typed."""
    known = {"patient.id": "patient", "infusion_at": "date", "facts.dose_number": "dose_number"}
    return known.get(path, path if path in ("drug", "region") else "patient")


def _offer(draft: Unfinished) -> Offer:
    library, zone = parts().library, parts().time_zone
    pack = library.packs.get(draft.drug)
    name = f"{pack.title} ({', '.join(pack.brands)})" if pack is not None else draft.drug
    begins, left_at = draft.infusion_at.astimezone(zone), draft.kept_at.astimezone(zone)
    return Offer(draft.id, name, begins, draft.kept_by, left_at)


def _choices() -> tuple[Choice, ...]:
    """All drugs, each with its brands and its class: alike in name, apart in these."""
    apart = Markup('<strong lang="en">{}</strong> ({})<span class="dg-drug__class" lang="en">{}</span>')
    packs = sorted(parts().library.packs.values(), key=lambda each: (each.drug_class, each.id))
    return tuple(
        Choice(each.id, apart.format(each.title, ", ".join(each.brands), each.drug_class)) for each in packs
    )


def _shown(form: Beginning, code: int = 200) -> Response:
    choices = [(each.id, each.words) for each in _choices()]
    listed = [(name, says) for name, says in form.errors.items()]
    zone = parts().time_zone.key
    return page("new_checklist.html", code=code, form=form, listed=listed, choices=choices, zone=zone)
