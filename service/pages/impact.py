"""Impact: what the rules in force, or a pharmacist's draft of others, would have said of past checklists."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import islice

from flask import Response, request

from service.access.roles import Permission
from service.checklist.engine import EngineFault
from service.checklist.rules import Pack
from service.knowledge.library import POLICY, Library, library_from
from service.knowledge.problems import KnowledgeError, Problem
from service.pages.drugs import pack_of
from service.pages.presenters.comparison import Comparison, comparison
from service.pages.presenters.drugs import drug_line
from service.pages.presenters.impact import ImpactView, impact_view
from service.pages.rendering import page
from service.pages.section import Section
from service.pages.texts import gettext
from service.records.impact import Asked, amount, assess
from service.records.impact_tally import Tally, entered
from service.records.journal import Event
from service.records.stored import Basis
from service.web.parts import act, parts, today

section = Section()

# What one page request evaluates: a second or two. The command line goes through any number.
MOST_CHECKLISTS = 300


@dataclass(frozen=True)
class _Form:
    """What was asked for, as it was typed, and what is wrong with it: pairs of field and words."""

    since: str = ""
    until: str = ""
    errors: tuple[tuple[str, str], ...] = ()

    def error(self, field: str) -> str | None:
        """What is wrong with a field."""
        return dict(self.errors).get(field)


@section.page("/drugs/<drug>/impact", needs=Permission.QUALITY_READ)
def drug_impact(drug: str) -> Response:
    """Ask for the period, and for a draft if there is one."""
    return _page(pack_of(drug), _Form())


@section.page("/drugs/<drug>/impact", needs=Permission.QUALITY_READ, method="POST")
def assess_impact(drug: str) -> Response:
    """Evaluate the checklists of the period, enter that, and show what would change. A draft is not kept."""
    pack = pack_of(drug)
    form, since, until = _period()
    if form.errors:
        return _page(pack, form, code=422)
    try:
        texts = _uploaded(pack)
        with _rules(texts) as library:
            asked = Asked(library.packs[pack.id], act().at, since, until)
            view = _assessed(asked, library)
            changes = _changes(pack, asked.pack, library) if texts else None
    except KnowledgeError as error:
        return _page(pack, form, code=422, problems=error.problems)
    return _page(pack, form, view=view, changes=changes, draft=asked.pack if texts else None)


def _assessed(asked: Asked, library: Library) -> ImpactView:
    """What would change. Whoever is told what it came to has been entered before."""
    records = parts().store.records
    total, superseded = amount(records, asked)
    tally = Tally()
    for one in islice(assess(records, asked, library), MOST_CHECKLISTS):
        tally.add(one)
    details = entered(tally, asked, Basis.of(library, asked.pack), patients=False)
    records.enter(act(), Event.IMPACT_ASSESSED, asked.pack.id, details)
    return impact_view(tally, asked, parts().time_zone, total, superseded)


def _changes(now: Pack, draft: Pack, library: Library) -> Comparison:
    """What the draft changes of the rules in force."""
    return comparison((now, parts().library), (draft, library), today())


@contextmanager
def _rules(texts: dict[str, str]) -> Iterator[Library]:
    """The rules in force with these files in their place, for as long as they are needed.

    Raises KnowledgeError.
    """
    if not texts:
        yield parts().library
        return
    try:
        library = library_from({**parts().library.texts, **texts})
    except RecursionError:
        raise _refused(next(iter(texts)), gettext("This is nested too deeply.")) from None
    try:
        yield library
    except EngineFault as fault:
        why = gettext("The rules engine refuses this: %(why)s", why=fault)
        raise _refused(next(iter(texts)), why) from None
    finally:
        for engine in library.engines.values():
            engine.close()


def _uploaded(pack: Pack) -> dict[str, str]:
    """The files that were sent, under the names of those whose place they take. Raises KnowledgeError."""
    found = {}
    for field, name in (("pack", f"drugs/{pack.id}.yaml"), ("policy", POLICY)):
        sent = request.files.get(field)
        if sent is None or not sent.filename:
            continue
        try:
            found[name] = sent.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise _refused(name, gettext("This is not a text in UTF-8.")) from None
    return found


def _refused(file: str, message: str) -> KnowledgeError:
    return KnowledgeError([Problem(f"rules/{file}", 0, "", message)])


def _period() -> tuple[_Form, date | None, date | None]:
    typed = {name: request.form.get(name, "").strip() for name in ("since", "until")}
    days: dict[str, date | None] = {}
    errors = []
    for name, text in typed.items():
        try:
            days[name] = date.fromisoformat(text) if text else None
        except ValueError:
            errors.append((name, gettext("Write the day as 2026-10-06.")))
    since, until = days.get("since"), days.get("until")
    if since and until and since > until:
        errors.append(("until", gettext("The last day is before the first.")))
    return _Form(**typed, errors=tuple(errors)), since, until


def _page(
    pack: Pack,
    form: _Form,
    *,
    code: int = 200,
    problems: Sequence[Problem] = (),
    view: ImpactView | None = None,
    changes: Comparison | None = None,
    draft: Pack | None = None,
) -> Response:
    line = drug_line(pack, parts().library, today())
    return page(
        "drugs/impact.html",
        code=code,
        drug=line,
        form=form,
        problems=problems,
        view=view,
        changes=changes,
        draft=draft,
        most=MOST_CHECKLISTS,
    )
