"""How often one may ask: each person, machine and unknown address by itself, and what costs more counts more.

The limit is `Settings.requests_per_minute`; an authenticated machine has ten times that, because an EHR is
one asker for a whole hospital. Requests weigh what they cost, so that one count (and one statement) will do.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, cast

from flask import Flask, Response, g, request
from flask_limiter import ApplicationLimit, Limiter, RequestLimit
from limits import RateLimitItemPerMinute
from werkzeug.exceptions import TooManyRequests

from service.access.addresses import counted_as, is_loopback
from service.access.principal import Principal
from service.access.sign_in import NOBODY
from service.access.throttle import Throttle
from service.records import rates
from service.records.site import SiteRecords
from service.web import problems
from service.web.headers import route
from service.web.parts import parts
from service.web.responses import as_problem

MACHINES = 10  # so many times the limit of a person
# Whoever watches the service must not be kept from it; files are the same for everybody, and kept.
UNCOUNTED = frozenset(
    {"operations.healthz", "operations.readyz", "operations.read_metrics", "documentation.static"}
    | {"pages.asset"}
)
# A password is slow to check, by intention; a PDF to draw; these others read or change thousands of records.
WEIGHTS: Mapping[str, int] = {
    **dict.fromkeys(("sessions.sign_in", "pages.enter", "sessions.unlock", "pages.unlock"), 10),
    **dict.fromkeys(("identity provider.start_at_provider", "identity provider.finish_at_provider"), 10),
    **dict.fromkeys(("pages.preview_list", "pages.confirm_list"), 10),
    **dict.fromkeys(("pages.checklist_pdf", "pages.assess_impact", "pages.verify_journal"), 20),
    **dict.fromkeys(("finding.export_checklists", "pages.export_checklists"), 20),
    **dict.fromkeys(("journal.export_journal", "pages.export_journal"), 20),
}


class Rates:
    """The counts of one application. `per_minute` is the limit of a person; 0 counts nothing."""

    def __init__(self, records: SiteRecords, per_minute: int, clock: Callable[[], datetime]) -> None:
        self._clock, self._digest = clock, Throttle(records).digest
        self._per_minute, self._item = per_minute, RateLimitItemPerMinute(max(per_minute, 1))
        self._limiter = Limiter(
            lambda: self._digest("asker", *_asker()),
            application_limits=[
                ApplicationLimit(
                    limit_provider=lambda: f"{per_minute * _share()} per minute",
                    cost=_weight,
                    exempt_when=lambda: request.endpoint in UNCOUNTED or _is_anybody(),
                )
            ],
            storage_uri="dosegate-worker://" if records.database.is_sqlite else "dosegate-shared://",
            storage_options=cast(Any, {"clock": clock, "database": records.database}),
            strategy="fixed-window",
            on_breach=self._note,
            enabled=per_minute > 0,
        )

    def register(self, app: Flask) -> None:
        """Count the requests of this application; it comes after the door, which says who asks."""
        self._limiter.init_app(app)
        app.register_error_handler(TooManyRequests, _too_many)

    def refused(self) -> None:
        """Count somebody who was not let in: a stranger, or who may not. Raises TooManyRequests."""
        if self._per_minute == 0 or _is_anybody():
            return
        limiter, who = self._limiter.limiter, self._digest("refused", *_asker())
        if not limiter.hit(self._item, who):
            self._note(RequestLimit(self._limiter, self._item, [who], True, True))
            raise TooManyRequests

    def _note(self, breach: RequestLimit) -> None:
        ends_at = self._limiter.storage.get_expiry(breach.limit.key_for(*breach.request_args))
        g.retry_after = rates.seconds_left(ends_at, self._clock())
        parts().metrics.limited(route())


def retry_after() -> int:
    """For how many seconds whoever has asked too often waits."""
    seconds: int = g.retry_after
    return seconds


def _asker() -> tuple[str, str]:
    """Who asks: a person by the account, a machine by its name, anybody else by the address."""
    principal: Principal | None = g.get("principal")
    if principal is None:
        return "address", counted_as(request.remote_addr or NOBODY)
    return ("account", principal.account) if principal.account else ("machine", principal.actor)


def _share() -> int:
    return MACHINES if _asker()[0] == "machine" else 1


def _weight() -> int:
    return WEIGHTS.get(request.endpoint or "", 1)


def _is_anybody() -> bool:
    """Whether it may be anybody: behind a proxy on this machine that is not told of, all have one address."""
    return "principal" not in g and is_loopback(request.remote_addr or "")


def _too_many(_error: TooManyRequests) -> Response:
    detail = f"Too much was asked within a minute; nothing was done. Ask again in {retry_after()} s."
    return as_problem(problems.document(problems.TOO_MANY_REQUESTS, detail), retry_after())
