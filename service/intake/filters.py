"""What checklists are looked for by, read as strictly as a request for one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from service.checklist.rules import Status
from service.intake.documents import plain
from service.intake.errors import BadInput, FieldError
from service.intake.requests import Moment, ShortText, find_drug
from service.knowledge.library import Library

VERDICTS = ("holds", "undecided")
ANSWERED = ("overridden", "acknowledged")
OUTCOMES = ("infused", "held", "stopped", "none")


class YesNo(fields.Field[bool]):
    """True or false, as JSON writes them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("must be true or false")
        return value


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What a checklist must be to be found; None asks nothing. A period holds its first moment, not its last.

    Rule, check and verdict are asked of one rule of the checklist, and where an answer or its reason is asked
    for too, it is the answer to that rule. `outcome` is the last one recorded, and `none` where none is.
    """

    patient: str | None = None
    drug: str | None = None
    status: str | None = None
    made_from: datetime | None = None
    made_to: datetime | None = None
    infusion_from: datetime | None = None
    infusion_to: datetime | None = None
    check: str | None = None
    rule: str | None = None
    verdict: str | None = None
    actor: str | None = None
    answered: str | None = None
    reason: str | None = None
    outcome: str | None = None
    superseded: bool | None = None

    def document(self) -> dict[str, Any]:
        """The filters that are set, as they are written in a body."""
        named = {_NAMES.get(name, name): value for name, value in vars(self).items()}
        return {name: plain(value) for name, value in sorted(named.items()) if value is not None}


_NAMES = {"made_from": "from", "made_to": "to"}


def _text(example: str, says: str = "") -> ShortText:
    said = {"description": says} if says else {}
    return ShortText(metadata={"type": "string", "maxLength": 200, "example": example, **said})


def _moment(says: str, **options: Any) -> Moment:
    return Moment(metadata={"type": "string", "format": "date-time", "description": says}, **options)


def _one_of(words: tuple[str, ...], says: str) -> fields.String:
    return fields.String(validate=validate.OneOf(words), metadata={"description": says})


class FiltersSchema(Schema):
    """What checklists are looked for by; all that is given must be so."""

    class Meta:
        """Unknown keys are refused."""

        unknown = RAISE

    patient = _text("MRN-1001")
    drug = _text("inebilizumab", "A pack's id, or any alias or brand name, in any case. Never corrected.")
    status = _one_of(tuple(each.word for each in Status), "The worst of the findings.")
    made_from = _moment("Made at this time or later.", data_key="from")
    made_to = _moment("Made before this time.", data_key="to")
    infusion_from = _moment("For an infusion at this time or later.")
    infusion_to = _moment("For an infusion before this time.")
    check = _text("hepatitis_b", "A check with a rule that fired or could not be decided.")
    rule = _text("hbv-screening-incomplete", "A rule that fired or could not be decided.")
    verdict = _one_of(VERDICTS, "Whether the rule fired (holds) or could not be decided.")
    actor = _text("user:nina", "Who made it: user:NAME or key:PREFIX.")
    answered = _one_of(ANSWERED, "What was done about a finding; with rule or check, about that one.")
    reason = _text("risk-benefit-ratio", "The coded reason of that answer.")
    outcome = _one_of(OUTCOMES, "The outcome last recorded; none where none is.")
    superseded = YesNo(metadata={"type": "boolean", "description": "Whether a later checklist corrects it."})


def filters_of(given: dict[str, Any], library: Library) -> Filters:
    """The filters of a document that fits their schema; they are taken out of it. Raises BadInput."""
    asked = {name: given.pop(name) for name in list(given) if name in Filters.__dataclass_fields__}
    if "drug" in asked:
        asked["drug"] = find_drug(asked["drug"], library).id
    filters = Filters(**asked)
    check_period(filters.made_from, filters.made_to, "to")
    check_period(filters.infusion_from, filters.infusion_to, "infusion_to")
    return filters


def check_period(first: datetime | None, last: datetime | None, path: str) -> None:
    """Return where a period has a length. Raises BadInput at the path of its end."""
    if first is not None and last is not None and last <= first:
        raise BadInput([FieldError(path, "must be later than the beginning of the period")])
