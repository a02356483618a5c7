"""Which drugs of the library a record names, by code and name. A name that is only similar is never taken."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice
from typing import Any

from service.checklist.rules import Pack
from service.fhir.resources import Resource, called, keys, objects, quoted, reference, text, words
from service.knowledge.code_maps import CodeMaps, Key, folded
from service.knowledge.library import NEAR

Resolve = Callable[[Any, Resource], Resource | None]

NDC = "ndc"
_NDC_PARTS = re.compile(r"(\d{4,5})-(\d{3,4})(?:-\d{1,2})?")
_SHORTEST, _MOST_WORDS = 5, 16
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Product:
    """A medicine as a record has it: its codes of known systems, and all that it is called."""

    codes: tuple[Key, ...] = ()
    names: tuple[str, ...] = ()
    said: str = ""


@dataclass(frozen=True)
class Named:
    """The drug that a product is. `look_alikes` are those that its name is only similar to.

    `problem` says, in words, why it cannot be told which drug it is although it names one.
    """

    drug: Pack | None = None
    look_alikes: tuple[Pack, ...] = ()
    problem: str | None = None


def product(concept: Any, maps: CodeMaps) -> Product:
    """The product of a CodeableConcept."""
    return Product(tuple(keys(concept, maps)), tuple(words(concept)), called(concept))


def medication(resource: Resource, resolve: Resolve, maps: CodeMaps) -> Product:
    """The product of an order, an administration or a statement: its `medication[x]`.

    Of a Medication that is made of several, the ingredients are codes and names of it too.
    """
    concepts: list[Any] = [resource.get("medicationCodeableConcept")]
    display = None
    for pointer in objects(resource.get("medicationReference")):
        display = text(pointer.get("display"))
        found = resolve(pointer, resource) if reference(pointer) else None
        if found is not None and found.get("resourceType") == "Medication":
            concepts.append(found.get("code"))
            for each in objects(found.get("ingredient")):
                concepts.append(each.get("itemCodeableConcept"))
    several = [product(each, maps) for each in concepts if each is not None]
    if display is not None:
        several.append(Product((), (display,), quoted(display)))
    return Product(
        tuple(dict.fromkeys(code for each in several for code in each.codes)),
        tuple(dict.fromkeys(name for each in several for name in each.names)),
        next((each.said for each in several if each.said), ""),
    )


def named(found: Product, packs: Iterable[Pack], maps: CodeMaps) -> Named:
    """Which of these packs a product is; none where its codes and names disagree."""
    known = {pack.id: pack for pack in packs}
    by_code = _only(known, (_by_code(key, maps) for key in found.codes))
    by_name = [pack for pack in known.values() if any(_is_in(name, pack.names) for name in found.names)]
    if len(by_code) > 1:
        return Named(problem=f"its codes are of {_and(by_code)}")
    if len(by_name) > 1:
        return Named(problem=f"its name is of {_and(by_name)}")
    if by_code and by_name and by_code != by_name:
        return Named(problem=f"its code is of {by_code[0].title} and its name of {by_name[0].title}")
    near = () if by_name else _near(found.names, known.values(), maps)
    if by_code:
        other = _other_name(found.names, maps, known.values()) if not by_name else None
        if near and by_code[0] not in near:
            other = f"almost {near[0].title}"
        if other is not None:
            return Named(problem=f"its code is of {by_code[0].title} and its name of {other}")
        return Named(by_code[0])
    if by_name:
        other = _other_code(found.codes, maps, by_name[0])
        if other is not None:
            return Named(problem=f"its code is of {other} and its name of {by_name[0].title}")
        return Named(by_name[0])
    return Named(look_alikes=near)


def names_in(said: str, names: frozenset[str]) -> list[str]:
    """The names that a text has as whole words; of two that begin together, the longer one."""
    return [match.group() for match in _pattern(names).finditer(folded(said))]


def _only(known: dict[str, Pack], ids: Iterable[str | None]) -> list[Pack]:
    return [known[each] for each in dict.fromkeys(ids) if each in known]


def _and(packs: Sequence[Pack]) -> str:
    return " and of ".join(pack.title for pack in packs)


def _is_in(said: str, names: frozenset[str]) -> bool:
    return bool(names_in(said, names))


@lru_cache(maxsize=64)
def _pattern(names: frozenset[str]) -> re.Pattern[str]:
    longest_first = sorted(map(folded, names), key=lambda name: (-len(name), name))
    any_of = "|".join(map(re.escape, longest_first))
    return re.compile(rf"(?<![^\W_])(?:{any_of})(?![^\W_])") if names else re.compile(r"(?!)")


# Codes


def _by_code(key: Key, maps: CodeMaps) -> str | None:
    system, code = key
    if system != NDC or key in maps.drugs:
        return maps.drugs.get(key)
    return next(
        (drug for each, drug in maps.drugs.items() if each[0] == NDC and _same_ndc(each[1], code)), None
    )


def _same_ndc(known: str, code: str) -> bool:
    """Whether an NDC is a package of a known product, in any of the ways in which NDCs are written."""
    parts = _NDC_PARTS.fullmatch(known)
    if parts is None:
        return False
    labeler, item = parts[1], parts[2]
    if (other := _NDC_PARTS.fullmatch(code)) is not None:
        return (other[1].zfill(5), other[2].zfill(4)) == (labeler.zfill(5), item.zfill(4))
    if not code.isdigit():
        return False
    if len(code) == 11:
        return code.startswith(labeler.zfill(5) + item.zfill(4))
    return len(code) == 10 and code.startswith(labeler + item)


def _other_code(codes: Iterable[Key], maps: CodeMaps, pack: Pack) -> str | None:
    """The name of another medicine that one of these is the very code of."""
    for key in codes:
        for medicine in maps.medicines.exact.get(key, ()):
            if not _is_in(medicine.name, pack.names):
                return medicine.name
    return None


# Names


def _other_name(names: Iterable[str], maps: CodeMaps, packs: Iterable[Pack]) -> str | None:
    """The other medicine that is named, if any."""
    own = {name for pack in packs for name in pack.names}
    others = frozenset(maps.medicine_names.keys() - own)
    return next((found[0] for name in names if (found := names_in(name, others))), None)


def _near(names: Iterable[str], packs: Iterable[Pack], maps: CodeMaps) -> tuple[Pack, ...]:
    """The packs with a name that is almost a word of these. The name of another medicine is no slip."""
    known = {name: pack for pack in packs for name in pack.names if " " not in name}
    others = {word for pack in known.values() for name in pack.look_alikes for word in name.split("_")}
    found: dict[str, Pack] = {}
    for word in _words(names):
        if word not in maps.medicine_names and word not in others:
            for each in _similar(word, tuple(sorted(known))):
                found[known[each].id] = known[each]
    return tuple(found.values())


@lru_cache(maxsize=4096)
def _similar(word: str, names: tuple[str, ...]) -> list[str]:
    return get_close_matches(word, names, n=6, cutoff=NEAR)


def _words(names: Iterable[str]) -> Iterator[str]:
    """The words in which a name can be, the first of them: what is a thousand words long is no name."""
    words_of = (match.group() for name in names for match in _WORD.finditer(folded(name)))
    long_enough = (word for word in words_of if len(word) >= _SHORTEST)
    return iter(dict.fromkeys(islice(long_enough, _MOST_WORDS)))
