"""Where somebody can go, by what they may do; and where each begins."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.access.principal import Principal
from service.access.roles import Permission
from service.pages.texts import Later, lazy_gettext


@dataclass(frozen=True)
class Place:
    """An entry of the navigation."""

    text: Later
    endpoint: str
    needs: Permission


# In the order of the navigation; the first that somebody may see is where they begin.
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
