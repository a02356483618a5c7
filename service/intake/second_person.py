"""The facts that a second person entered beside those of the first: where they agree, where they differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.checklist.evidence import Case, Evidence
from service.checklist.facts import Vocabulary
from service.intake.documents import plain
from service.intake.errors import BadInput, FieldError
from service.intake.facts import read_facts
from service.intake.requests import read_request
from service.knowledge.library import Library


class RulesChanged(Exception):
    """The facts of the first person cannot be read by the vocabulary of today."""


@dataclass(frozen=True)
class Compared:
    """One fact as each of two people gave it; None where it counts as unknown."""

    fact: str
    agrees: bool
    first: Mapping[str, Any] | None
    second: Mapping[str, Any] | None


def facts_received(document: Mapping[str, Any], library: Library) -> Mapping[str, Any]:
    """The facts that the first person gave, those of a bundle among them. Raises RulesChanged."""
    if "bundle" not in document:
        given: Mapping[str, Any] = document["facts"]
        return given
    try:
        return read_request(document, library).facts
    except BadInput:
        raise RulesChanged from None


def compared(
    asked: Sequence[str],
    first: Mapping[str, Any],
    second: Any,
    infusion_at: datetime,
    vocabulary: Vocabulary,
) -> list[Compared]:
    """Each fact asked for, as it counts at the infusion; `first` and `second` are facts as received.

    Units are converted, sources are not compared, and what is unknown to either agrees with nothing. Raises
    BadInput where `second` does not give exactly the facts asked for, RulesChanged.
    """
    _check_exactly(asked, second)
    try:
        known_first = read_facts({name: first.get(name) for name in asked}, vocabulary, infusion_at)
    except BadInput:
        raise RulesChanged from None
    cases = [
        Case.of(vocabulary, facts, infusion_at, "", {})
        for facts in (known_first, read_facts(second, vocabulary, infusion_at))
    ]
    found = []
    for name in asked:
        one, other = (case.evidence(name) for case in cases)
        known = one.unknown is None and other.unknown is None
        found.append(Compared(name, known and _same(one, other), _shown(one), _shown(other)))
    return found


def _check_exactly(asked: Sequence[str], second: Any) -> None:
    if not isinstance(second, Mapping):
        raise BadInput([FieldError("facts", "must be an object: fact name to value")])
    errors = [FieldError(f"facts.{name}", "is missing") for name in asked if name not in second]
    errors += [
        FieldError(f"facts.{name[:60]}", "is not asked for here") for name in second if name not in asked
    ]
    if errors:
        raise BadInput(errors)


def _same(one: Evidence, other: Evidence) -> bool:
    parts = [(each.unit, each.day, each.ref_low, each.ref_high) for each in (one, other)]
    return parts[0] == parts[1] and _unordered(one.value) == _unordered(other.value)


def _unordered(value: Any) -> Any:
    """A list in an order of its own: two people need not name the same drugs in the same order."""
    return sorted(value, key=lambda entry: repr(plain(entry))) if isinstance(value, tuple) else value


def _shown(evidence: Evidence) -> dict[str, Any] | None:
    if evidence.unknown is not None:
        return None
    parts = {"unit": evidence.unit, "at": evidence.at, "ref_low": evidence.ref_low}
    parts["ref_high"] = evidence.ref_high
    return {
        "value": plain(evidence.value),
        **{name: plain(part) for name, part in parts.items() if part is not None},
    }
