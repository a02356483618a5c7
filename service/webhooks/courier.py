"""The courier: a worker that reads the journal, sends what is due, and goes on until it is told to stop.

Any number of them can work at once, in one process or in several. A slow endpoint holds some of a courier's
hands and never all of them.
"""

import threading
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from service.outbound.http import Outbound
from service.records.database import StoreUnavailable
from service.records.retention import sweep
from service.records.site import SiteRecords
from service.webhooks.claims import Claimed, claim, ready
from service.webhooks.outbox import read_on
from service.webhooks.payloads import payload
from service.webhooks.presence import EVERY, say_gone, say_present
from service.webhooks.sending import SECONDS, Answer, give_up_erased, send, settle

log: structlog.stdlib.BoundLogger = structlog.get_logger("dosegate")
_HANDS, _HANDS_FOR_ONE = 8, 3
_LOOKS_EVERY = 1.0  # seconds
_SWEEPS_EVERY = timedelta(hours=1)


class Courier:
    """Delivers for one site. `chance` gives numbers from 0 to 1; `public_url` is how links begin."""

    def __init__(
        self,
        records: SiteRecords,
        outbound: Outbound,
        public_url: str | None,
        clock: Callable[[], datetime],
        chance: Callable[[], float],
    ) -> None:
        self._records, self._outbound, self._public_url = records, outbound, public_url or ""
        self._clock, self._chance = clock, chance
        self._under_way: dict[Future[bool | None], str] = {}
        self._swept: datetime | None = None
        self._process = uuid.uuid4().hex
        self._said_present: datetime | None = None
        self.delivered = self.failed = 0

    def run(self, stop: threading.Event) -> None:
        """Deliver until told to stop, then finish what is under way. A database that fails is waited for."""
        with ThreadPoolExecutor(_HANDS) as hands:
            while not stop.is_set():
                try:
                    self._say_present()
                    if self._step(hands):
                        continue
                except StoreUnavailable as error:
                    log.error("store_failed", reason=str(error))
                    stop.wait(_LOOKS_EVERY)
                if self._under_way:
                    self._wait_for_one()
                else:
                    stop.wait(_LOOKS_EVERY)
        with suppress(StoreUnavailable):  # it is forgotten by itself
            say_gone(self._records, self._process)

    def _say_present(self) -> None:
        """Say every so often that somebody delivers; by a clock that may step back, too."""
        now, before = self._clock(), self._said_present
        if before is None or abs(now - before) >= EVERY:
            say_present(self._records, self._process, now)
            self._said_present = now

    def drain(self) -> None:
        """Deliver all that is due now, and end. Raises StoreUnavailable."""
        with ThreadPoolExecutor(_HANDS) as hands:
            while self._step(hands) or self._under_way:
                self._wait_for_one()

    def _step(self, hands: ThreadPoolExecutor) -> bool:
        """Read on, and begin to send what is due while hands are free; whether entries are left to read."""
        now = self._clock()
        if self._swept is None or now - self._swept >= _SWEEPS_EVERY:
            sweep(self._records, now)
            self._swept = now
        left = read_on(self._records, now)
        if len(self._under_way) < _HANDS:
            busy = Counter(self._under_way.values())
            for endpoint in sorted(ready(self._records, now), key=lambda each: busy[each]):
                free = min(_HANDS - len(self._under_way), _HANDS_FOR_ONE - busy[endpoint])
                for claimed in claim(self._records, endpoint, free, now) if free > 0 else ():
                    self._under_way[hands.submit(self._deliver, claimed)] = endpoint
        return left

    def _wait_for_one(self) -> None:
        """Wait until something that is under way ends, or it is time to look again."""
        done, _ = wait(self._under_way, _LOOKS_EVERY, FIRST_COMPLETED)
        for each in done:
            del self._under_way[each]
            arrived = each.result()
            self.delivered += arrived is True
            self.failed += arrived is False

    def _deliver(self, claimed: Claimed) -> bool | None:
        """Send what was claimed; whether it arrived, None where it was not sent or nobody could keep that."""
        try:
            answer = self._answer_to(claimed)
            if answer is not None:
                settle(self._records, claimed, answer, self._clock(), self._chance())
        except StoreUnavailable as error:
            log.error("store_failed", reason=str(error))  # the claim runs out, and it is sent again
            return None
        return None if answer is None else answer.arrived

    def _answer_to(self, claimed: Claimed) -> Answer | None:
        try:
            return self._sent(claimed)
        except StoreUnavailable:
            raise
        except Exception as error:
            # What nobody foresaw, as of a record that was tampered with, ends like any other failure.
            log.error("message_not_sent", message=claimed.message, error=type(error).__name__)
            return Answer(arrived=False, words="the message cannot be sent")

    def _sent(self, claimed: Claimed) -> Answer | None:
        with self._records.reading() as connection:
            body = payload(
                connection,
                self._records.site,
                claimed.sequence,
                claimed.type,
                full=claimed.full,
                public_url=self._public_url,
            )
        now = self._clock()
        if body is None:
            give_up_erased(self._records, claimed, now)
            return None
        if now + timedelta(seconds=SECONDS) > claimed.lease:  # somebody else might begin before this ends
            return None
        return send(self._outbound, claimed, body, now)
