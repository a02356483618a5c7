"""What would come of an uploaded list: what each line does, and what is to be mended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from service.knowledge.library import Library
from service.pages.moments import minute
from service.pages.presenters.drug_names import DrugName, drug_name
from service.pages.texts import gettext, ngettext
from service.webhooks.list_reading import LineError
from service.webhooks.listed import Change, Does, Plan


@dataclass(frozen=True)
class LineView:
    """A good line: what it does, in words, and for whom."""

    line: int
    does: str
    begins: datetime
    patient: str
    drug: DrugName
    reference: str


@dataclass(frozen=True)
class PlanView:
    """The preview. `confirm` names what is confirmed, empty where nothing is to be done.

    `mend` are the lines that something is wrong with, and `bad` says how many these are.
    """

    summary: tuple[str, ...]
    confirm: str
    bad: str
    mend: tuple[LineError, ...]
    does: tuple[LineView, ...]
    nothing: tuple[LineView, ...]
    unused: str
    digest: str


def plan_view(plan: Plan, zone: ZoneInfo, library: Library) -> PlanView:
    """The preview of a list: what is planned and changed, what is left alone, what is wrong."""
    doing, left = plan.that(Does.PLANS, Does.CHANGES), plan.that(Does.NOTHING, Does.TOLD)
    return PlanView(
        summary=_summary(plan),
        confirm=_confirm(plan, len(doing)),
        bad=ngettext("%(num)s line cannot be taken", "%(num)s lines cannot be taken", plan.bad_lines)
        if plan.errors
        else "",
        mend=plan.errors,
        does=_lines(doing, zone, library),
        nothing=_lines(left, zone, library),
        unused=", ".join(plan.unused),
        digest=plan.digest,
    )


def _summary(plan: Plan) -> tuple[str, ...]:
    planned, changed = len(plan.that(Does.PLANS)), len(plan.that(Does.CHANGES))
    left = len(plan.that(Does.NOTHING, Does.TOLD))
    return (
        ngettext("%(num)s infusion would be planned", "%(num)s infusions would be planned", planned),
        ngettext("%(num)s would be changed", "%(num)s would be changed", changed),
        ngettext("%(num)s would be left alone", "%(num)s would be left alone", left),
    )


def _confirm(plan: Plan, number: int) -> str:
    if not number:
        return ""
    if not plan.errors:
        return ngettext("Confirm %(num)s infusion", "Confirm %(num)s infusions", number)
    return ngettext("Take the %(num)s good line", "Take the %(num)s good lines", number)


def _lines(changes: Sequence[Change], zone: ZoneInfo, library: Library) -> tuple[LineView, ...]:
    return tuple(
        LineView(
            line=change.line.line,
            does=_does(change, zone, library),
            begins=change.line.infusion_at.astimezone(zone),
            patient=change.line.patient,
            drug=drug_name(change.line.drug, library),
            reference=change.line.reference,
        )
        for change in changes
    )


def _does(change: Change, zone: ZoneInfo, library: Library) -> str:
    if change.before is not None:
        drug, infusion_at = change.before
        begins = datetime.fromisoformat(infusion_at).astimezone(zone)
        was = minute(begins)
        if drug != change.line.drug:
            was = f"{drug_name(drug, library).title}, {was}"
        return gettext("Change (was %(before)s)", before=was)
    if change.told_by is not None:
        return gettext("Nothing: planned already by %(name)s", name=change.told_by)
    return gettext("Plan") if change.does is Does.PLANS else gettext("Nothing: planned so already")
