"""The only place where the parts meet: settings, rules, records and the API become one application."""

from collections.abc import Callable
from datetime import UTC, datetime

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from service import tracing
from service.access.accounts import Accounts
from service.access.external import ExternalSignIn
from service.access.keys import ApiKeys
from service.access.oidc import OidcClient
from service.access.provider import Client, Provider
from service.access.refusals import Refusals
from service.access.sessions import Sessions
from service.access.sign_in import SignIn
from service.api import (
    cds_hooks,
    checklists,
    cors,
    documentation,
    drafts,
    drugs,
    ehr_clients,
    ehr_door,
    infusions,
    journal,
    oidc,
    operations,
    people,
    people_errors,
    quality,
    search,
    sender_door,
    senders,
    sessions,
    visits,
    webhook_endpoints,
)
from service.ehr.answering import Answering
from service.ehr.clients import EhrClients
from service.ehr.feedback import CardFeedback
from service.ehr.gathering import Gathering
from service.ehr.tokens import Trust
from service.intake.answers import documents_for
from service.intake.json_text import MOST_BYTES
from service.knowledge.library import Library, load_library
from service.outbound.http import Outbound
from service.pages import site
from service.records.database import StoreUnavailable
from service.records.drafting import Drafting
from service.records.drafts import Drafts
from service.records.journal import Act
from service.records.making import Making
from service.records.opening import announce, open_records
from service.records.replay import Replayer
from service.records.site import SiteRecords
from service.records.store import Store
from service.records.stored import Basis
from service.records.visits import Visits
from service.settings import Settings
from service.web import errors, guard, headers, rates
from service.web.metrics import Metrics
from service.web.parts import Parts, install
from service.webhooks.deliveries import Deliveries
from service.webhooks.endpoints import Endpoints
from service.webhooks.infusions import Infusions
from service.webhooks.senders import Senders


def now() -> datetime:
    """The time; the one place where the clock is read."""
    return datetime.now(UTC)


def library_of(settings: Settings) -> Library:
    """The library that the settings name. Raises KnowledgeError naming every mistake."""
    return load_library(settings.rules, settings.policy)


def load_engines(library: Library) -> None:
    """Load the rules engine of every pack, and the code maps. Raises EngineFault, KnowledgeError."""
    library.code_maps  # noqa: B018  mistakes in them are found now
    for pack in library.packs.values():
        library.engine(pack)


def records_of(settings: Settings, at: datetime) -> SiteRecords:
    """The records that the settings name. Raises StoreUnavailable, BadKeyFile."""
    return open_records(settings.database, settings.owner, settings.site, settings.keys, at)


def opened(settings: Settings, library: Library, at: datetime) -> SiteRecords:
    """The records, where it is entered what is in use from now on. Raises StoreUnavailable, BadKeyFile."""
    records = records_of(settings, at)
    try:
        announce(records, library, Act("service", "service", "start", at))
    except StoreUnavailable:
        records.close()
        raise
    return records


def replayer_of(store: Store) -> Replayer:
    """What replays the checklists of a store."""
    return Replayer(store, documents_for)


def create_app(
    settings: Settings | None = None,
    library: Library | None = None,
    clock: Callable[[], datetime] = now,
    records: SiteRecords | None = None,
) -> Flask:
    """The application. A service that could not answer does not start.

    `records` have been opened and announced already; a database that has gone since stops no start.
    Raises BadSetting, KnowledgeError for rules that cannot be used, EngineFault for rules that the engine
    refuses, StoreUnavailable and BadKeyFile.
    """
    settings = settings or Settings.from_environment()
    if settings.tracing:
        tracing.begin()
    library = library or library_of(settings)
    load_engines(library)
    bases = {pack.id: Basis.of(library, pack) for pack in library.packs.values()}
    records = records or opened(settings, library, clock())
    store, metrics = Store(records), Metrics()
    app = Flask("service", static_folder=None, template_folder="pages/templates")
    # One byte more than is taken: a body without a length is cut there in silence, and must show as too long.
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES + 1
    # A doubled slash is another address, not a redirect: a redirect would repeat the address it was sent.
    app.url_map.merge_slashes = False
    if before := settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=before, x_proto=before, x_host=0)  # type: ignore[method-assign]
    accounts = Accounts(records)
    known_sessions = Sessions(records, accounts)
    outbound = Outbound(settings.private_hosts)
    known_ehrs = EhrClients(records, outbound)
    making = Making(library, bases, store, metrics)
    kept_drafts = Drafts(records)
    parts = Parts(
        library=library,
        making=making,
        store=store,
        replayer=replayer_of(store),
        keys=ApiKeys(records),
        accounts=accounts,
        sessions=known_sessions,
        sign_in=SignIn(records, accounts, known_sessions),
        refusals=Refusals(records),
        external_sign_in=_external(settings, records, accounts, known_sessions),
        visits=Visits(records),
        drafts=kept_drafts,
        drafting=Drafting(making, kept_drafts),
        outbound=outbound,
        ehr_clients=known_ehrs,
        trust=Trust(known_ehrs, outbound, records),
        answering=Answering(
            library=library,
            making=making,
            gathering=Gathering(library, outbound, settings.fhir_seconds),
            counters=metrics,
            zone=settings.time_zone,
            pass_cards=settings.pass_cards,
            patient_system=settings.patient_identifier_system,
        ),
        card_feedback=CardFeedback(records),
        endpoints=Endpoints(records, outbound),
        deliveries=Deliveries(records),
        senders=Senders(records),
        infusions=Infusions(making),
        time_zone=settings.time_zone,
        public_url=settings.public_url,
        clock=clock,
        metrics=metrics,
    )
    install(app, parts)
    headers.register(app)
    sections = (
        checklists.section,
        visits.section,
        drafts.section,
        search.section,
        quality.section,
        journal.section,
        drugs.section,
        operations.section,
        sessions.section,
        people.section,
        ehr_clients.section,
        cds_hooks.section,
        webhook_endpoints.section,
        senders.section,
        infusions.section,
        oidc.section,
    )
    cors.register(app)
    doors = {guard.AN_EHR: ehr_door.door(settings.public_url), guard.A_SENDER: sender_door.enter}
    needs = {**documentation.register(app, sections), **site.register(app)}
    counted = rates.Rates(records, settings.requests_per_minute, clock)
    guard.register(app, needs, settings.public_url, doors, counted.refused)
    counted.register(app)
    errors.register(app)
    people_errors.register(app)
    oidc.register_errors(app)
    ehr_clients.register_errors(app)
    ehr_door.register_errors(app)
    sender_door.register_errors(app)
    webhook_endpoints.register_errors(app)
    senders.register_errors(app)
    infusions.register_errors(app)
    return app


def _external(
    settings: Settings, records: SiteRecords, accounts: Accounts, known_sessions: Sessions
) -> ExternalSignIn | None:
    """The door for whom the site's identity provider vouches, where there is one."""
    known = settings.identity_provider
    if known is None:
        return None
    client = Client(
        known.issuer, known.client_id, known.client_secret, f"{settings.public_url}{oidc.CALLBACK}"
    )
    return ExternalSignIn(records, accounts, known_sessions, OidcClient(Provider(client)))
