"""Verifying a chain: its entries, its checkpoints, and all that they commit to. Pure: it reads documents.

They are those of `service.records.export.documents`, from the database or from the lines of an export. Memory
does not grow with them, only with what is registered, at fault or erased. docs/verify_journal.py does
the same of an export, alone and in the same words; a test compares the two.
"""

import hashlib
import json
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from service.records.journal import ASKED, NOTHING_BEFORE, Event, commitments_of
from service.records.registered import Registered
from service.records.signing import Keys, as_head
from service.records.site import CHECKPOINT_EVERY

MOST_LISTED = 1000
_NEAR = 50

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Fault:
    """One thing that is not as it was written: its kind, and where it is, in one sentence.

    `sequence` is the first entry that it puts in doubt.
    """

    kind: str
    says: str
    sequence: int

    def __str__(self) -> str:
        return f"{self.kind}: {self.says}"


@dataclass
class Report:
    """What was found; the counts are of what was read.

    `last` and `digest` are those of the last entry; `signed` is the last entry that a good checkpoint signs.
    The first 1000 faults and notes are listed, and `unlisted` counts the others.
    """

    site: str = ""
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unlisted: int = 0
    entries: int = 0
    checkpoints: int = 0
    opened: int = 0
    erased: int = 0
    last: int = 0
    digest: str = NOTHING_BEFORE
    signed: int = 0

    @property
    def verified(self) -> int:
        """The last entry up to which nothing is at fault."""
        return min([self.last, *(fault.sequence - 1 for fault in self.faults)])


def documents_in(lines: Iterable[bytes]) -> Iterator[Any]:
    """The documents of the lines of an export; None stands for a line that is none."""
    for line in lines:
        try:
            yield json.loads(line)
        except (ValueError, RecursionError):
            yield None


def verify(documents: Iterable[Document], keys: Keys, held: Sequence[Document] = ()) -> Report:
    """Verify one chain under the keys that are trusted; `held` are checkpoints that somebody else kept.

    Raises KeyError and TypeError where one that was held is no checkpoint.
    """
    waiting: dict[int, list[Document]] = {}
    for each in held:
        waiting.setdefault(each["sequence"], []).append(each)
    reading = _Reading(keys, waiting)
    for document in documents:
        try:
            reading.take(document)
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
            # What this service did not write may have any shape.
            reading.fault("edited", f"what stands behind entry {reading.last['sequence']} cannot be read")
    reading.end()
    return reading.report


def _digest(entry: Document, site: str, number: int) -> str:
    """The digest of an entry at a place. Unlike RFC 8785 it tells 1 from 1.0, which no entry holds."""
    placed = {**entry, "site": site, "sequence": number}
    hashed = {name: value for name, value in placed.items() if name != "digest"}
    text = json.dumps(hashed, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()}"


class _Reading:
    """How far the documents of a chain have been read."""

    def __init__(self, keys: Keys, held: dict[int, list[Document]]) -> None:
        self.report, self.keys, self.held = Report(), keys, held
        self.header: Document = {}
        self.last: Document = {"sequence": 0, "at": "", "digest": NOTHING_BEFORE}
        # By how much the numbers are off those that entries were written with, and whose entries they are.
        self.shift, self.origin = 0, ""
        self.rules: set[str] = set()
        self.unopened: dict[str, tuple[int, str]] = {}
        self.registered = Registered()
        self.whole = False

    def fault(self, kind: str, says: str, sequence: int | None = None) -> None:
        """Add one to the report."""
        self._list(self.report.faults, Fault(kind, says, sequence or self.last["sequence"] + 1))

    def _list(self, to: list[Any], found: Any) -> None:
        if len(to) < MOST_LISTED:
            to.append(found)
        else:
            self.report.unlisted += 1

    def take(self, document: Document) -> None:
        """Read the next document."""
        self.header = self.header or dict(document["header"])
        self.report.site = self.header["site"]
        self.whole = "head" in document
        entry, signed = document.get("entry"), document.get("checkpoint")
        for what, id in document.get("orphan", {}).items():
            self.fault("orphan", f"the {what} {id} has no entry")
        for digest, stored in document.get("rules", {}).items():
            self.rules.add(digest)
            if digest != f"sha256:{hashlib.sha256(stored.encode()).hexdigest()}":
                self.fault("edited", f"the stored rules {digest} no longer have this digest")
        if "registered" in document:
            for found in self.registered.faults(document["registered"]):
                self.fault(*found)
        if self.whole:
            self._head(document["head"])
        if signed:
            self._checkpoint(signed, "the checkpoint", entry)
        if entry:
            for outside in self.held.pop(entry["sequence"], ()):
                self._checkpoint(outside, "the outside checkpoint", entry)
            self._entry(entry, document)

    def _head(self, head: Document) -> None:
        end, top = self.last["sequence"], head["sequence"]
        if end > top:
            self.fault("inserted", f"behind its head the chain goes on to entry {end}")
        if self.shift:
            kind = "deleted" if self.shift > 0 else "inserted"
            self.fault(kind, f"entry {end} was written as {end + self.shift}")
        # What stands there: nothing where the chain ends before it; where it goes on, that was read before.
        there = None if end < top else self.last if end == top > 0 else head
        self._checkpoint(as_head(head), "the head", there)

    def _checkpoint(self, signed: Document, name: str, entry: Document | None) -> None:
        key, number, doubted = signed["key"], signed["sequence"], self.report.signed + 1
        name = f"{name} of entry {number}"
        if not self.keys.verifies(dict(signed)):
            says = f"{name} is not signed by key {key}, or that key is not trusted"
            self.fault("bad signature", says, doubted)
        elif signed["site"] != self.report.site:
            self.fault("swapped chain", f"{name} is of site {signed['site']}")
        elif entry is None:
            kind = "truncated" if number > self.last["sequence"] else "deleted"
            self.fault(kind, f"what {name} signs is not there")
        elif any(signed[each] != entry[each] for each in ("sequence", "at", "digest")):
            says = f"{name} signs another entry than stands there"
            self.fault("rewritten without the key", says, doubted)
        else:
            self.report.checkpoints += 1
            self.report.signed = number

    def _entry(self, entry: Document, document: Document) -> None:
        number = entry["sequence"]
        where = f"entry {number} ({entry['event']}, {entry['subject']})"
        self.report.entries += 1
        self._order(entry, where, signed=bool(document.get("checkpoint")))
        self.last = entry
        self.report.last, self.report.digest = number, entry["digest"]
        self.registered.take(entry)
        self._contents(entry, where, document.get("opens"))
        if entry["event"] == Event.CHECKLIST_MADE:
            self._checklist(entry, where, document.get("checklist"))
        elif entry["event"] == Event.PATIENT_ERASED:
            for id in (*entry["details"]["checklists"], *entry["details"]["remarks"]):
                self.report.erased += self.unopened.pop(id, None) is not None

    def _order(self, entry: Document, where: str, *, signed: bool) -> None:
        """Whether an entry is as it was written, and stands where it was."""
        number, last, site = entry["sequence"], self.last, self.header["site"]
        found = self._written(entry)
        origin, written = found or ("", number + self.shift)
        gap, turn = number - last["sequence"] - 1, written - number != self.shift
        if not found:
            self.fault("edited", f"{where} no longer has the digest that it was written with", number)
        elif origin not in (site, self.origin):
            self.fault("swapped chain", f"{where} was written by site {origin}")
        if gap > 0:
            self.fault("deleted", f"before {where}, {gap} missing")
        elif gap < 0:
            self.fault("inserted", f"{where} stands behind entry {last['sequence']}")
        if turn and written != number:
            self.fault("reordered", f"{where} was written as entry {written}")
        sure = found is not None and not gap and not turn
        if sure and entry["previous"] != last["digest"]:
            self.fault("edited", f"{where} was not written behind the entry that stands before it")
        if sure and entry["at"] < last["at"]:
            says = f"the clock stepped back: {where} is of {entry['at']}, the one before of {last['at']}"
            self._list(self.report.notes, says)
        new_day = last["at"][:10] not in ("", entry["at"][:10])
        if not signed and (number % CHECKPOINT_EVERY == 0 or (sure and new_day)):
            self.fault("deleted", f"the checkpoint of {where} is missing")
        self.shift, self.origin = written - number, origin

    def _written(self, entry: Document) -> tuple[str, int] | None:
        """The site and the number that an entry was written with: those that give it its digest."""
        number = entry["sequence"]
        if type(number) is not int:
            return None
        near = (0, self.shift, *range(-_NEAR, _NEAR + 1))
        tries = [(entry["site"], number + each) for each in near]
        tries += [(other, number) for other in self.header["others"]]
        return next((each for each in tries if _digest(entry, *each) == entry["digest"]), None)

    def _contents(self, entry: Document, where: str, opens: Document | None) -> None:
        bound = entry["commitments"]
        if opens:
            parts = {part: b64decode(text) for part, text in opens["parts"].items()}
            found = commitments_of(b64decode(opens["salt"]), parts)
            other = sorted(part for part in {*found, *bound} if found.get(part) != bound.get(part))
            if other:
                self.fault(
                    "altered contents", f"{where} commits to another {', '.join(other)}", entry["sequence"]
                )
            self.report.opened += not other
        elif bound and self.header["openings"]:
            self.unopened[entry["details"].get("remark", entry["subject"])] = (entry["sequence"], where)

    def _checklist(self, entry: Document, where: str, stored: Document | None) -> None:
        """What stands beside the journal of a checklist is what the journal says of it."""
        number, details = entry["sequence"], entry["details"]
        told = {
            "id": entry["subject"],
            "site": self.header["site"],
            "actor": entry["actor"],
            "supersedes": None,
        }
        of_checklist = {name: each for name, each in details.items() if name not in ASKED}
        if stored != {**told, **of_checklist}:
            self.fault("edited", f"the checklist of {where} is altered", number)
        if {details["knowledge"], details["policy"]} - self.rules:
            self.fault("deleted", f"the rules of {where}", number)

    def end(self) -> None:
        """Add what only the end can tell."""
        for number, where in self.unopened.values():
            self.fault("missing contents", f"what {where} commits to is gone, and not by an erasure", number)
        for outside in chain.from_iterable(self.held.values()):
            self._checkpoint(outside, "the outside checkpoint", None)
        if not self.whole:
            self.fault("truncated", "the export breaks off")
        if not self.header.get("openings", True):
            self._list(self.report.notes, "contents were left out: nothing was compared with commitments")
        if self.report.signed < self.report.last:
            says = f"no checkpoint signs entries {self.report.signed + 1} to {self.report.last} yet"
            self._list(self.report.notes, says)
