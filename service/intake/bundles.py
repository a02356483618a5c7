"""The FHIR Bundle of a request: whose it is, and what it says beside the request's own facts."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from service.checklist.facts import Facts, Vocabulary
from service.checklist.rules import Pack
from service.fhir.chart import BadBundle, OtherPatient, read_chart
from service.fhir.reading import Line, facts_of
from service.intake.errors import AnothersBundle, BadInput, FieldError
from service.intake.facts import MOST_ENTRIES, read_facts
from service.intake.values import LONGEST_TEXT, is_unknown
from service.knowledge.library import Library

_PLACE = re.compile(r"facts\.([^.\[]+)(?:\[(\d+)\])?(.*)")


@dataclass(frozen=True)
class Brought:
    """What a bundle brings: the patient's id, facts as section 4 of the public contract has them, lines."""

    patient: str
    facts: dict[str, Any]
    lines: tuple[Line, ...]


def read_bundle(loaded: dict[str, Any], pack: Pack, library: Library) -> Brought:
    """What the bundle of a request brings. Raises BadInput naming every fault, AnothersBundle."""
    asked = loaded["patient"]["id"] if "patient" in loaded else None
    try:
        chart = read_chart(loaded["bundle"], patient=asked, searched=loaded.get("searched", {}))
        patient = asked or chart.patient_id
        if patient is None:
            raise BadBundle([("patient.id", "is missing, and the Patient of the bundle has no id")])
        reading = facts_of(chart, pack, loaded.get("order"), loaded["infusion_at"], library)
    except OtherPatient as other:
        raise AnothersBundle([FieldError(*each) for each in other.errors]) from None
    except BadBundle as bad:
        raise BadInput([FieldError(*each) for each in bad.errors]) from None
    return Brought(patient, reading.facts, reading.lines)


def facts_with(
    given: dict[str, Any], brought: Brought, vocabulary: Vocabulary, infusion_at: datetime
) -> tuple[Facts, dict[str, Any], tuple[Line, ...]]:
    """The facts of a request and of its bundle together: typed, and as they were put together; and the lines.

    Results stand side by side, and so do the entries of lists, of which the request says whether there may be
    others; of every other fact the request's own word counts. What the vocabulary does not take of a bundle
    is unreadable; what it does not take of the request is refused. Raises BadInput.
    """
    together = _Together(given, brought, vocabulary)
    while True:
        try:
            return read_facts(together.facts, vocabulary, infusion_at), together.facts, tuple(together.lines)
        except BadInput as bad:
            own = together.give_up(bad.errors)
            if own:
                raise BadInput(own) from None


class _Together:
    def __init__(self, given: dict[str, Any], brought: Brought, vocabulary: Vocabulary) -> None:
        self.facts, self.lines = dict(given), list(brought.lines)
        self._own: dict[
            str, int
        ] = {}  # of the facts of the bundle, how many readings or entries are the request's
        for name, fact in brought.facts.items():
            own = given.get(name)
            if is_unknown(own):
                self.facts[name], self._own[name] = fact, 0
            elif vocabulary[name].result:
                several = _readings(own)
                self.facts[name] = [*several, *_readings(fact)][: max(MOST_ENTRIES, len(several))]
                self._own[name] = len(several)
            elif vocabulary[name].type == "list":
                self._join(name, own if isinstance(own, dict) else {"value": own}, fact)
            else:
                self.lines = [_outweighed(line) if line.fact == name else line for line in self.lines]

    def _join(self, name: str, own: dict[str, Any], fact: dict[str, Any]) -> None:
        """The entries of both: what is on record is there, whatever else was asked."""
        if is_unknown(own["value"]):
            self.facts[name], self._own[name] = {**fact, "complete": "no"}, 0
            return
        own_entries = own["value"]
        others = [each for each in fact["value"] if each not in own_entries]
        if not others:
            return
        several = [*own_entries, *others][: max(MOST_ENTRIES, len(own_entries))]
        joined = {**own, "value": several, "source": _source_of_both(own, fact)}
        if len(several) < len(own_entries) + len(others):
            joined["complete"] = "no"
        self.facts[name], self._own[name] = joined, len(own_entries)

    def give_up(self, errors: Sequence[FieldError]) -> list[FieldError]:
        """Take what is wrong of the bundle for unreadable, with lines that say so; what else is wrong."""
        own = []
        bad_entries: dict[str, dict[int, str]] = {}
        for error in errors:
            place = _PLACE.fullmatch(error.path)
            name = place[1] if place is not None else ""
            number = int(place[2]) if place is not None and place[2] is not None else None
            fact = self.facts.get(name)
            if name not in self._own or (number or 0) < self._own[name]:
                own.append(error)
            elif isinstance(fact, list):
                fact[number or 0] = self._unreadable(name, fact[number or 0], error)
            elif isinstance(fact, dict) and isinstance(fact.get("value"), list) and number is not None:
                bad_entries.setdefault(name, {})[number] = error.message
            elif isinstance(fact, dict):
                self.facts[name] = self._unreadable(name, fact, error)
        for name, bad in bad_entries.items():
            self._leave_out(name, bad)
        return own

    def _leave_out(self, name: str, bad: Mapping[int, str]) -> None:
        fact = self.facts[name]
        for message in sorted(set(bad.values())):
            self._note(name, fact, message)
        entries = [each for place, each in enumerate(fact["value"]) if place not in bad]
        self.facts[name] = {**fact, "value": entries, "complete": "no"}

    def _unreadable(self, name: str, fact: dict[str, Any], error: FieldError) -> dict[str, Any]:
        self._note(name, fact, error.message)
        said = f"{fact.get('unreadable') or 'a value'} that {error.message}"
        return {"value": None, "unreadable": said[:LONGEST_TEXT], "source": fact.get("source")}

    def _note(self, name: str, fact: dict[str, Any], message: str) -> None:
        self.lines.append(Line(fact.get("source") or "the bundle", name, f"not taken: {message}", False))


def _readings(fact: Any) -> list[Any]:
    if isinstance(fact, list):
        return list(fact)
    return [fact if isinstance(fact, dict) else {"value": fact}]


def _source_of_both(own: dict[str, Any], fact: dict[str, Any]) -> str:
    """Where the entries of a list are from; an empty list of the request has given it none."""
    named = [own.get("source") or "the request"] if own["value"] else []
    return ", ".join([*named, fact.get("source") or "the bundle"])[:LONGEST_TEXT]


def _outweighed(line: Line) -> Line:
    return replace(line, says=f"{line.says}; not used, the request says it itself")
