"""What is kept: a checklist as it was answered, and the files that it rests on."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from service.checklist.rules import Pack
from service.knowledge.library import POLICY, Library
from service.knowledge.packs import digest_of


@dataclass(frozen=True)
class Basis:
    """What a checklist rests on: the files of its pack, and the site's policy, each with its digest."""

    files: Mapping[str, str]
    knowledge: str
    policy_text: str
    policy: str

    @classmethod
    def of(cls, library: Library, pack: Pack) -> "Basis":
        """The basis of every checklist made with this pack of this library."""
        files = library.texts_of(pack)
        return cls(files, digest_of(files), library.texts[POLICY], library.policy.digest)

    @property
    def intact(self) -> bool:
        """Whether the texts are still those that the digests were taken of."""
        return (
            digest_of(self.files) == self.knowledge and digest_of({POLICY: self.policy_text}) == self.policy
        )


@dataclass(frozen=True)
class Entry:
    """One checklist. `request` is the body as received; `result` and `trace` are canonical JSON.

    `created_at` is the time of its evaluation; `pack` is the pack's digest.
    """

    id: str
    created_at: datetime
    patient: str
    drug: str
    request: bytes
    result: bytes
    trace: bytes
    pack: str


@dataclass(frozen=True)
class Once:
    """A caller's idempotency key, and the digest of the body it was sent with."""

    key: str
    body: str

    @classmethod
    def of(cls, key: str, body: bytes) -> "Once":
        """The key as sent with this body."""
        return cls(key, hashlib.sha256(body).hexdigest())
