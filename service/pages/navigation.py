"""Where somebody can go, by what they may do; and where each begins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.access.principal import Principal
from service.access.roles import Permission, Role
from service.pages.texts import Later, lazy_gettext


@dataclass(frozen=True)
class Place:
    """An entry of the navigation."""

    text: Later
    endpoint: str
    needs: Permission


# In the order of the navigation.
PLACES: Sequence[Place] = (
    Place(lazy_gettext("Accounts"), "pages.accounts", Permission.ACCOUNTS_MANAGE),
    Place(lazy_gettext("API keys"), "pages.api_keys", Permission.KEYS_MANAGE),
    Place(lazy_gettext("Today"), "pages.today", Permission.INFUSION_READ),
    Place(lazy_gettext("Next days"), "pages.forecast", Permission.INFUSION_READ),
    Place(lazy_gettext("New checklist"), "pages.new_checklist", Permission.DRAFT_KEEP),
    Place(lazy_gettext("Find"), "pages.find", Permission.CHECKLIST_SEARCH),
    Place(lazy_gettext("Alert quality"), "pages.quality", Permission.QUALITY_READ),
    Place(lazy_gettext("Journal"), "pages.journal", Permission.JOURNAL_READ),
    Place(lazy_gettext("Drugs"), "pages.drugs", Permission.KNOWLEDGE_READ),
)


def places_of(principal: Principal) -> list[Place]:
    """Where this person can go."""
    return [place for place in PLACES if principal.may(place.needs)]


ROLE_WORDS: Mapping[str, Later] = {
    Role.NURSE: lazy_gettext("Nurse"),
    Role.PRESCRIBER: lazy_gettext("Prescriber"),
    Role.PHARMACIST: lazy_gettext("Pharmacist"),
    Role.AUDITOR: lazy_gettext("Auditor"),
    Role.ADMIN: lazy_gettext("Administrator"),
}

_BEGINNINGS: Mapping[str, str] = {
    Role.NURSE: "pages.today",
    Role.PRESCRIBER: "pages.today",
    Role.PHARMACIST: "pages.today",
    Role.AUDITOR: "pages.find",
    Role.ADMIN: "pages.accounts",
}


def beginning_of(principal: Principal) -> str:
    """The endpoint where this person begins."""
    return _BEGINNINGS[principal.role]
