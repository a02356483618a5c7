"""Refusals, entered so often that they are seen, and never so often that they bury all else."""

from service.access.principal import Principal
from service.access.throttle import Throttle
from service.records.journal import Act, Event
from service.records.site import SiteRecords

MOST_ENTERED = 20


class Refusals:
    """The refusals of one site."""

    def __init__(self, records: SiteRecords) -> None:
        self._records, self._throttle = records, Throttle(records)

    def enter(self, principal: Principal, permission: str, endpoint: str, act: Act) -> None:
        """Enter a refusal; of one actor and permission 20 in 15 minutes at most. Raises StoreUnavailable."""
        bucket = self._throttle.bucket(MOST_ENTERED, "refused", principal.actor, permission)
        with self._records.reading() as connection:
            if self._throttle.is_full(connection, bucket, act.at):
                return
        with self._records.writing() as writing:
            writing.alone()
            if self._throttle.is_full(writing.connection, bucket, act.at):  # others were refused meanwhile
                writing.wrote_nothing = True
                return
            self._throttle.failed(writing.connection, [bucket], act.at)
            last = self._throttle.is_full(writing.connection, bucket, act.at)
            full = {"limit_reached": True} if last else {}
            writing.enter(act, Event.ACCESS_REFUSED, endpoint, {"permission": permission, **full})
