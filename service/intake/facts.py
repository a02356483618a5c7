"""The facts of a request, typed: every bad one is reported at its path, nothing is dropped silently."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from service.checklist.evidence import day_of, is_after
from service.checklist.facts import (
    FINAL_STATUSES,
    OTHER_STATUSES,
    FactDefinition,
    Facts,
    FieldDefinition,
    Reading,
    Vocabulary,
)
from service.intake.errors import BadInput, FieldError
from service.intake.values import (
    Refused,
    is_unknown,
    read_code,
    read_date,
    read_field,
    read_integer,
    read_moment,
    read_number,
    read_quantity,
    read_text,
)
from service.knowledge.problems import did_you_mean

MOST_ENTRIES = 500
_KEYS = ("value", "unit", "at", "status", "source", "ref_low", "ref_high", "unreadable", "complete")
_YES_NO = {"yes": "", "no": ""}
_STATUSES = dict.fromkeys(sorted(FINAL_STATUSES | OTHER_STATUSES), "")


def read_facts(raw: Any, vocabulary: Vocabulary, infusion_at: datetime | None) -> Facts:
    """The typed facts. Raises BadInput naming every bad field.

    Without `infusion_at` (it was refused itself) dates are not compared with it.
    """
    if not isinstance(raw, dict):
        raise BadInput([FieldError("facts", "must be an object: fact name to value")])
    reader = _Reader(vocabulary, infusion_at)
    readings: dict[str, tuple[Reading, ...]] = {}
    for name, value in raw.items():
        if name not in vocabulary:
            near = did_you_mean(name[:60], vocabulary.facts)
            reader.errors.append(FieldError(f"facts.{name[:60]}", f"is not a fact of the vocabulary.{near}"))
            continue
        found = tuple(reader.fact(vocabulary[name], value, f"facts.{name}"))
        if found:
            readings[name] = found
    if not reader.errors and infusion_at is not None:
        reader.errors.extend(_out_of_time(readings, vocabulary, infusion_at))
    if reader.errors:
        raise BadInput(reader.errors)
    return Facts(readings)


class _Reader:
    def __init__(self, vocabulary: Vocabulary, infusion_at: datetime | None) -> None:
        self.vocabulary, self.infusion_at = vocabulary, infusion_at
        self.errors: list[FieldError] = []

    def fact(self, definition: FactDefinition, raw: Any, path: str) -> Iterator[Reading]:
        """The readings of one fact; none where it is unknown."""
        if is_unknown(raw):
            return
        if definition.type == "list":
            yield from self._one(definition, raw, path)
            return
        if not isinstance(raw, list):
            yield from self._one(definition, raw, path)
            return
        if not definition.result:
            self.errors.append(FieldError(path, "takes one value, not a list"))
            return
        if len(raw) > MOST_ENTRIES:
            self.errors.append(FieldError(path, f"has more than {MOST_ENTRIES} results"))
            return
        for place, each in enumerate(raw):
            if not isinstance(each, dict):
                self.errors.append(FieldError(f"{path}[{place}]", "must be an object with value and at"))
                continue
            yield from self._one(definition, each, f"{path}[{place}]")

    def _one(self, definition: FactDefinition, raw: Any, path: str) -> Iterator[Reading]:
        spec = raw if isinstance(raw, dict) else {"value": raw}
        before = len(self.errors)
        for key in spec:
            if key not in _KEYS:
                self.errors.append(
                    FieldError(f"{path}.{key[:60]}", f"does not belong here.{did_you_mean(key[:60], _KEYS)}")
                )
        if "value" not in spec:
            self.errors.append(FieldError(f"{path}.value", "is missing; write null where it is unknown"))
        if len(self.errors) > before:
            return
        try:
            reading = self._reading(definition, spec, path)
        except Refused as error:
            self.errors.append(FieldError(f"{path}.{error.part}" if error.part else path, error.message))
            return
        if len(self.errors) == before:
            yield reading

    def _reading(self, definition: FactDefinition, spec: dict[str, Any], path: str) -> Reading:
        raw, unit = spec["value"], None
        value: Any = None
        if not is_unknown(raw):
            value, unit = self._value(definition, raw, spec.get("unit"), path)
        if spec.get("unit") is not None and definition.type != "quantity":
            raise Refused("does not belong here: this fact has no unit", "unit")
        return Reading(
            value=value,
            unit=unit,
            at=self._part(spec, "at", read_moment),
            status=self._part(spec, "status", lambda each: read_code(each, _STATUSES)) or "final",
            source=self._part(spec, "source", read_text),
            ref_low=self._limit(definition, spec, "ref_low"),
            ref_high=self._limit(definition, spec, "ref_high"),
            unreadable=self._unreadable(spec, value),
            complete=self._complete(definition, spec, value),
        )

    def _unreadable(self, spec: dict[str, Any], value: Any) -> str | None:
        said: str | None = self._part(spec, "unreadable", read_text)
        if said is not None and value is not None:
            raise Refused("does not belong here: the value was read", "unreadable")
        return said

    def _complete(self, definition: FactDefinition, spec: dict[str, Any], value: Any) -> bool:
        said: str | None = self._part(spec, "complete", lambda each: read_code(each, _YES_NO))
        if said is not None and (definition.type != "list" or value is None):
            raise Refused("does not belong here: only a list is complete or not", "complete")
        return said != "no"

    @staticmethod
    def _part(spec: dict[str, Any], key: str, read: Any) -> Any:
        if spec.get(key) is None:
            return None
        try:
            return read(spec[key])
        except Refused as error:
            raise Refused(error.message, key) from None

    def _limit(self, definition: FactDefinition, spec: dict[str, Any], key: str) -> Any:
        if is_unknown(spec.get(key)):
            return None
        if definition.type != "quantity" or not definition.result:
            raise Refused("does not belong here: this fact has no laboratory limit", key)
        number = self._part(spec, key, read_number)
        unit = definition.units.get(str(spec.get("unit")))
        if unit is None:
            raise Refused(f"needs a unit: {', '.join(definition.units)}", "unit")
        if number < 0 and unit.name not in ("Cel", "[degF]"):
            raise Refused("is below zero", key)
        return unit.convert(number)

    def _value(self, definition: FactDefinition, raw: Any, unit: Any, path: str) -> tuple[Any, str | None]:
        if isinstance(raw, str) and raw in definition.words:
            return raw, None
        match definition.type:
            case "code":
                return read_code(raw, definition.values), None
            case "date":
                return read_date(raw), None
            case "integer":
                return read_integer(raw, definition), None
            case "quantity":
                return read_quantity(raw, unit, definition)
            case _:
                return tuple(self._entries(definition, raw, path)), None

    def _entries(self, definition: FactDefinition, raw: Any, path: str) -> Iterator[Any]:
        if not isinstance(raw, list):
            raise Refused("must be a list; [] where it was asked and there is none")
        if len(raw) > MOST_ENTRIES:
            raise Refused(f"has more than {MOST_ENTRIES} entries")
        for place, each in enumerate(raw):
            at = f"{path}[{place}]"
            try:
                yield (
                    self._entry(definition, each, at)
                    if definition.fields
                    else read_code(each, definition.values)
                )
            except Refused as error:
                self.errors.append(FieldError(f"{at}.{error.part}" if error.part else at, error.message))

    def _entry(self, definition: FactDefinition, raw: Any, path: str) -> dict[str, Any]:
        if not isinstance(raw, dict):
            raise Refused(f"must be an object with {', '.join(definition.fields)}")
        item: dict[str, Any] = {}
        for key in raw:
            if key not in definition.fields:
                raise Refused(f"does not belong here.{did_you_mean(key[:60], definition.fields)}", key[:60])
        for name, field in definition.fields.items():
            self._field(item, raw, name, field, path)
        if definition.at_least_one_of and not any(item.get(name) for name in definition.at_least_one_of):
            raise Refused(f"needs {' or '.join(definition.at_least_one_of)}")
        return item

    def _field(
        self, item: dict[str, Any], raw: dict[str, Any], name: str, field: FieldDefinition, path: str
    ) -> None:
        given = raw.get(name)
        if is_unknown(given):
            if field.required:
                self.errors.append(FieldError(f"{path}.{name}", "is missing"))
            elif given is None and field.default is not None:
                item[name] = field.default
            return
        try:
            value = read_field(given, field)
        except Refused as error:
            self.errors.append(FieldError(f"{path}.{name}", error.message))
            return
        if field.codes is not None:
            self._settle(item, field, value, f"{path}.{name}")
        elif field.from_code is not None and item.get(name) not in (None, "unspecified", value):
            self.errors.append(FieldError(f"{path}.{name}", "contradicts the code"))
            return
        item[name] = value

    def _settle(self, item: dict[str, Any], field: FieldDefinition, value: str, path: str) -> None:
        codes = self.vocabulary.codes[field.codes or ""]
        if value not in codes:
            self.errors.append(FieldError(path, f"is not a known {field.label}"))
            return
        item.update(codes[value].settles)


def _out_of_time(
    readings: dict[str, tuple[Reading, ...]], vocabulary: Vocabulary, infusion_at: datetime
) -> Iterator[FieldError]:
    """Dates before birth, and dates after the infusion where that cannot be."""
    given = readings.get("birth_date")
    born = given[0].value if given and isinstance(given[0].value, date) else None
    if born is not None and born > infusion_at.date():
        yield FieldError("facts.birth_date", "is after the infusion")
        return
    for name, several in readings.items():
        definition = vocabulary[name]
        for place, reading in enumerate(several):
            path = f"facts.{name}" if len(several) == 1 else f"facts.{name}[{place}]"
            if reading.at is not None and born is not None and day_of(reading.at, infusion_at.tzinfo) < born:
                yield FieldError(f"{path}.at", "is before the birth date")
            if isinstance(reading.value, date):
                yield from _bounds(reading.value, definition, born, infusion_at, path)
            if isinstance(reading.value, tuple):
                for number, item in enumerate(reading.value):
                    if not isinstance(item, str):
                        yield from _item_bounds(item, definition, born, infusion_at, f"{path}[{number}]")


def _bounds(
    value: date,
    definition: FactDefinition | FieldDefinition,
    born: date | None,
    infusion_at: datetime,
    path: str,
) -> Iterator[FieldError]:
    if definition.latest == "infusion" and is_after(value, infusion_at):
        yield FieldError(path, "is after the infusion")
    day = day_of(value, infusion_at.tzinfo)
    if definition.earliest == "birth" and born is not None and day < born:
        yield FieldError(path, "is before the birth date")


def _item_bounds(
    item: Any, definition: FactDefinition, born: date | None, infusion_at: datetime, path: str
) -> Iterator[FieldError]:
    for name, field in definition.fields.items():
        value = item.get(name)
        if isinstance(value, date):
            yield from _bounds(value, field, born, infusion_at, f"{path}.{name}")
    timing = definition.refused_after_infusion
    if timing is not None and timing.covers(item):
        at = item.get(timing.field)
        if at is not None and is_after(at, infusion_at):
            yield FieldError(f"{path}.{timing.field}", "is after the infusion")
