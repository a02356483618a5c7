"""What the service knows: the drugs it has rules for, and the facts it asks about."""

from flask import Response

from service.access.roles import Permission
from service.api.documentation import Answers, Section
from service.api.drug_schemas import DrugSchema, DrugsSchema, VocabularySchema
from service.web.drug_documents import drug_document, drug_summary, vocabulary_document
from service.web.errors import NoSuchDrug
from service.web.parts import parts
from service.web.responses import as_json

section = Section("knowledge", __doc__, "/api/v1")


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
    library = parts().library
    if drug_id not in library.packs:
        raise NoSuchDrug
    return as_json(drug_document(library.packs[drug_id], library))


@section.endpoint(
    "/facts", Answers(200, "The vocabulary.", VocabularySchema), needs=Permission.KNOWLEDGE_READ
)
def list_facts() -> Response:
    """List every fact that a request may give, with its type, units, limits and question."""
    return as_json(vocabulary_document(parts().library.vocabulary))
