"""FHIR resources as plain dicts, read with tolerance: an odd shape is nothing, and never an error."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from service.knowledge.code_maps import CodeMaps, Key

Resource = dict[str, Any]

MOST_QUOTED = 80
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_CONTROL = re.compile("[\0-\x1f\x7f-\x9f]")
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")
_PARTIAL = re.compile(r"(\d{4})(?:-(\d{2}))?")
_FULL = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2})(:\d{2})?(\.\d+)?([Zz]|[+-]\d{2}:\d{2})?)?",
)
_YEARS = range(1880, 2201)


def objects(value: Any) -> list[Resource]:
    """The objects of a list; one that stands alone where a list belongs is a list of one."""
    if isinstance(value, dict):
        return [value]
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def text(value: Any) -> str | None:
    """A text without what cannot be seen, and a mark for what cannot be shown; None where it says nothing."""
    if not isinstance(value, str):
        return None
    seen = " ".join(_CONTROL.sub(" ", _INVISIBLE.sub("", value)).split())
    if not seen.isprintable():
        seen = "".join(each if each.isprintable() else "\ufffd" for each in seen)
    return seen or None


def quoted(value: str) -> str:
    """A text of the record as it is quoted: short."""
    return value if len(value) <= MOST_QUOTED else value[: MOST_QUOTED - 1].rstrip() + "…"


def code(value: Any) -> str | None:
    """A plain code, such as a status."""
    said = text(value)
    return said.lower() if said is not None else None


@dataclass(frozen=True)
class Coding:
    """A code of a system, each as received; either may be missing or odd."""

    uri: str | None
    code: str | None
    display: str | None

    @property
    def named(self) -> str:
        """What it is called, for a reader."""
        return self.display or " ".join(each for each in (self.code, self.uri and f"of {self.uri}") if each)


def codings(value: Any) -> list[Coding]:
    """The codings of a CodeableConcept, or of each of a list of them; the one of a bare Coding."""
    found = []
    for concept in objects(value):
        bare = [concept] if "coding" not in concept and isinstance(concept.get("code"), str) else []
        for each in (*objects(concept.get("coding")), *bare):
            found.append(Coding(text(each.get("system")), text(each.get("code")), text(each.get("display"))))
    return found


def keys(value: Any, maps: CodeMaps) -> list[Key]:
    """The codes of a CodeableConcept whose systems are known here, each once."""
    found = (maps.key(each.uri, each.code) for each in codings(value))
    return list(dict.fromkeys(key for key in found if key is not None))


def words(value: Any) -> list[str]:
    """All that a CodeableConcept is called: its text, then the displays of its codes."""
    texts = [said for concept in objects(value) if (said := text(concept.get("text")))]
    return list(dict.fromkeys([*texts, *(each.display for each in codings(value) if each.display)]))


def called(value: Any) -> str:
    """What a CodeableConcept is called, short enough to be quoted; empty where it says nothing."""
    names = [*words(value), *(each.named for each in codings(value))]
    return quoted(names[0]) if names else ""


def plain_codes(value: Any) -> set[str]:
    """The codes of a status that is a CodeableConcept, whatever their system; else its text."""
    found = {each.code.lower() for each in codings(value) if each.code}
    if found:
        return found
    return {said.lower() for said in (*words(value), text(value)) if said}


def number(value: Any) -> Decimal | None:
    """A finite number of JSON; a text that looks like one is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    amount = value if isinstance(value, Decimal) else Decimal(str(value))
    return amount if amount.is_finite() else None


# References


def reference(value: Any) -> str | None:
    """The reference of a Reference, as written."""
    return next((said for each in objects(value) if (said := text(each.get("reference")))), None)


def target(written: str) -> tuple[str, str] | None:
    """Type and id of a reference, relative or absolute, of whatever version; None for any other one."""
    parts = written.split("/_history/", maxsplit=1)[0].rstrip("/").split("/")
    if len(parts) < 2 or not _TYPE.fullmatch(parts[-2]) or not _ID.fullmatch(parts[-1]):
        return None
    return parts[-2], parts[-1]


def type_of(resource: Resource) -> str | None:
    """The type of a resource."""
    said = resource.get("resourceType")
    return said if isinstance(said, str) and _TYPE.fullmatch(said) else None


def id_of(resource: Resource) -> str | None:
    """The id of a resource; one that FHIR does not allow is none."""
    said = resource.get("id")
    return said if isinstance(said, str) and _ID.fullmatch(said) else None


# Times


@dataclass(frozen=True)
class Moment:
    """A date, or a datetime with an offset, as it was written.

    `at` is None where only a year or a month is known: then it lies from `first` to `last`.
    """

    written: str
    at: date | datetime | None
    first: date
    last: date

    @property
    def day(self) -> date:
        """The day as written; of a month or a year its last one."""
        return self.last


def moment(value: Any) -> Moment | None:
    """A FHIR date, dateTime or instant; None for what is none.

    A time without an offset, which FHIR does not allow, leaves the date.
    """
    said = text(value)
    if said is None:
        return None
    try:
        found = _partial(said) or _full(said)
    except ValueError:
        return None
    return found if found is not None and found.first.year in _YEARS else None


def _partial(said: str) -> Moment | None:
    match = _PARTIAL.fullmatch(said)
    if match is None:
        return None
    year, month = int(match[1]), match[2]
    first = date(year, int(month or 1), 1)
    beyond = date(year, 12, 31) if month is None else first.replace(day=28) + timedelta(days=4)
    last = beyond if month is None else beyond - timedelta(days=beyond.day)
    return Moment(said, None, first, last)


def _full(said: str) -> Moment | None:
    match = _FULL.fullmatch(said)
    if match is None:
        return None
    day = date.fromisoformat(match[1])
    if match[2] is None or match[5] is None:
        return Moment(match[1], day, day, day)
    written = f"{match[1]}T{match[2]}{match[3] or ':00'}{(match[4] or '')[:7]}{match[5].upper()}"
    return Moment(written, datetime.fromisoformat(written), day, day)


def period(value: Any) -> tuple[Moment | None, Moment | None]:
    """The start and the end of a Period."""
    found = next(iter(objects(value)), {})
    return moment(found.get("start")), moment(found.get("end"))


def one_of(resource: Resource, stem: str) -> Iterator[tuple[str, Any]]:
    """The values of a choice such as value[x] or effective[x]: what follows the stem, and the value."""
    for key, value in resource.items():
        if key.startswith(stem) and key[len(stem) : len(stem) + 1].isupper():
            yield key[len(stem) :], value
