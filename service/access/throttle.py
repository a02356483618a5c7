"""Failed attempts, counted: who fails too often waits. Buckets are keyed digests: no name, no address."""

import hashlib
import hmac
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Connection, delete, insert, select

from service.records.site import SiteRecords
from service.records.tables import failures

WINDOW = timedelta(minutes=15)


@dataclass(eq=False)
class TooManyFailures(Exception):
    """Too many wrong tries of late; `retry_after` is in seconds."""

    retry_after: int


@dataclass(frozen=True)
class Bucket:
    """What is counted together, as a digest, and how many failures it takes within the window."""

    digest: str
    limit: int


class Throttle:
    """The failures of one site. All its workers share what signs checkpoints, and so the digests."""

    def __init__(self, records: SiteRecords) -> None:
        self._site = records.site
        private = records.keys.private
        assert private is not None, "records are opened with a key that signs"
        derivation = HKDF(SHA256(), 32, salt=None, info=b"dosegate failed attempts")
        self._key = derivation.derive(private.private_bytes_raw())

    def digest(self, *counted: str) -> str:
        """The digest of what is counted, or of what a device is told."""
        return hmac.new(self._key, "\0".join(counted).encode("utf-8", "replace"), hashlib.sha256).hexdigest()

    def bucket(self, limit: int, *counted: str) -> Bucket:
        """The bucket of what is counted."""
        return Bucket(self.digest(*counted), limit)

    def check(self, connection: Connection, buckets: Iterable[Bucket], now: datetime) -> None:
        """Return where another try is allowed. Raises TooManyFailures."""
        waits = [self._wait(connection, bucket, now) for bucket in buckets]
        if longest := max(waits, default=0):
            raise TooManyFailures(longest)

    def is_full(self, connection: Connection, bucket: Bucket, now: datetime) -> bool:
        """Whether the next try of this bucket would be refused."""
        return self._wait(connection, bucket, now) > 0

    def _wait(self, connection: Connection, bucket: Bucket, now: datetime) -> int:
        """Seconds until the bucket is below its limit."""
        oldest: datetime | None = connection.execute(
            select(failures.c.at)
            .where(failures.c.site == self._site, failures.c.bucket == bucket.digest)
            .where(failures.c.at > now - WINDOW)
            .order_by(failures.c.at.desc(), failures.c.id.desc())
            .offset(bucket.limit - 1)
            .limit(1)
        ).scalar_one_or_none()
        if oldest is None:
            return 0
        return math.ceil(min(oldest + WINDOW - now, WINDOW).total_seconds())

    def failed(self, connection: Connection, buckets: Iterable[Bucket], now: datetime) -> None:
        """Count a failure in each bucket, and forget those that no longer count."""
        old = failures.c.at <= now - WINDOW
        connection.execute(delete(failures).where(failures.c.site == self._site, old))
        rows = [{"site": self._site, "bucket": bucket.digest, "at": now} for bucket in buckets]
        connection.execute(insert(failures), rows)

    def succeeded(self, connection: Connection, buckets: Iterable[Bucket]) -> None:
        """Forget what was counted in these buckets."""
        digests = [bucket.digest for bucket in buckets]
        mine = (failures.c.site == self._site, failures.c.bucket.in_(digests))
        connection.execute(delete(failures).where(*mine))
