"""What a request is served with; `service.app` puts it together."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from flask import Flask, current_app, g

from service.access.accounts import Accounts
from service.access.external import ExternalSignIn
from service.access.keys import ApiKeys
from service.access.principal import Principal
from service.access.refusals import Refusals
from service.access.sessions import Sessions
from service.access.sign_in import SignIn
from service.ehr.answering import Answering
from service.ehr.clients import EhrClients
from service.ehr.feedback import CardFeedback
from service.ehr.tokens import Trust
from service.knowledge.library import Library
from service.outbound.http import Outbound
from service.records.drafting import Drafting
from service.records.drafts import Drafts
from service.records.journal import Act
from service.records.making import Making
from service.records.replay import Replayer
from service.records.store import Store
from service.records.visits import Person, Visits
from service.web.metrics import Metrics
from service.webhooks.deliveries import Deliveries
from service.webhooks.endpoints import Endpoints
from service.webhooks.infusions import Infusions
from service.webhooks.senders import Senders

_NAME = "dosegate"


@dataclass(frozen=True)
class Parts:
    """The library, what makes checklists with it, the records, keys and people, the clock, the counters."""

    library: Library
    making: Making
    store: Store
    replayer: Replayer
    keys: ApiKeys
    accounts: Accounts
    sessions: Sessions
    sign_in: SignIn
    refusals: Refusals
    external_sign_in: ExternalSignIn | None
    visits: Visits
    drafts: Drafts
    drafting: Drafting
    outbound: Outbound
    ehr_clients: EhrClients
    trust: Trust
    answering: Answering
    card_feedback: CardFeedback
    endpoints: Endpoints
    deliveries: Deliveries
    senders: Senders
    infusions: Infusions
    time_zone: ZoneInfo
    public_url: str | None
    clock: Callable[[], datetime]
    metrics: Metrics


def install(app: Flask, parts: Parts) -> None:
    """Give an application its parts."""
    app.extensions[_NAME] = parts


def parts() -> Parts:
    """The parts of the application that serves this request."""
    return parts_of(current_app)


def parts_of(app: Flask) -> Parts:
    """The parts of an application."""
    found: Parts = app.extensions[_NAME]
    return found


def principal() -> Principal:
    """Who asks; every route that is not public has one."""
    found: Principal = g.principal
    return found


def act() -> Act:
    """What is being done now, by whom, in this request."""
    return principal().act(g.request_id, parts().clock())


def today() -> date:
    """The day that it is at the site."""
    return parts().clock().astimezone(parts().time_zone).date()


def someone() -> Person:
    """Who is doing something now, by the printed name."""
    return Person(principal().name, act())
