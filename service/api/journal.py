"""The journal: who did what. Auditors read it, take it out, and hold its checkpoints."""

from flask import Response
from marshmallow import Schema, fields, validate

from service.access.roles import Permission
from service.api import described as a
from service.api.bodies import query_received
from service.api.documentation import Answers, Section, parameter
from service.records import export as taking_out
from service.records.journal import Event
from service.records.pages import MOST_ENTRIES, USUAL_ENTRIES, page
from service.web.guard import check_may
from service.web.parts import act, parts
from service.web.responses import CSV, NDJSON, as_json

_LONGEST = 200
section = Section("journal", __doc__, "/api/v1/journal")


class AskedSchema(Schema):
    """Which entries are wanted."""

    after = fields.Integer(load_default=0, validate=validate.Range(0, 2**31 - 1))
    limit = fields.Integer(load_default=USUAL_ENTRIES, validate=validate.Range(1, MOST_ENTRIES))
    event = fields.String(validate=validate.OneOf([event.value for event in Event]))
    actor = fields.String(validate=validate.Length(1, _LONGEST))
    subject = fields.String(validate=validate.Length(1, _LONGEST))


class ExportAskedSchema(Schema):
    """How the journal is taken out."""

    format = fields.String(load_default="ndjson", validate=validate.OneOf(list(taking_out.Form)))
    contents = fields.String(load_default="no", validate=validate.OneOf(["yes", "no"]))


class EntrySchema(Schema):
    """One entry. Its digest is SHA-256 over its RFC 8785 JSON without the digest."""

    site = a.text()
    sequence = a.number()
    at = a.moment()
    event = a.text()
    actor = a.text(metadata=a.said("user:NAME, key:PREFIX, cli:NAME or service."))
    role = a.text()
    subject = a.text()
    request = a.text()
    details = fields.Dict(keys=fields.String(), required=True)
    commitments = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    previous = a.text(metadata=a.said("The digest of the entry before."))
    digest = a.text()


class JournalSchema(Schema):
    """A page of entries, in their order."""

    entries = a.each(EntrySchema)
    after = fields.Integer(
        required=True, allow_none=True, metadata=a.said("Where the next page begins; null at the end.")
    )


class CheckpointSchema(Schema):
    """The state of the chain at one entry, signed (Ed25519) over its RFC 8785 JSON but the signature."""

    site = a.text()
    sequence = a.number()
    at = a.moment()
    digest = a.text()
    key = a.text(metadata=a.said("The id of the key: of SHA-256 over its 32 bytes, the first 16 hex digits."))
    signature = a.text(metadata=a.said("Base64."))


_EVENTS = {"type": "string", "enum": [event.value for event in Event]}
_NAME = {"type": "string", "minLength": 1, "maxLength": _LONGEST}
_ASKED, _EXPORT = AskedSchema(), ExportAskedSchema()


@section.endpoint(
    "",
    Answers(200, "A page of entries.", JournalSchema),
    needs=Permission.JOURNAL_READ,
    problems=(422,),
    parameters=(
        parameter(
            "after", {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}, "Begin behind this entry."
        ),
        parameter("limit", {"type": "integer", "minimum": 1, "maximum": MOST_ENTRIES}, "How many at most."),
        parameter("event", _EVENTS, "Only entries of this event."),
        parameter("actor", _NAME, "Only what this one did: user:NAME, key:PREFIX, cli:NAME or service."),
        parameter("subject", _NAME, "Only what was done to this, such as the id of a checklist."),
    ),
)
def read_journal() -> Response:
    """Read entries in their order. They hold no patient data. The reading is itself entered."""
    asked = query_received(_ASKED)
    after, limit = asked.pop("after"), asked.pop("limit")
    return as_json(page(parts().store.records, act(), asked, after, limit).document())


@section.endpoint(
    "/export",
    Answers(200, "The journal up to the entry of this export.", {"type": "string"}, {}, NDJSON),
    needs=Permission.JOURNAL_EXPORT,
    problems=(422,),
    parameters=(
        parameter(
            "format", {"type": "string", "enum": list(taking_out.Form)}, "ndjson to verify it, csv to read."
        ),
        parameter("contents", {"type": "string", "enum": ["yes", "no"]}, "With patient data or not."),
    ),
    responses={200: {"content": {CSV: {"schema": {"type": "string"}}}}},
)
def export_journal() -> Response:
    """Take the journal out, to verify it elsewhere.

    As ndjson it is what docs/verify_journal.py and `dosegate verify` read. With contents=yes it holds all
    that entries commit to, patient data among it, and checklist:export is needed too. As csv it is the
    entries for a spreadsheet. An export that breaks off has no last line with the head of the chain.
    """
    asked = query_received(_EXPORT)
    form, openings = taking_out.Form(asked["format"]), asked["contents"] == "yes"
    if openings:
        check_may(Permission.CHECKLIST_EXPORT)
    lines = taking_out.export(parts().store.records, form, act(), openings=openings)
    response = Response(lines, mimetype=CSV if form is taking_out.Form.CSV else NDJSON)
    response.headers["Content-Disposition"] = f'attachment; filename="journal.{form}"'
    return response


@section.endpoint(
    "/checkpoint",
    Answers(200, "A checkpoint of the journal as it is now.", CheckpointSchema),
    needs=Permission.JOURNAL_READ,
)
def read_checkpoint() -> Response:
    """Read a signed checkpoint, to hold it elsewhere.

    Whoever holds it can show later that nothing up to its entry was altered or cut off.
    """
    return as_json(taking_out.checkpoint(parts().store.records, act()))
