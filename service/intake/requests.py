"""One request for a checklist: its schema, and from a document to typed facts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from service.checklist.engine import EngineFault
from service.checklist.evaluate import Decider, Situation, evaluate
from service.checklist.facts import Facts
from service.checklist.findings import Checklist
from service.checklist.measures import Scaled
from service.checklist.rules import Pack
from service.checklist.truth import Truth
from service.fhir.searches import NAMES, STATES
from service.intake.errors import AnothersBundle, BadInput, FieldError
from service.intake.facts import read_facts
from service.intake.values import Refused, read_datetime, read_text
from service.knowledge.library import Library, UnknownDrug
from service.knowledge.problems import did_you_mean

if TYPE_CHECKING:
    from service.fhir.reads import Line

MISSING = "Missing data for required field."
NEEDS_BUNDLE = "No bundle."
Value = TypeVar("Value")


class Read(fields.Field[Value]):
    """What a reader of `values` makes of it."""

    def __init__(self, reader: Callable[[Any], Value], **options: Any) -> None:
        super().__init__(**options)
        self._reader = reader

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Value:
        try:
            return self._reader(value)
        except Refused as error:
            raise ValidationError(error.message) from None


class ShortText(Read[str]):
    """A text of at most 200 characters that says something."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_text, **options)


class Moment(Read[datetime]):
    """A datetime with an offset."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_datetime, **options)


class PatientSchema(Schema):
    """Who the patient is: an identifier of the site, nothing else."""

    class Meta:
        """Unknown keys are refused."""

        unknown = RAISE

    id = ShortText(required=True, metadata={"type": "string", "maxLength": 200, "example": "MRN-1001"})


class SupersedesSchema(Schema):
    """The checklist that this one corrects, and why; the old one stays readable."""

    class Meta:
        """Unknown keys are refused."""

        unknown = RAISE

    id = fields.UUID(required=True)
    reason = ShortText(required=True, metadata={"type": "string", "maxLength": 200})


class RequestSchema(Schema):
    """The body of `POST /api/v1/checklists` (public contract, section 3)."""

    class Meta:
        """Unknown keys are refused."""

        unknown = RAISE

    drug = ShortText(
        required=True,
        metadata={
            "type": "string",
            "description": "A pack's id, or any alias or brand name, in any case. Never corrected.",
            "example": "inebilizumab",
        },
    )
    region = fields.String(
        validate=validate.OneOf(("US", "EU")),
        metadata={"description": "Whose label applies; default: the site's."},
    )
    infusion_at = Moment(
        required=True,
        metadata={"type": "string", "format": "date-time", "example": "2026-12-01T09:00:00-05:00"},
    )
    patient = fields.Nested(
        PatientSchema,
        metadata={"description": "With a bundle, the id of its Patient where this is left out."},
    )
    supersedes = fields.Nested(SupersedesSchema)
    facts = fields.Dict(
        metadata={
            "description": "Fact name to value, or to an object with value, unit, at, status, source, "
            "ref_low, ref_high. A result that is there and cannot be read has the value null, and says under "
            "`unreadable` what stands there: an older one does not count in its place. A list that may have "
            "other entries says `complete: no`. Beside a bundle facts may be left out; what is given here "
            "outweighs the bundle, but for results and for the entries of lists, which are put together: a "
            "list that is given here as a whole says that there are no others."
        },
    )
    bundle = fields.Dict(
        metadata={
            "description": "A FHIR R4 Bundle of one patient, read as far as its codes are known. What is not "
            "understood is named in the trace, and unknown."
        }
    )
    order = ShortText(
        metadata={
            "type": "string",
            "description": "The order of this infusion in the bundle; default: its one order of this drug.",
            "example": "MedicationRequest/7",
        }
    )
    searched = fields.Dict(
        keys=fields.String(validate=validate.OneOf(NAMES)),
        values=fields.String(validate=validate.OneOf(STATES)),
        metadata={
            "description": "The searches that the bundle holds the answers of, and whether each is complete. "
            "One that is not named was not made."
        },
    )

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def with_a_bundle(self, data: dict[str, Any], original: Any, **_: Any) -> None:
        """What a bundle makes unnecessary, and what belongs to one."""
        names = original if isinstance(original, dict) else {}
        if "bundle" in names:
            return
        missing = {name: [MISSING] for name in ("patient", "facts") if name not in names}
        odd = {name: [NEEDS_BUNDLE] for name in ("order", "searched") if name in names}
        if missing or odd:
            raise ValidationError(missing | odd)


@dataclass(frozen=True)
class ChecklistRequest:
    """A request that was understood whole. `document` is what was received.

    `facts` are the facts as received, those of a bundle among them, and `reading` is what was read of it,
    None without one. `supersedes` is the id of the checklist that it corrects.
    """

    pack: Pack
    patient: str
    situation: Situation
    document: dict[str, Any]
    facts: Mapping[str, Any]
    reading: "tuple[Line, ...] | None" = None
    supersedes: str | None = None


_SCHEMA = RequestSchema()


def read_request(document: Any, library: Library) -> ChecklistRequest:
    """The typed request. Raises BadInput naming every bad field at its path."""
    if not isinstance(document, dict):
        raise BadInput([FieldError("", "must be a JSON object with drug, infusion_at, patient and facts")])
    errors: list[FieldError] = []
    loaded: dict[str, Any] = {}
    try:
        loaded = dict(_SCHEMA.load(document))
    except ValidationError as error:
        errors.extend(_flat(error.messages, _SCHEMA))
        loaded = dict(error.valid_data) if isinstance(error.valid_data, dict) else {}
    pack = None
    if isinstance(loaded.get("drug"), str):
        try:
            pack = find_drug(loaded["drug"], library)
        except BadInput as bad:
            errors.extend(bad.errors)
    known = None
    try:
        known = _known(loaded, pack, library)
    except AnothersBundle:
        raise
    except BadInput as bad:
        errors.extend(bad.errors)
    region = loaded.get("region") or str(library.policy.values["region"])
    if pack is not None and known is not None and region not in pack.regions:
        errors.append(FieldError("region", f"{pack.title} has rules for {', '.join(pack.regions)}"))
    if errors or pack is None or known is None:
        raise BadInput(errors)
    supersedes = str(loaded["supersedes"]["id"]) if "supersedes" in loaded else None
    situation = Situation(known.facts, loaded["infusion_at"], region)
    return ChecklistRequest(pack, known.patient, situation, document, known.received, known.lines, supersedes)


@dataclass(frozen=True)
class _Known:
    patient: str
    facts: Facts
    received: Mapping[str, Any]
    lines: "tuple[Line, ...] | None" = None


def _known(loaded: dict[str, Any], pack: Pack | None, library: Library) -> _Known | None:
    """What is known of the patient; None where the rest of the request does not let it be read.

    Raises BadInput, AnothersBundle.
    """
    given, infusion_at = loaded.get("facts", {}), loaded.get("infusion_at")
    facts = read_facts(given, library.vocabulary, infusion_at)
    if infusion_at is None:
        return None
    if "bundle" not in loaded:
        return _Known(loaded["patient"]["id"], facts, given) if "patient" in loaded else None
    if pack is None:
        return None
    # Most requests bring none, and a command should start fast.
    from service.intake.bundles import facts_with, read_bundle  # noqa: PLC0415

    brought = read_bundle(loaded, pack, library)
    facts, received, lines = facts_with(given, brought, library.vocabulary, infusion_at)
    return _Known(brought.patient, facts, received, lines)


def read_document(document: Any, schema: Schema) -> dict[str, Any]:
    """A document as its schema has it. Raises BadInput naming every bad field at its path."""
    if not isinstance(document, dict):
        raise BadInput([FieldError("", "must be a JSON object")])
    try:
        return dict(schema.load(document))
    except ValidationError as error:
        raise BadInput(_flat(error.messages, schema)) from None


def _keys(schema: Schema) -> list[str]:
    return [field.data_key or name for name, field in schema.fields.items()]


def _flat(messages: Any, schema: Schema, path: str = "") -> list[FieldError]:
    if isinstance(messages, list):
        known = _keys(schema)
        name = path.rsplit(".", 1)[-1]
        words = {
            MISSING: "is missing",
            NEEDS_BUNDLE: "belongs to a bundle, and there is none",
            "Unknown field.": f"does not belong here.{did_you_mean(name, known)}",
            "Not a valid mapping type.": "must be an object",
            "Invalid input type.": "must be an object",
            "Not a valid string.": "must be a text",
            "Not a valid integer.": "must be a whole number, without quotes",
            "Field may not be null.": "must not be null; leave it out",
            "Not a valid UUID.": "must be the id of a checklist",
        }
        return [
            FieldError(path.removesuffix("._schema"), words.get(str(each), str(each))) for each in messages
        ]
    return [
        error
        for key, each in messages.items()
        for error in _flat(each, schema, f"{path}.{str(key)[:60]}" if path else str(key)[:60])
    ]


def find_drug(name: str, library: Library) -> Pack:
    """The pack of a drug by any of its names. Raises BadInput at `drug` with what looks like the name."""
    try:
        return library.find(name)
    except UnknownDrug as unknown:
        raise BadInput([FieldError("drug", _no_such_drug(unknown))]) from None


def _no_such_drug(unknown: UnknownDrug) -> str:
    if not unknown.near:
        return "is not a drug that has rules here; `dosegate drugs` and GET /api/v1/drugs list them"
    near = "; ".join(f"{pack.id} ({', '.join(pack.brands)}; {pack.drug_class})" for pack in unknown.near)
    return f"is not a drug that has rules here, and is never corrected. Names that look like it: {near}"


def answer(request: ChecklistRequest, library: Library) -> Checklist:
    """The checklist for a request, under the library's packs and policy."""
    engine: Decider
    try:
        engine = library.engine(request.pack)
    except EngineFault as fault:
        engine = _NotLoaded(fault)
    return evaluate(request.pack, request.situation, library.policy.values, engine)


@dataclass(frozen=True)
class _NotLoaded:
    """An engine that could not be loaded: evaluating with it holds every check."""

    fault: EngineFault

    def decide(self, values: Sequence[Scaled]) -> dict[str, Truth]:
        raise self.fault
