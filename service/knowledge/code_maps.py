"""The code maps of `rules/codes/`: what codes, texts and units of an EHR mean in the vocabulary.

A code is looked up together with its system, never alone: two codes of pregnancy tests are codes of race in
another system.
"""

import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

QUALITATIVE = "qualitative"
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")

Key = tuple[str, str]
Found = TypeVar("Found")


def folded(text: str) -> str:
    """A text as it is compared: any case, single spaces, and nothing that cannot be seen."""
    return " ".join(_INVISIBLE.sub("", text).casefold().split())


def address(uri: str) -> str:
    """The address of a system as it is compared: any case, with or without a slash behind it."""
    return uri.strip().casefold().rstrip("/")


@dataclass(frozen=True)
class Concept:
    """A code of a system, by the system's address, with what it is called there."""

    uri: str
    code: str
    display: str


@dataclass(frozen=True)
class Result:
    """An observation is read as this fact. `answers` names the answers of a coded one.

    `above_zero` is what an amount above zero means for a coded one: a virus that was counted is there.
    """

    fact: str
    answers: str = QUALITATIVE
    above_zero: str | None = None


@dataclass(frozen=True)
class Statement:
    """What is on record says this of a fact: a value, its date, or something that cannot be read.

    `period` is active (it holds while it is active), ever (also when it is over) or planned (it holds where
    it is ordered, or is what something is ordered for).
    """

    fact: str
    period: str
    value: str | None = None
    date: bool = False
    unreadable: str | None = None


@dataclass(frozen=True)
class Medicine:
    """A medicine or a class of them. `name` is used where the record has none of its own."""

    name: str
    lists: Mapping[str, Mapping[str, str]]
    dates: tuple[str, ...]


@dataclass(frozen=True)
class Answers:
    """What codes and texts of an answer mean."""

    codes: Mapping[Key, str]
    texts: Mapping[str, str]

    @property
    def meanings(self) -> set[str]:
        """All that they mean."""
        return {*self.codes.values(), *self.texts.values()}


class Coded(Generic[Found]):
    """Things by code; one with children also by every code that begins with its own.

    Of things about the same, as `about` tells, only those at the most exact code are found: what is said of
    a class does not hold where something else is said of a part of it.
    """

    def __init__(self, about: Callable[[Found], Hashable] = lambda _: None) -> None:
        self.about = about
        self.exact: dict[Key, list[Found]] = {}
        self.within: dict[Key, list[Found]] = {}

    def add(self, key: Key, found: Found, *, children: bool = False) -> None:
        """Find this by the code from now on."""
        (self.within if children else self.exact).setdefault(key, []).append(found)

    def of(self, key: Key) -> Iterator[Found]:
        """All that a code means, the nearest first."""
        known: set[Hashable] = set()
        for level in self._levels(key):
            new = [each for each in level if self.about(each) not in known]
            known.update(map(self.about, new))
            yield from new

    def _levels(self, key: Key) -> Iterator[list[Found]]:
        yield self.exact.get(key, [])
        system, code = key
        for length in range(len(code), 0, -1):
            yield self.within.get((system, code[:length]), [])


@dataclass(frozen=True)
class CodeMaps:
    """All code maps. Every key is the short name of a system (`loinc`) and a code of it.

    `tests` are what to order where a fact is missing; `drugs` are the packs by the codes in their files;
    `spelled` are the units of the vocabulary by other spellings; `uris` are the short names of systems by
    their addresses, each as `address` has it.
    """

    systems: Mapping[str, str] = field(default_factory=dict)
    uris: Mapping[str, str] = field(default_factory=dict)
    results: Mapping[Key, Result] = field(default_factory=dict)
    never_read: Mapping[Key, str] = field(default_factory=dict)
    tests: Mapping[str, Concept] = field(default_factory=dict)
    answers: Mapping[str, Answers] = field(default_factory=dict)
    spelled: Mapping[str, str] = field(default_factory=dict)
    conditions: Coded[Statement] = field(default_factory=Coded)
    procedures: Coded[Statement] = field(default_factory=Coded)
    medicines: Coded[Medicine] = field(default_factory=Coded)
    medicine_names: Mapping[str, tuple[Medicine, ...]] = field(default_factory=dict)
    drugs: Mapping[Key, str] = field(default_factory=dict)

    def key(self, uri: Any, code: Any) -> Key | None:
        """The key of a coding as received; None where its system is none that is known here."""
        system = self.uris.get(address(uri)) if isinstance(uri, str) else None
        return (system, code) if system is not None and isinstance(code, str) else None

    def meaning(self, answers: str, key: Key | None = None, text: str | None = None) -> str | None:
        """What a code, or a text, means among these answers; None where that is not known."""
        known = self.answers.get(answers)
        if known is None:
            return None
        if key is not None:
            return known.codes.get(key)
        return known.texts.get(folded(text)) if text is not None else None

    @cached_property
    def result_codes(self) -> tuple[Concept, ...]:
        """Every code by which a result is searched for."""
        return tuple(Concept(self.systems[system], code, "") for system, code in sorted(self.results))

    @cached_property
    def known(self) -> frozenset[Key]:
        """Every code that means something here, or that is known to mean nothing."""
        coded = [each.codes for each in self.answers.values()]
        found = {*self.results, *self.never_read, *self.drugs, *(key for codes in coded for key in codes)}
        for statements in (self.conditions, self.procedures):
            found |= {*statements.exact, *statements.within}
        return frozenset(found | {*self.medicines.exact, *self.medicines.within})
