"""Standard Webhooks 1.0.0: every message is signed with a secret that both sides keep.

The signature is HMAC-SHA256 over `id.timestamp.body`, the body byte for byte. During a rotation a message has
two signatures, one by each secret.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
TOLERANCE = timedelta(minutes=5)
ROTATION = timedelta(hours=24)  # for so long the older secret is good beside the new one
LONGEST_ID = 255
_PREFIX, _SECRET_BYTES = "whsec_", 32
_VERSION = "v1,"
# With no full stop in an id and digits alone in a timestamp, what was signed is read in one way only.
_ID = re.compile(rf"[!-\-/-~]{{1,{LONGEST_ID}}}")
_TIMESTAMP = re.compile(r"[1-9][0-9]{0,11}")
_SIGNATURES = re.compile(r"[ -~]{1,2048}")


class BadSignature(Exception):
    """A message that nobody vouches for; the text says why, and holds nothing of it."""


class OlderSecretGood(Exception):
    """The secret before the present one is good `until` then: another one now would cut that short."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__()


def check_may_rotate(older_until: datetime | None, now: datetime) -> None:
    """Return where there is no older secret that is still good. Raises OlderSecretGood."""
    if older_until is not None and now < older_until:
        raise OlderSecretGood(older_until)


def new_secret() -> str:
    """A secret of 256 random bits, as `whsec_` and base64."""
    return f"{_PREFIX}{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"


def signature(secret: str, id: str, timestamp: int, body: bytes) -> str:
    """The signature of a message, as `v1,` and base64; `timestamp` is in seconds since 1970."""
    keyed = hmac.new(_key(secret), b"%b.%d.%b" % (id.encode("ascii"), timestamp, body), hashlib.sha256)
    return f"{_VERSION}{base64.b64encode(keyed.digest()).decode()}"


def signed(secrets: Iterable[str], id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of a message that is sent at this time, signed with each of the secrets."""
    timestamp = int(at.timestamp())
    signatures = " ".join(signature(secret, id, timestamp, body) for secret in secrets)
    return {ID: id, TIMESTAMP: str(timestamp), SIGNATURE: signatures}


def verified(secrets: Iterable[str], headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The id of a message that one of the secrets signed, within 5 minutes of now. Raises BadSignature.

    `headers` are asked by their names in small letters.
    """
    id, timestamp, given = (headers.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE))
    if not (_ID.fullmatch(id) and _TIMESTAMP.fullmatch(timestamp) and _SIGNATURES.fullmatch(given)):
        raise BadSignature(f"{ID}, {TIMESTAMP} or {SIGNATURE} is missing or badly formed")
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE.total_seconds():
        raise BadSignature("it was signed more than 5 minutes ago, or ahead of now")
    right = [signature(secret, id, int(timestamp), body) for secret in secrets]
    # All are compared, so that the time it takes says nothing.
    if not sum(hmac.compare_digest(ours, theirs) for ours in right for theirs in given.split(" ")):
        raise BadSignature("no secret gives this signature")
    return id


def _key(secret: str) -> bytes:
    """The bytes of a secret. Raises ValueError for what is none, without repeating it."""
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("a secret is whsec_ and base64") from None
