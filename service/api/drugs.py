"""What the service knows: the drugs it has rules for, and the facts it asks about."""

from flask import Response
from flask_smorest import Blueprint

from service.api.documentation import problem_responses
from service.api.documents import drug_document, drug_summary, vocabulary_document
from service.api.errors import NoSuchDrug
from service.api.parts import parts
from service.api.responses import as_json
from service.api.schemas import DrugSchema, DrugsSchema, VocabularySchema

blueprint = Blueprint("knowledge", __name__, url_prefix="/api/v1", description=__doc__)


@blueprint.route("/drugs")
@blueprint.response(200, DrugsSchema, description="Every drug that has a pack.")
def list_drugs() -> Response:
    """List the drugs that have rules here."""
    return as_json({"drugs": [drug_summary(pack) for pack in parts().library.packs.values()]})


@blueprint.route("/drugs/<drug_id>")
@blueprint.response(200, DrugSchema, description="The whole pack, its rules in words.")
@problem_responses(blueprint, 404)
def read_drug(drug_id: str) -> Response:
    """Read the checks, rules and sources of one drug, by the id of its pack."""
    library = parts().library
    if drug_id not in library.packs:
        raise NoSuchDrug
    return as_json(drug_document(library.packs[drug_id], library))


@blueprint.route("/facts")
@blueprint.response(200, VocabularySchema, description="The vocabulary.")
def list_facts() -> Response:
    """List every fact that a request may give, with its type, units, limits and question."""
    return as_json(vocabulary_document(parts().library.vocabulary))
