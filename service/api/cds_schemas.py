"""What EHRs send by CDS Hooks: lenient to what is not known here, strict to what is missing."""

from collections.abc import Iterator
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate, validates_schema

from service.api import described as a
from service.ehr.feedback import ACCEPTED, OVERRIDDEN, Told
from service.ehr.hooks import HOOKS, Call, Grant
from service.ehr.prefetch import entries
from service.fhir.resources import Resource, target, text, type_of
from service.intake.errors import BadInput, FieldError
from service.intake.requests import Moment, read_document

_LONGEST = 2000


class _Lenient(Schema):
    """What is not known here is passed over."""

    class Meta:
        """Unknown keys are let be."""

        unknown = EXCLUDE


class _Text(fields.String):
    """A text that says something."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            validate=validate.Length(1, _LONGEST, error="must be a text that says something"), **options
        )


class _Bundle(fields.Field[dict[str, Any]]):
    """A Bundle, as far as that can be told: the reference sandbox sends it without a type."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or type_of(value) != "Bundle":
            raise ValidationError("must be a Bundle")
        return value


def _required(description: str) -> _Text:
    return _Text(required=True, metadata=a.said(description))


def _references(description: str) -> fields.List[Any]:
    return fields.List(_Text(), required=True, metadata=a.said(description))


def _bundle(description: str) -> _Bundle:
    return _Bundle(required=True, metadata={"type": "object", **a.said(description)})


class _ContextSchema(_Lenient):
    """What every hook says."""

    patientId = _required("The id of the Patient.")


class _UserContextSchema(_ContextSchema):
    """What a hook says that a person has set off."""

    userId = _required("Who is at work: Practitioner/1, or another such reference.")
    encounterId = _Text()


class OrderSignContext(_UserContextSchema):
    """Orders that are signed."""

    draftOrders = _bundle("The orders that are signed.")


class OrderSelectContext(OrderSignContext):
    """Orders that are drafted, some of which were just chosen."""

    selections = _references("Those that were just chosen: MedicationRequest/7.")


class PatientViewContext(_UserContextSchema):
    """A chart that is opened."""


class EncounterStartContext(_UserContextSchema):
    """A patient who arrives."""

    encounterId = _required("The id of the Encounter.")


class AppointmentBookContext(_UserContextSchema):
    """A chair that is booked."""

    appointments = _bundle("The appointments that are proposed.")


class OrderDispatchContext(_ContextSchema):
    """Orders that are sent to whoever carries them out; the tasks for that are not read."""

    dispatchedOrders = _references("The orders that are sent: MedicationRequest/7.")
    performer = _required("To whom they are sent.")


CONTEXTS: dict[str, _ContextSchema] = {
    "order-sign": OrderSignContext(),
    "order-select": OrderSelectContext(),
    "patient-view": PatientViewContext(),
    "appointment-book": AppointmentBookContext(),
    "encounter-start": EncounterStartContext(),
    "order-dispatch": OrderDispatchContext(),
}


class AuthorizationSchema(_Lenient):
    """The token that the EHR grants for this call. It is kept nowhere."""

    access_token = _Text(required=True, load_only=True)
    token_type = fields.String(required=True, validate=validate.Equal("Bearer", error="must be Bearer"))
    expires_in = fields.Integer(required=True, strict=True)
    scope = _Text(required=True)
    subject = _Text(required=True)
    patient = _Text()


class CallSchema(_Lenient):
    """A call of a hook (CDS Hooks 2.0)."""

    hook = fields.String(
        required=True,
        validate=validate.OneOf(list(HOOKS), error=f"is no hook of this service: {', '.join(HOOKS)}"),
    )
    hookInstance = fields.UUID(required=True, error_messages={"invalid_uuid": "must be a UUID"})
    context = fields.Dict(required=True, metadata=a.said("As the hook has it."))
    fhirServer = fields.URL(schemes={"http", "https"}, require_tld=False)
    fhirAuthorization = fields.Nested(AuthorizationSchema)
    prefetch = fields.Dict(
        keys=fields.String(),
        metadata=a.said(
            "Answers by the names of discovery: null is nothing found, no key is not looked for."
        ),
    )

    @validates_schema
    def _server_is_named(self, data: dict[str, Any], **_: Any) -> None:
        if "fhirAuthorization" in data and "fhirServer" not in data:
            raise ValidationError("Missing data for required field.", "fhirServer")


def _call_schema(hook: str, context: _ContextSchema) -> type[Schema]:
    """A call of one hook, for the documentation: each has a context of its own."""
    own: dict[str, fields.Field[Any]] = {
        "hook": fields.String(required=True, validate=validate.Equal(hook)),
        "context": fields.Nested(context, required=True),
    }
    return CallSchema.from_dict(own, name=f"{hook.title().replace('-', '')}CallSchema")


CALLS = [_call_schema(hook, context) for hook, context in CONTEXTS.items()]


class ReasonCodeSchema(_Lenient):
    """A code of a system."""

    code = _Text(required=True)
    system = _Text()
    display = _Text()


class OverrideReasonSchema(_Lenient):
    """Why a card is not followed; older clients send the code without `reason` around it."""

    reason = fields.Nested(ReasonCodeSchema)
    userComment = _Text()
    code = _Text()
    system = _Text()


class AcceptedSchema(_Lenient):
    """A suggestion that was taken."""

    id = _Text(required=True)


class FeedbackSchema(_Lenient):
    """What was done about one card."""

    card = fields.UUID(required=True, error_messages={"invalid_uuid": "must be the uuid of a card"})
    outcome = fields.String(
        required=True,
        validate=validate.OneOf((ACCEPTED, OVERRIDDEN), error="must be accepted or overridden"),
    )
    acceptedSuggestions = fields.List(
        fields.Nested(AcceptedSchema), metadata=a.said("What was taken of it; needed where it is accepted.")
    )
    overrideReason = fields.Nested(OverrideReasonSchema)
    outcomeTimestamp = Moment(required=True, metadata={"type": "string", "format": "date-time"})

    @validates_schema
    def _suggestions_are_named(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("outcome") == ACCEPTED and not data.get("acceptedSuggestions"):
            raise ValidationError("Missing data for required field.", "acceptedSuggestions")


class FeedbacksSchema(_Lenient):
    """What was done about cards, one after the other."""

    feedback = fields.List(
        fields.Nested(FeedbackSchema),
        required=True,
        validate=validate.Length(1, 1000, error="must have 1 to 1,000 entries"),
    )


# From a document to a call.


def call_of(document: Any) -> Call:
    """The call that a document makes. Raises BadInput naming every bad field at its path."""
    said = read_document(document, CallSchema())
    try:
        context = read_document(said["context"], CONTEXTS[said["hook"]])
    except BadInput as error:
        raise BadInput([_inside("context", each) for each in error.errors]) from None
    granted = said.get("fhirAuthorization")
    return Call(
        hook=said["hook"],
        instance=str(said["hookInstance"]),
        patient=context["patientId"],
        context={name: each for name, each in said["context"].items() if isinstance(each, str)},
        prefetch=said.get("prefetch", {}),
        drafts=tuple(entries(context.get("draftOrders", {}), "context.draftOrders")),
        chosen=_chosen(context),
        starts=tuple(_starts(context.get("appointments", {}))),
        grant=Grant(said["fhirServer"], granted["access_token"]) if granted else None,
        server=said.get("fhirServer"),
    )


def _inside(path: str, error: FieldError) -> FieldError:
    return FieldError(f"{path}.{error.path}".rstrip("."), error.message)


def _chosen(context: dict[str, Any]) -> frozenset[str] | None:
    chosen = context.get("selections", context.get("dispatchedOrders"))
    if chosen is None:
        return None
    known = ("/".join(found) if (found := target(each)) else each for each in chosen)
    return frozenset({*chosen, *known})


def _starts(appointments: Resource) -> Iterator[str]:
    for each in entries(appointments, "context.appointments"):
        start = text(each.resource.get("start"))
        if type_of(each.resource) == "Appointment" and start is not None:
            yield start


def told_of(document: Any) -> list[Told]:
    """What a document tells of cards. Raises BadInput naming every bad field at its path."""
    said = read_document(document, FeedbacksSchema())
    return [_told(each) for each in said["feedback"]]


def _told(said: dict[str, Any]) -> Told:
    why = said.get("overrideReason", {})
    reason = why.get("reason", {name: why[name] for name in ("code", "system") if name in why})
    return Told(
        card=str(said["card"]),
        outcome=said["outcome"],
        at=said["outcomeTimestamp"],
        suggestions=tuple(each["id"] for each in said.get("acceptedSuggestions", ())),
        reason=reason if "code" in reason else None,
        comment=why.get("userComment"),
    )
