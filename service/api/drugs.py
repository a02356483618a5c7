"""What the service knows: the drugs it has rules for, and the facts it asks about."""

from flask import Response

from service.access.roles import Permission
from service.api.bodies import query_received
from service.api.documentation import Answers, Section, parameter
from service.api.drug_schemas import (
    DrugSchema,
    DrugsSchema,
    SourceAttributesFormatSchema,
    SourceAttributesSchema,
    VocabularySchema,
)
from service.checklist.rules import Pack
from service.web.drug_documents import drug_document, drug_summary, vocabulary_document
from service.web.errors import NoSuchDrug
from service.web.parts import parts
from service.web.responses import CSV, as_json
from service.web.source_attributes import source_attributes_csv, source_attributes_document

section = Section("knowledge", __doc__, "/api/v1")
_FORMAT = parameter(
    "_format", {"type": "string", "enum": ["json", "csv"], "default": "json"}, "csv for a line for each rule."
)


@section.endpoint(
    "/drugs", Answers(200, "Every drug that has a pack.", DrugsSchema), needs=Permission.KNOWLEDGE_READ
)
def list_drugs() -> Response:
    """List the drugs that have rules here."""
    return as_json({"drugs": [drug_summary(pack) for pack in parts().library.packs.values()]})


@section.endpoint(
    "/drugs/<drug_id>",
    Answers(200, "The whole pack, its rules in words.", DrugSchema),
    needs=Permission.KNOWLEDGE_READ,
    problems=(404,),
)
def read_drug(drug_id: str) -> Response:
    """Read the checks, rules and sources of one drug, by the id of its pack."""
    return as_json(drug_document(_pack(drug_id), parts().library))


@section.endpoint(
    "/drugs/<drug_id>/source-attributes",
    Answers(200, "Every rule with its thirteen attributes.", SourceAttributesSchema),
    needs=Permission.KNOWLEDGE_READ,
    problems=(404, 422),
    parameters=(_FORMAT,),
    responses={200: {"content": {CSV: {"schema": {"type": "string"}}}}},
)
def read_source_attributes(drug_id: str) -> Response:
    """Read the source attributes of every rule of a drug, as US rules ask of decision support.

    They are those of 45 CFR 170.315(b)(11)(iv)(A). Which kinds of personal data a rule uses is computed from
    the facts that it reads. As csv, what a spreadsheet would run stands behind an apostrophe.
    """
    pack = _pack(drug_id)
    if query_received(SourceAttributesFormatSchema())["form"] == "json":
        return as_json(source_attributes_document(pack))
    response = Response(source_attributes_csv(pack), mimetype=CSV)
    name = f"source-attributes-{pack.id}-{pack.version}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@section.endpoint(
    "/facts", Answers(200, "The vocabulary.", VocabularySchema), needs=Permission.KNOWLEDGE_READ
)
def list_facts() -> Response:
    """List every fact that a request may give, with its type, units, limits and question."""
    return as_json(vocabulary_document(parts().library.vocabulary))


def _pack(drug_id: str) -> Pack:
    """The pack with this id. Raises NoSuchDrug."""
    pack = parts().library.packs.get(drug_id)
    if pack is None:
        raise NoSuchDrug
    return pack
