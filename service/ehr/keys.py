"""The keys of EHRs, kept in this process: read anew every hour, and when one is missing.

A key that an EHR has withdrawn is believed for an hour at most while its server answers, and for a day where
that is down. A worker serves one request at a time, so nothing here guards against threads.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from service.ehr.clients import EhrClient
from service.ehr.key_sets import BadKey, PublicKey, SignsAs, usable_keys
from service.outbound.http import Forbidden, Outbound, Unreachable

KNOWN_FOR, USED_FOR = timedelta(hours=1), timedelta(hours=24)
ASKED_EVERY = timedelta(seconds=30)
SECONDS, MOST_BYTES = 2.0, 256 * 1024
_OK = 200

log: structlog.stdlib.BoundLogger = structlog.get_logger("dosegate")


class NoKey(Exception):
    """The EHR has no such key, or its keys cannot be had; the message says which, in words of ours."""


@dataclass(frozen=True)
class _Kept:
    """The keys of one EHR, when they were read, and when they were last asked for."""

    keys: Mapping[SignsAs, PublicKey] = field(default_factory=dict)
    read_at: datetime | None = None
    asked_at: datetime | None = None

    def is_younger(self, limit: timedelta, now: datetime) -> bool:
        return self.read_at is not None and abs(now - self.read_at) < limit


class ClientKeys:
    """The keys of all EHRs."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound
        self._kept: dict[str, _Kept] = {}

    def key(self, client: EhrClient, wanted: SignsAs, now: datetime) -> PublicKey:
        """The key that an EHR signs with under this id, for this algorithm. Raises NoKey."""
        kept = self._kept.get(client.id, _Kept())
        if client.jwks_url is None:
            if kept.read_at is None:  # what was given by hand never changes
                kept = self._kept[client.id] = _Kept(usable_keys(client.jwks), now)
        elif wanted not in kept.keys or not kept.is_younger(KNOWN_FOR, now):
            kept = self._kept[client.id] = self._anew(client.name, client.jwks_url, kept, now)
            if not kept.is_younger(USED_FOR, now):
                raise NoKey("its keys cannot be read")
        if wanted not in kept.keys:
            raise NoKey("it has no such key for this algorithm")
        return kept.keys[wanted]

    def _anew(self, name: str, url: str, kept: _Kept, now: datetime) -> _Kept:
        """The keys as its server has them now; those from before where that fails, or was asked just now."""
        if kept.asked_at is not None and abs(now - kept.asked_at) < ASKED_EVERY:
            return kept
        try:
            return _Kept(self._read(url), now, now)
        except (Forbidden, Unreachable) as error:
            reason = error.reason
        except BadKey as error:
            reason = f"what it publishes {error}"
        log.warning("ehr_keys_unreadable", client=name, reason=reason)
        return replace(kept, asked_at=now)

    def _read(self, url: str) -> dict[SignsAs, PublicKey]:
        """Raises Forbidden, Unreachable, BadKey."""
        headers = {"Accept": "application/json"}
        reply = self._outbound.get(url, headers=headers, seconds=SECONDS, most_bytes=MOST_BYTES)
        if reply.status != _OK:
            raise Unreachable(f"its server answered with status {reply.status}")
        try:
            document = json.loads(reply.body)
        except (ValueError, RecursionError):
            raise BadKey("is not JSON") from None
        keys = usable_keys(document)
        if not keys:
            raise BadKey("holds no key that can be used")
        return keys
