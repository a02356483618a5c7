"""Reading a list of infusions: CSV as spreadsheets write it, line by line, and nothing guessed.

Every line is either understood whole or named with what is wrong with it, in which column, and the way out.
"""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import TypeVar
from zoneinfo import ZoneInfo

from service.checklist.rules import Pack
from service.intake.errors import BadInput
from service.intake.requests import find_drug
from service.intake.values import LONGEST_TEXT, Refused, read_date, read_datetime, read_text
from service.knowledge.library import Library
from service.webhooks.progress import Visit

MOST_BYTES, MOST_LINES = 128 * 1024, 1000
FURTHEST = timedelta(days=366)
REFERENCE, PATIENT, DRUG, REGION = "reference", "patient", "drug", "region"
INFUSION_AT, DATE, TIME = "infusion_at", "date", "time"
COLUMNS = (REFERENCE, PATIENT, DRUG, INFUSION_AT, DATE, TIME, REGION)
TEMPLATE = "reference,patient,drug,date,time,region\r\n"
Value = TypeVar("Value")
_NEEDED = (REFERENCE, PATIENT, DRUG)
_SEPARATORS = (",", ";")
_LOCAL = re.compile(r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2})(?::00(?:\.0+)?)?")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::00)?")


class BadList(Exception):
    """The file as a whole cannot be read; `reason` says why, and the way out."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__()  # what is in a list is no text of an error


@dataclass(frozen=True)
class LineError:
    """What is wrong with a line, in which column, and what stands there."""

    line: int
    column: str | None
    message: str
    given: str = ""


@dataclass(frozen=True)
class Listed:
    """A line that was understood. `drug` is a pack's id; `infusion_at` has the offset of the site's zone."""

    line: int
    reference: str
    patient: str
    drug: str
    infusion_at: datetime

    @property
    def visit(self) -> Visit:
        """The patient, the drug and the day."""
        return self.patient, self.drug, self.infusion_at.date()


@dataclass(frozen=True)
class ListRead:
    """A list as it was read. `unused` are the headings of columns that nothing was taken from."""

    lines: tuple[Listed, ...]
    errors: tuple[LineError, ...]
    unused: tuple[str, ...]


def text_of(body: bytes) -> str:
    """The text of a file. Raises BadList."""
    if len(body) > MOST_BYTES:
        raise BadList(f"The file is larger than {MOST_BYTES // 1024} KiB. Divide it, a week in each file.")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadList('The file is not UTF-8 text. In the spreadsheet, save it as "CSV UTF-8".') from None
    if "\0" in text:
        raise BadList('This is no CSV file. In the spreadsheet, save it as "CSV UTF-8".')
    return text


def read_list(text: str, library: Library, now: datetime, zone: ZoneInfo) -> ListRead:
    """What a list says, as of now in the site's zone. Raises BadList."""
    rows = list(_rows(text))
    if not rows:
        raise BadList("The file is empty. Take the template, and write one infusion in each line.")
    heading = _heading(rows[0][1])
    if len(rows) == 1:
        raise BadList("There is a heading and no line below it. Write one infusion in each line.")
    if len(rows) - 1 > MOST_LINES:
        raise BadList(f"There are more than {MOST_LINES} lines. Divide the list, a week in each file.")
    reader = _Reader(heading, library, now, zone)
    lines = [read for line, cells in rows[1:] if (read := reader.line(line, cells)) is not None]
    good = tuple(_told_apart(lines, reader))
    errors = sorted(reader.errors, key=lambda each: each.line)
    return ListRead(good, tuple(errors), heading.unused)


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that say something, each with the number of the line that it begins in."""
    heading = text.lstrip("\ufeff\r\n").partition("\n")[0]
    separator = max(_SEPARATORS, key=heading.count)
    reader = csv.reader(
        io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=separator, strict=True
    )
    begins = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield begins, [cell.strip() for cell in cells]
            begins = reader.line_num + 1
    except csv.Error:
        raise BadList(
            f"A quotation mark in line {begins} is opened and not closed, or stands inside a text. Mend it, "
            "and choose the file again."
        ) from None


@dataclass(frozen=True)
class _Heading:
    """Where each column stands, how many there are, and the headings of those that nothing is taken from."""

    places: Mapping[str, int]
    width: int
    unused: tuple[str, ...]


def _heading(cells: Sequence[str]) -> _Heading:
    """The heading, in any case and order. Raises BadList."""
    names = [cell.casefold().replace(" ", "_") for cell in cells]
    if several := sorted({name for name in names if name in COLUMNS and names.count(name) > 1}):
        raise BadList(f"The heading has {', '.join(several)} more than once. Keep one of each.")
    missing = [name for name in _NEEDED if name not in names]
    if INFUSION_AT not in names and not {DATE, TIME} <= set(names):
        missing.append(f"{INFUSION_AT} (or {DATE} and {TIME})")
    if missing:
        raise BadList(
            f"The first line must be the heading, and it has no column {', '.join(missing)}. The template "
            "has all columns."
        )
    if INFUSION_AT in names and {DATE, TIME} & set(names):
        raise BadList(f"The heading has {INFUSION_AT} beside {DATE} or {TIME}. Keep one way to say when.")
    unused = tuple(cell for cell, name in zip(cells, names, strict=True) if name not in COLUMNS and cell)
    return _Heading({name: place for place, name in enumerate(names) if name in COLUMNS}, len(cells), unused)


class _Reader:
    """Reads lines, and gathers what is wrong with them."""

    def __init__(self, heading: _Heading, library: Library, now: datetime, zone: ZoneInfo) -> None:
        self._heading, self._library, self._now, self._zone = heading, library, now, zone
        self.errors: list[LineError] = []

    def line(self, number: int, cells: Sequence[str]) -> Listed | None:
        """The line, or None where something is wrong with it."""
        if any(cells[self._heading.width :]):
            says = "has more cells than the heading: write a text with a comma in it between quotation marks"
            self.wrong(number, None, says)
            return None
        given = {name: cells[place] for name, place in self._heading.places.items() if place < len(cells)}
        tried = partial(self._tried, number, given)
        reference = tried(REFERENCE, lambda: _text(given, REFERENCE))
        patient = tried(PATIENT, lambda: _text(given, PATIENT))
        pack = tried(DRUG, lambda: self._pack(_text(given, DRUG)))
        begins = tried(INFUSION_AT, lambda: self._begins(given))
        region = tried(REGION, lambda: self._region(given.get(REGION, ""), pack))
        if reference is None or patient is None or pack is None or begins is None or region is None:
            return None
        return Listed(number, reference, patient, pack.id, begins)

    def wrong(self, number: int, column: str | None, message: str, given: str = "") -> None:
        """Note what is wrong with a line."""
        self.errors.append(LineError(number, column, message, given[:LONGEST_TEXT]))

    def _tried(
        self, number: int, given: Mapping[str, str], column: str, read: Callable[[], Value]
    ) -> Value | None:
        try:
            return read()
        except Refused as refused:
            at = refused.part or column
            self.wrong(number, at, refused.message, given.get(at, ""))
            return None

    def _pack(self, name: str) -> Pack:
        try:
            return find_drug(name, self._library)
        except BadInput as bad:
            raise Refused(f"{bad.errors[0].message}. Write the name of the drug that was ordered") from None

    def _region(self, given: str, pack: Pack | None) -> str:
        own = str(self._library.policy.values["region"])
        region = given.upper() or own
        if region != own:
            raise Refused(f"is not {own}, by whose label this site works: leave it empty, or write {own}")
        if pack is not None and region not in pack.regions:
            raise Refused(f"{pack.title} has no rules for {region}, only for {', '.join(pack.regions)}")
        return region

    def _begins(self, given: Mapping[str, str]) -> datetime:
        begins = self._moment(given)
        day, today = begins.astimezone(self._zone).date(), self._now.astimezone(self._zone).date()
        column = INFUSION_AT if INFUSION_AT in given else DATE
        if day < today:
            raise Refused(f"is before today, {today}: take the line out, or mend the date", column)
        if day > today + FURTHEST:
            raise Refused(f"is more than {FURTHEST.days} days from today: mend the date", column)
        return begins.astimezone(self._zone)

    def _moment(self, given: Mapping[str, str]) -> datetime:
        if INFUSION_AT not in self._heading.places:
            return self._local(_day(_text(given, DATE), DATE), _clock(_text(given, TIME)), TIME)
        said = _text(given, INFUSION_AT)
        if local := _LOCAL.fullmatch(said):
            return self._local(_day(local[1], INFUSION_AT), _clock(local[2]), INFUSION_AT)
        try:
            return read_datetime(said)
        except Refused:
            raise Refused("must be a date and a time, written as 2026-12-01 09:00") from None

    def _local(self, day: date, clock: time, column: str) -> datetime:
        """A time of the site's zone. Raises Refused where the clocks change and there is none, or two."""
        earlier = datetime.combine(day, clock, self._zone)
        later = earlier.replace(fold=1)
        if earlier.utcoffset() == later.utcoffset():
            return earlier
        is_there = earlier.astimezone(UTC).astimezone(self._zone).replace(tzinfo=None) == datetime.combine(
            day, clock
        )
        says = "comes twice" if is_there else "does not exist"
        raise Refused(f"{says} on that day, when the clocks change: write another time", column)


def _text(given: Mapping[str, str], column: str) -> str:
    if not (said := given.get(column, "")):
        raise Refused("is missing: fill it in", column)
    if not said.isprintable():
        raise Refused("holds a line break or another character that is not seen: write it again", column)
    try:
        return read_text(said)
    except Refused as refused:
        raise Refused(refused.message, column) from None


def _day(said: str, column: str) -> date:
    try:
        return read_date(said)
    except Refused:
        raise Refused("is no date: write year, month and day, as 2026-12-01", column) from None


def _clock(said: str) -> time:
    if not (match := _CLOCK.fullmatch(said)):
        raise Refused("must be a time of day, written as 09:00", TIME)
    try:
        return time(int(match[1]), int(match[2]))
    except ValueError:
        raise Refused("is no time of day: write it as 09:00", TIME) from None


def _told_apart(lines: Sequence[Listed], reader: _Reader) -> Iterator[Listed]:
    """The lines whose reference and whose visit stand in no other line: which one is right, nobody knows."""
    references, visits = defaultdict(list), defaultdict(list)
    for each in lines:
        references[each.reference].append(each.line)
        visits[each.visit].append(each.line)
    for each in lines:
        same = [line for line in references[each.reference] if line != each.line]
        if same:
            where = f"stands in line {_listed(same)} too"
            says = f"{where}: each infusion has a reference of its own"
            reader.wrong(each.line, REFERENCE, says, each.reference)
            continue
        if same := [line for line in visits[each.visit] if line != each.line]:
            where = f"has this drug on this day in line {_listed(same)} too"
            reader.wrong(each.line, PATIENT, f"{where}: keep the line that is right", each.patient)
            continue
        yield each


def _listed(lines: Sequence[int]) -> str:
    return ", ".join(map(str, lines[:5]))
