"""What is kept of a checklist, and of the files that it rests on."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from service.checklist.findings import Checklist
from service.checklist.rules import Pack, Status
from service.checklist.truth import TRUE
from service.intake.answers import Answer
from service.knowledge.library import POLICY, Library
from service.knowledge.packs import digest_of
from service.records.canonical import canonical


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
class Flag:
    """A rule that fired (`holds`) or could not be decided (`undecided`), and the status that it gave."""

    rule: str
    check: str
    verdict: str
    status: str


@dataclass(frozen=True)
class StoredChecklist:
    """One checklist. `request` is the body as received; `result` and `trace` are canonical JSON.

    `created_at` is the time of its evaluation; `pack` is the pack's digest; `infusion_at` is as it was asked.
    `supersedes` is the id of the checklist that this one corrects, `superseded_by` that of the one that
    corrects it by the time that it is read.
    """

    id: str
    created_at: datetime
    patient: str
    drug: str
    status: str
    infusion_at: str
    request: bytes
    result: bytes
    trace: bytes
    pack: str
    actor: str
    flags: tuple[Flag, ...] = ()
    supersedes: str | None = None
    superseded_by: str | None = field(default=None, compare=False)  # no part of what was kept

    @classmethod
    def of(cls, answered: Answer, body: bytes, *, at: datetime, actor: str) -> "StoredChecklist":
        """What is kept of the answer to a body that came in from an actor."""
        request = answered.request
        return cls(
            id=answered.result["id"],
            created_at=at,
            patient=request.patient,
            drug=request.pack.id,
            status=answered.checklist.status.word,
            infusion_at=request.situation.infusion_at.isoformat(),
            request=body,
            result=canonical(answered.result),
            trace=canonical(answered.trace),
            pack=request.pack.digest,
            actor=actor,
            flags=flags_of(answered.checklist),
            supersedes=request.supersedes,
        )


@dataclass(frozen=True)
class Once:
    """A caller's idempotency key, and the digest of the body it was sent with."""

    key: str
    body: str

    @classmethod
    def of(cls, key: str, body: bytes) -> "Once":
        """The key as sent with this body."""
        return cls(key, hashlib.sha256(body).hexdigest())


def flags_of(checklist: Checklist) -> tuple[Flag, ...]:
    """The rules of a checklist that fired or could not be decided."""
    found = {}
    for finding in checklist.findings:
        if finding.rule is not None and finding.status is not Status.PASS:
            fault = checklist.trace.fault is not None
            holds = not fault and checklist.trace.verdicts[finding.rule] is TRUE
            verdict = "holds" if holds else "undecided"
            found[finding.rule] = Flag(finding.rule, finding.check, verdict, finding.status.word)
    return tuple(found.values())
