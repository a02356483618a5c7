"""The one service that EHRs find here, the hooks on which they call it, and what a call says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from service.ehr.search_pages import Located
from service.fhir.resources import target
from service.fhir.searches import Search

_STAFF = ("Practitioner", "PractitionerRole")
SERVICE = "dosegate-infusion-checklist"
SPECIFICATION = "2.0.1"  # of CDS Hooks
TITLE = "Dosegate pre-infusion checklist"
DESCRIPTION = (
    "Checks an ordered infusion against its drug's contraindications and requirements: hepatitis B, "
    "tuberculosis, vaccines, pregnancy, earlier reactions, immunosuppressants, laboratory gates, "
    "premedication, dose and schedule. Every card names its source and what would make it pass. What is not "
    "known never passes. It supports clinical judgement and does not replace it."
)
USAGE = (
    "Send every prefetch template, null included where nothing was found; or a bearer token of a FHIR server "
    "that is registered here. What is neither sent nor fetched is unknown, and asked for. A critical card "
    "stops nothing by itself: whether it does is up to the EHR."
)


@dataclass(frozen=True)
class Hook:
    """A hook: its version, and when it is called, for people."""

    name: str
    version: str
    when: str


_HOOKS = (
    Hook("order-sign", "1.0", "When an infusion order is signed"),
    Hook("order-select", "1.0", "When an infusion order is chosen"),
    Hook("patient-view", "1.0", "When the chart is opened, for the active infusion orders"),
    Hook("appointment-book", "1.0", "When a chair is booked, for the active infusion orders"),
    Hook("encounter-start", "1.0", "When the patient arrives, for the active infusion orders"),
    Hook("order-dispatch", "1.1", "When an infusion order is sent to whoever gives it"),
)
HOOKS: Mapping[str, Hook] = {hook.name: hook for hook in _HOOKS}


@dataclass(frozen=True)
class Grant:
    """Leave to read from the EHR's FHIR server for as long as a call lasts. The token is kept nowhere."""

    base: str
    token: str = field(repr=False)


@dataclass(frozen=True)
class Call:
    """One call of a hook, understood whole.

    `drafts` are the resources that only the call knows. `chosen` are the references of the orders that it is
    about; None means all drafts, or where there are none all active orders. `starts` are the times of
    proposed appointments, as written. `context` are the plain texts of the context, by name. `server` is the
    address of the EHR's FHIR server, which may only be read from with a grant.
    """

    hook: str
    instance: str
    patient: str
    context: Mapping[str, str]
    prefetch: Mapping[str, Any] = field(repr=False)
    drafts: tuple[Located, ...] = field(default=(), repr=False)
    chosen: frozenset[str] | None = None
    starts: tuple[str, ...] = ()
    grant: Grant | None = None
    server: str | None = None

    @property
    def asked_by(self) -> str | None:
        """Who of the staff was at work, as `Practitioner/1`; a patient or a relative is patients' data."""
        found = target(self.context.get("userId", ""))
        return "/".join(found) if found is not None and found[0] in _STAFF else None

    @property
    def details(self) -> dict[str, str]:
        """What the journal says of it beside each checklist that it made."""
        said = {"hook": self.hook, "hook_instance": self.instance}
        return {**said, "asked_by": self.asked_by} if self.asked_by is not None else said

    @property
    def has_drafts(self) -> bool:
        """Whether the orders come with the call itself."""
        return self.hook in ("order-sign", "order-select")


def discovery(searches: Iterable[Search]) -> dict[str, Any]:
    """What EHRs are told: one entry for each hook, all of one id, so that new cards replace older ones."""
    prefetch = {search.name: search.template for search in searches}
    return {
        "services": [
            {
                "hook": hook.name,
                "hookVersion": hook.version,
                "version": SPECIFICATION,
                "id": SERVICE,
                "title": TITLE,
                "description": f"{hook.when}. {DESCRIPTION}",
                "usageRequirements": USAGE,
                "prefetch": prefetch,
            }
            for hook in HOOKS.values()
        ]
    }
