"""Forms that ask for a part of what is kept: read as strictly as a search of the API, but by days."""

from collections.abc import Mapping
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
    errors = []
    for name, later in _DAYS.items():
        if name not in typed:
            continue
        try:
            document[name] = midnight(typed[name], later).isoformat()
        except (ValueError, OverflowError):
            errors.append(FieldError(name, gettext("must be a date such as 2026-10-06")))
    if "superseded" in typed:
        document["superseded"] = _YES_NO.get(typed["superseded"])
    try:
        read = read_document(document, _SCHEMA)
    except BadInput as error:
        raise BadInput([*errors, *error.errors]) from None
    if errors:
        raise BadInput(errors)
    return filters_of(read, parts().library)


def midnight(day: str, later: int) -> datetime:
    """When a day begins at the site, or so many days later. Raises ValueError, OverflowError."""
    begins = date.fromisoformat(day) + timedelta(days=later)
    return datetime.combine(begins, time(), parts().time_zone)


def drug_choices() -> list[Choice]:
    """Every drug with its brands and class, so that no look-alike is taken for another."""
    any_drug: Choice = ("", gettext("Any"))
    packs = sorted(parts().library.packs.values(), key=lambda pack: pack.title)
    named = [(pack.id, f"{pack.title} ({', '.join(pack.brands)}; {pack.drug_class})") for pack in packs]
    return [any_drug, *named]


def summary(errors: Mapping[str, str], labels: Mapping[str, Later]) -> list[tuple[str | None, str]]:
    """What is to be mended, each behind the label of its field; what belongs to no field stands alone."""
    return [
        (name, f"{labels[name]}: {says}") if name in labels else (None, says) for name, says in errors.items()
    ]
