"""What a reader of resources hands over: one thing that was read, or that was not understood."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.checklist.facts import Vocabulary
from service.checklist.rules import Pack
from service.fhir.resources import Resource
from service.knowledge.code_maps import CodeMaps


@dataclass(frozen=True)
class Line:
    """What was read from a resource, in words; never a name, a birth date or an identifier of the patient.

    `fact` is the fact that it says something about, or would, had it been understood.
    """

    resource: str
    fact: str | None
    says: str
    understood: bool


@dataclass(frozen=True)
class Read:
    """One line, and what it gives to its fact.

    `given` is an object of section 4 of the public contract (`{"value", "unit", "at", "status", "source",
    "ref_low", "ref_high", "unreadable"}`); of a fact that is a list, one entry of it. None gives nothing.
    `source` is added from the line. `none_known` says of a list that the record states that it is empty.
    `doubts` are lists that this may belong to, so that they are not known to be complete; a line that was
    not understood casts doubt on its own fact without being told to.
    """

    line: Line
    given: Mapping[str, Any] | None = None
    none_known: bool = False
    doubts: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ReadingContext:
    """What the resources are read for. `order` is the order of this infusion, where it is known.

    Only this pack and its look-alikes are sure to be there when a checklist is replayed: nothing that is read
    may depend on any other pack.
    """

    pack: Pack
    order: Resource | None
    infusion_at: datetime
    maps: CodeMaps
    vocabulary: Vocabulary


def found(resource: str, fact: str, says: str, **given: Any) -> Read:
    """Something that was understood; what is None is left out."""
    known = {key: each for key, each in given.items() if each is not None}
    return Read(Line(resource, fact, says, True), known)


def unreadable(resource: str, fact: str, says: str, **given: Any) -> Read:
    """A value that is there and cannot be read: the fact is unknown, and says so."""
    known = {key: each for key, each in given.items() if each is not None}
    return Read(Line(resource, fact, says, False), {"value": None, "unreadable": says, **known})


def noted(resource: str, says: str, fact: str | None = None, *, understood: bool = True) -> Read:
    """Something that gives nothing to any fact."""
    return Read(Line(resource, fact, says, understood))
