"""The record of a visit: what was answered, signed and recorded about a checklist. A fold of the journal.

Pure: a visit is the journal entries whose subject is the checklist, in order, and what may still be done is
decided from them, while whoever asks holds the chain of the site.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import rfc8785

from service.records.journal import Event, JournalEntry


class CannotAct(Exception):
    """What was asked for cannot be done about this checklist; `reason` says why, and what can be done."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Meaning(StrEnum):
    """What a signature means. Stored: never rename one."""

    PERFORMED = "performed"
    DOUBLE_CHECK = "double_check"
    REVIEWED = "reviewed"


class Outcome(StrEnum):
    """How a visit ended. Stored: never rename one."""

    INFUSED = "infused"
    HELD = "held"
    STOPPED = "stopped"


class DoubleCheckState(StrEnum):
    """How far the independent double check is."""

    NOT_ASKED = "not_asked"
    NEEDED = "needed"
    AGREES = "agrees"
    DIFFERS = "differs"


@dataclass(frozen=True)
class Finding:
    """A finding as far as answering it goes. `rule` is None where no rule stands behind it."""

    check: str
    rule: str | None
    status: str
    kind: str | None = None
    override: str | None = None

    @property
    def key(self) -> tuple[str, str | None]:
        """What names it."""
        return self.check, self.rule

    def document(self) -> dict[str, str]:
        """Its name and status."""
        parts = {"check": self.check, "rule": self.rule, "status": self.status}
        return {name: part for name, part in parts.items() if part is not None}


# What a signature before it does not cover.
_CHANGES = (Event.WARN_ACKNOWLEDGED, Event.BLOCK_OVERRIDDEN, Event.DOUBLE_CHECKED, Event.OUTCOME_RECORDED)


@dataclass(frozen=True)
class Visit:
    """One visit: the findings of its checklist, and all journal entries about it, in order.

    `asked` are the facts that a second person enters, where the drug's pack asks for that; `superseded_by` is
    the id of the checklist that corrects this one.
    """

    findings: tuple[Finding, ...]
    entries: tuple[JournalEntry, ...]
    asked: tuple[str, ...] = ()
    superseded_by: str | None = None

    def entries_of(self, *events: Event) -> tuple[JournalEntry, ...]:
        """The entries of these events."""
        return tuple(entry for entry in self.entries if entry.event in events)

    @cached_property
    def answers(self) -> Mapping[tuple[str, str | None], JournalEntry]:
        """Which findings were acknowledged or overridden, and the entry that says so."""
        answered = self.entries_of(Event.WARN_ACKNOWLEDGED, Event.BLOCK_OVERRIDDEN)
        return {(entry.details["check"], entry.details["rule"]): entry for entry in answered}

    @cached_property
    def open_findings(self) -> tuple[Finding, ...]:
        """The warns and blocks that nobody has answered."""
        return tuple(each for each in self.findings if each.status != "pass" and each.key not in self.answers)

    @property
    def attestations(self) -> tuple[JournalEntry, ...]:
        """The signatures."""
        return self.entries_of(Event.ATTESTED)

    def is_signed_whole(self, attestation: JournalEntry) -> bool:
        """Whether nothing was done about the visit after this signature."""
        return all(entry.sequence < attestation.sequence for entry in self.entries_of(*_CHANGES))

    @property
    def double_checks(self) -> tuple[JournalEntry, ...]:
        """What second people entered."""
        return self.entries_of(Event.DOUBLE_CHECKED)

    @property
    def double_check(self) -> DoubleCheckState:
        """How far the double check is. Of several the last one counts: each was blind."""
        if not self.asked:
            return DoubleCheckState.NOT_ASKED
        if not self.double_checks:
            return DoubleCheckState.NEEDED
        return DoubleCheckState.AGREES if agrees(self.double_checks[-1]) else DoubleCheckState.DIFFERS

    @property
    def outcome(self) -> JournalEntry | None:
        """How it ended, as it was recorded last."""
        return next(reversed(self.entries_of(Event.OUTCOME_RECORDED)), None)

    @property
    def was_held(self) -> bool:
        """Whether it ended before the whole dose was given."""
        return self.outcome is not None and self.outcome.details["outcome"] != Outcome.INFUSED

    @property
    def was_overridden(self) -> bool:
        """Whether a block was overridden."""
        return bool(self.entries_of(Event.BLOCK_OVERRIDDEN))

    @property
    def digest(self) -> str:
        """The digest of the record so far: what somebody signs.

        SHA-256 over the RFC 8785 JSON of the checklist's id, the commitment to its result, and the digests of
        all entries about it, in order. Each entry commits to the words that go with it.
        """
        made = self.entries[0]
        signed = {
            "checklist": made.subject,
            "result": made.commitments["result"],
            "entries": [entry.digest for entry in self.entries],
        }
        return f"sha256:{hashlib.sha256(rfc8785.dumps(signed)).hexdigest()}"

    def must_explain(self, outcome: Outcome) -> bool:
        """Whether an outcome needs a reason and a comment: one that is no plain infusion."""
        missing = self.double_check in (DoubleCheckState.NEEDED, DoubleCheckState.DIFFERS)
        plain = outcome is Outcome.INFUSED and not self.open_findings and not missing
        return not plain or self.outcome is not None

    # What may be done: each raises CannotAct.

    def check_stands(self) -> None:
        """Return where nothing corrects this checklist."""
        if self.superseded_by is not None:
            raise CannotAct(
                f"This checklist is superseded; what is done now belongs to {self.superseded_by}, "
                "which corrects it."
            )

    def check_acknowledgeable(self, key: tuple[str, str | None]) -> Finding:
        """The finding, where it is a warn that may be acknowledged now."""
        finding = self._answerable(key)
        if finding.status == "block":
            raise CannotAct("This finding is a block: only a prescriber can override it.")
        if finding.override != "acknowledge":
            raise CannotAct("This finding is not one that can be acknowledged.")
        return finding

    def check_overridable(self, key: tuple[str, str | None]) -> Finding:
        """The finding, where it is one that a prescriber may override now."""
        finding = self._answerable(key)
        if finding.status == "warn" and finding.override == "acknowledge":
            raise CannotAct("This finding is a warn: acknowledge it.")
        return finding

    def _answerable(self, key: tuple[str, str | None]) -> Finding:
        self.check_stands()
        finding = next((each for each in self.findings if each.key == key), None)
        if finding is None:
            raise CannotAct("This checklist has no such finding.")
        if finding.status == "pass":
            raise CannotAct("This check passed: there is nothing to answer.")
        if finding.kind in ("engine", "policy"):
            raise CannotAct(
                "This finding is a fault of the service or of its settings, not of the patient: it cannot be "
                "answered. Work through the check by hand, report the fault, and make a new checklist."
            )
        if finding.override in (None, "never"):
            raise CannotAct("This finding can never be overridden: hold, and record the outcome.")
        if (answered := self.answers.get(key)) is not None:
            raise CannotAct(f"This finding was answered already, by {answered.details['name']}.")
        if self.outcome is not None:
            raise CannotAct("The outcome of this visit is recorded: findings are answered before it.")
        return finding

    def attested_before(self, actor: str, meaning: Meaning) -> JournalEntry | None:
        """The same signature, where this person gave it before and nothing was done since."""
        self.check_stands()
        given = [entry for entry in self.attestations if entry.actor == actor]
        if given and given[-1].details["meaning"] != meaning:
            raise CannotAct(f"You signed this visit already, as {given[-1].details['meaning']}.")
        if given and self.is_signed_whole(given[-1]):
            return given[-1]
        own = [entry for entry in self.double_checks if entry.actor == actor]
        if meaning is Meaning.DOUBLE_CHECK and not any(map(agrees, own)):
            raise CannotAct("You have made no blind double check of this visit that agrees.")
        if meaning is not Meaning.DOUBLE_CHECK and own:
            raise CannotAct("You made the independent double check of this visit: a colleague signs this.")
        return None

    def check_second_person(self, actor: str, seen: Iterable[JournalEntry] = ()) -> None:
        """Return where this person may make the blind double check.

        `seen` are the entries about the checklists that this one corrects, and about the drafts behind them.
        """
        self.check_stands()
        if not self.asked:
            raise CannotAct("The rules of this drug ask for no independent double check.")
        if self.outcome is not None:
            raise CannotAct("The outcome of this visit is recorded: a double check comes before it.")
        for entry in (*seen, *self.entries):
            if entry.actor == actor and entry.event != Event.DOUBLE_CHECK_VIEWED:
                raise CannotAct(
                    "You have made, seen or signed this checklist, so your check would not be independent. "
                    "Ask a colleague who has not opened it."
                )


def agrees(double_check: JournalEntry) -> bool:
    """Whether a second person entered the same as the first."""
    return not double_check.details["differs"]
