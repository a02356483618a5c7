"""Forms that ask for a part of what is kept: read as strictly as a search of the API, but by days."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from service.intake.errors import BadInput, FieldError
from service.intake.filters import Filters, FiltersSchema, filters_of
from service.intake.json_text import check_texts
from service.intake.requests import read_document
from service.pages.components import Choice
from service.pages.texts import Later, gettext
from service.web.parts import parts

_SCHEMA = FiltersSchema()
_DAYS = {"from": 0, "to": 1, "infusion_from": 0, "infusion_to": 1}  # the last day is wholly in a period
_YES_NO = {"yes": True, "no": False}


def asked_for(typed: Mapping[str, str]) -> Filters:
    """The filters that were typed; days are those of the site's time zone. Raises BadInput."""
    check_texts(dict(typed))
    document: dict[str, Any] = {name: text for name, text in typed.items() if name not in _DAYS}
    days, errors = days_of(typed)
    document |= {name: moment.isoformat() for name, moment in days.items()}
    if "superseded" in typed:
        document["superseded"] = _YES_NO.get(typed["superseded"])
    try:
        read = read_document(document, _SCHEMA)
    except BadInput as error:
        raise BadInput([*errors, *error.errors]) from None
    if errors:
        raise BadInput(errors)
    return filters_of(read, parts().library)


def days_of(typed: Mapping[str, str]) -> tuple[dict[str, datetime], list[FieldError]]:
    """When each period that was typed begins or is over at the site, by field; and what is no day."""
    days, errors = {}, []
    for name, later in _DAYS.items():
        if name in typed:
            try:
                days[name] = _midnight(typed[name], later)
            except (ValueError, OverflowError):
                errors.append(FieldError(name, gettext("must be a date such as 2026-10-06")))
    return days, errors


def _midnight(day: str, later: int) -> datetime:
    """When a day begins at the site, or so many days later. Raises ValueError, OverflowError."""
    begins = date.fromisoformat(day) + timedelta(days=later)
    return datetime.combine(begins, time(), parts().time_zone)


def drug_choices(all_of_them: str) -> list[Choice]:
    """Every drug with its brands and class, so that no look-alike is taken for another; before them, all."""
    packs = sorted(parts().library.packs.values(), key=lambda pack: pack.title)
    named = [(pack.id, f"{pack.title} ({', '.join(pack.brands)}; {pack.drug_class})") for pack in packs]
    return [("", all_of_them), *named]


def typed_in(form: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """What was typed into these fields, where anything was."""
    return {name: text for name in names if (text := form.get(name, "").strip())}


def filled(
    labels: Mapping[str, Later], typed: Mapping[str, str], refused: BadInput | None = None
) -> dict[str, Any]:
    """A form as it was typed, field by field, with what is wrong in it."""
    errors = {each.path: each.message for each in refused.errors} if refused is not None else {}
    return {
        "labels": labels,
        "typed": {name: typed.get(name, "") for name in labels},
        "errors": {name: errors.get(name) for name in labels},
        "summary": _summary(errors, labels),
    }


def _summary(errors: Mapping[str, str], labels: Mapping[str, Later]) -> list[tuple[str | None, str]]:
    """What is to be mended, each behind the label of its field; what belongs to no field stands alone."""
    return [
        (name, f"{labels[name]}: {says}") if name in labels else (None, says) for name, says in errors.items()
    ]
