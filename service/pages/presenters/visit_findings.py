"""Findings that nobody has answered: how each may be answered, and by whom."""

from dataclasses import dataclass

from service.access.principal import Principal
from service.access.roles import Permission
from service.pages.presenters.findings import FindingView
from service.pages.presenters.visit_forms import Form, Forms, answer_form_id
from service.pages.texts import gettext
from service.records.record import CannotAct, Visit

_FAULTS = ("engine", "policy")


@dataclass(frozen=True)
class OpenFinding:
    """A finding that nobody has answered: `act` is acknowledge or override where this person may, else empty.

    `words` say who can answer it, or why nobody can.
    """

    finding: FindingView
    act: str
    words: str
    form: Form


def open_finding(finding: FindingView, visit: Visit, person: Principal, forms: Forms) -> OpenFinding:
    """What can be done about a finding, and by whom."""
    act = _act(finding, visit)
    needs = Permission.WARN_ACKNOWLEDGE if act == "acknowledge" else Permission.BLOCK_OVERRIDE
    if act and person.may(needs):
        return OpenFinding(finding, act, "", forms.form(answer_form_id(*finding.key)))
    return OpenFinding(finding, "", _who_can(finding, visit), Form(answer_form_id(*finding.key)))


def _act(finding: FindingView, visit: Visit) -> str:
    """How a finding may be answered now, whoever does it; empty where it may not."""
    acknowledged = finding.override == "acknowledge"
    check = visit.check_acknowledgeable if acknowledged else visit.check_overridable
    try:
        check(finding.key)
    except CannotAct:
        return ""
    return "acknowledge" if acknowledged else "override"


def _who_can(finding: FindingView, visit: Visit) -> str:
    if finding.kind in _FAULTS:
        return gettext(
            "This is a fault of the service or of its settings, not of the patient, and nobody can override "
            "it. Work through this check by hand, report the fault, and make a new checklist."
        )
    if finding.override in (None, "never"):
        return gettext(
            "Nobody can override this, not even a prescriber: it is a contraindication, and its sources name "
            "no exception. Hold the infusion, tell the prescriber, and record the outcome."
        )
    if visit.superseded_by is not None:
        return gettext("It is answered in the checklist that replaces this one.")
    if visit.outcome is not None:
        return gettext("It was open when the outcome was recorded, and stays so.")
    if finding.override == "acknowledge":
        return gettext("A nurse, a pharmacist or a prescriber can acknowledge it.")
    return gettext(
        "Only a prescriber can override this, for this dose only. Call the prescriber, who signs in and does "
        "it on this page, with a reason and a signature; or make it pass, and correct the checklist."
    )
