"""The OpenAPI document and its page."""

import re

import pytest
from marshmallow import RAISE
from openapi_spec_validator import OpenAPIV31SpecValidator

from service.api.drug_schemas import DrugSchema, DrugsSchema, VocabularySchema
from service.api.schemas import ChecklistSchema, ReplaySchema, StateSchema, TraceSchema
from tests.api.sending import CHECKLISTS, a_request, post
from tests.builders import scenario_file

DOCUMENT = "/api/v1/openapi.json"
METHODS = ("get", "put", "post", "patch", "delete")

# Every endpoint but those of people, visits and drafts.
ENDPOINTS = (
    f"POST {CHECKLISTS}",
    f"GET {CHECKLISTS}/{{checklist_id}}",
    f"GET {CHECKLISTS}/{{checklist_id}}/trace",
    f"POST {CHECKLISTS}/{{checklist_id}}/replay",
    f"POST {CHECKLISTS}/search",
    f"POST {CHECKLISTS}/export",
    "GET /api/v1/quality",
    "GET /api/v1/journal",
    "GET /api/v1/journal/export",
    "GET /api/v1/infusions",
    "POST /api/v1/infusions/search",
    "POST /api/v1/webhooks/infusions",
    "POST /api/v1/webhooks/senders",
    "POST /api/v1/webhooks/senders/{name}/rotate",
    "POST /api/v1/webhooks/senders/{name}/revoke",
    "POST /api/v1/webhooks/endpoints",
    "PATCH /api/v1/webhooks/endpoints/{endpoint_id}",
    "DELETE /api/v1/webhooks/endpoints/{endpoint_id}",
    "POST /api/v1/webhooks/endpoints/{endpoint_id}/rotate",
    "POST /api/v1/webhooks/endpoints/{endpoint_id}/pause",
    "POST /api/v1/webhooks/endpoints/{endpoint_id}/resume",
    "GET /api/v1/webhooks/deliveries",
    "POST /api/v1/webhooks/deliveries/{message}/replay",
    "POST /api/v1/webhooks/deliveries/replay",
    "GET /api/v1/drugs/{drug_id}/source-attributes",
    "GET /api/v1/webhooks/endpoints",
    "GET /api/v1/webhooks/senders",
    "GET /api/v1/journal/checkpoint",
    "GET /api/v1/drugs",
    "GET /api/v1/drugs/{drug_id}",
    "GET /api/v1/facts",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "GET /api/v1/session/oidc",
    "GET /api/v1/session/oidc/callback",
)
VISITS = (
    f"POST {CHECKLISTS}/{{checklist_id}}/acknowledgements",
    f"POST {CHECKLISTS}/{{checklist_id}}/overrides",
    f"POST {CHECKLISTS}/{{checklist_id}}/attestations",
    f"GET {CHECKLISTS}/{{checklist_id}}/double-check",
    f"POST {CHECKLISTS}/{{checklist_id}}/double-check",
    f"POST {CHECKLISTS}/{{checklist_id}}/outcomes",
    f"GET {CHECKLISTS}/{{checklist_id}}/record",
)
DRAFTS = (
    "PUT /api/v1/drafts/{draft_id}",
    "GET /api/v1/drafts/{draft_id}",
    "DELETE /api/v1/drafts/{draft_id}",
    "POST /api/v1/drafts/search",
)
PEOPLE = (
    "GET /api/v1/accounts",
    "POST /api/v1/accounts",
    "PATCH /api/v1/accounts/{name}",
    "GET /api/v1/keys",
    "POST /api/v1/keys",
    "POST /api/v1/keys/{prefix}/revoke",
    "GET /api/v1/ehr-clients",
    "POST /api/v1/ehr-clients",
    "POST /api/v1/ehr-clients/{name}/revoke",
    "POST /api/v1/session",
    "GET /api/v1/session",
    "POST /api/v1/account/pin",
    "POST /api/v1/account/password",
    "POST /api/v1/session/unlock",
    "DELETE /api/v1/session",
)
CDS_HOOKS = (
    "GET /cds-services",
    "POST /cds-services/{service_id}",
    "POST /cds-services/{service_id}/feedback",
)


pytestmark = pytest.mark.any_database


@pytest.fixture
def documented(client):
    return client.get(DOCUMENT).json


def test_the_document_is_valid(documented):
    assert documented["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(documented).validate()


def test_every_endpoint_of_the_contract_is_documented(documented):
    operations = {
        f"{method.upper()} {path}"
        for path, item in documented["paths"].items()
        for method in item
        if method in METHODS
    }
    assert operations == {*ENDPOINTS, *VISITS, *DRAFTS, *PEOPLE, *CDS_HOOKS}


def test_every_documented_error_is_a_problem(documented):
    for item in documented["paths"].values():
        for operation in (item[method] for method in item if method in METHODS):
            for status, response in operation["responses"].items():
                if int(status) == 401 and operation["x-needs"] in ("ehr", "sender"):
                    assert "content" not in response
                elif operation["x-needs"] == "ehr" and int(status) >= 400:
                    [(media, content)] = response["content"].items()
                    assert media == "application/json"
                    assert content["schema"] == {"$ref": "#/components/schemas/OperationOutcome"}
                elif int(status) >= 400:
                    [(media, content)] = response["content"].items()
                    assert media == "application/problem+json"
                    assert content["schema"] == {"$ref": "#/components/schemas/Problem"}


def test_the_documented_example_is_a_request_that_is_answered(client, documented):
    body = documented["paths"][CHECKLISTS]["post"]["requestBody"]["content"]["application/json"]
    assert post(client, body["example"]).status_code == 201


# What is sent is made elsewhere than what is documented: here the one is held against the other.


@pytest.mark.parametrize("drug", ["ibalizumab", "inebilizumab", "inotuzumab_ozogamicin"])
@pytest.mark.parametrize("facts", ["all", "none"])
def test_results_traces_and_replays_are_as_documented(client, drug, facts):
    patient = next(iter(scenario_file(drug)["patients"].values()))
    changes = {"facts": patient["facts"] if facts == "all" else {}, "infusion_at": patient["infusion_at"]}
    response = post(client, a_request(drug=drug, **changes))
    address = response.headers["Location"]

    assert ChecklistSchema(unknown=RAISE).validate(response.json) == {}
    assert TraceSchema(unknown=RAISE).validate(client.get(f"{address}/trace").json) == {}
    assert ReplaySchema(unknown=RAISE).validate(client.post(f"{address}/replay").json) == {}


@pytest.mark.parametrize(
    ("address", "schema"),
    [
        ("/api/v1/drugs", DrugsSchema),
        ("/api/v1/drugs/ibalizumab", DrugSchema),
        ("/api/v1/drugs/inebilizumab", DrugSchema),
        ("/api/v1/drugs/inotuzumab_ozogamicin", DrugSchema),
        ("/api/v1/facts", VocabularySchema),
        ("/healthz", StateSchema),
        ("/readyz", StateSchema),
    ],
)
def test_what_the_service_knows_is_as_documented(client, address, schema):
    assert schema(unknown=RAISE).validate(client.get(address).json) == {}


# The page


def test_the_page_loads_its_own_files_only(client):
    with client.get("/api/v1/docs") as page:
        named = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        policy = page.headers["Content-Security-Policy"]
    assert named
    for address in named:
        assert address.startswith("/api/v1/")
        with client.get(address) as response:
            assert response.status_code == 200
    assert "unsafe-inline" not in policy
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy


def test_the_page_holds_no_script_of_its_own_and_asks_no_validator(client):
    with client.get("/api/v1/docs") as page, client.get("/api/v1/static/docs.js") as script:
        assert re.findall(r"<script(?![^>]*\bsrc=)", page.text) == []
        assert not re.search(r"\son\w+=|\sstyle=", page.text)
        assert "validatorUrl: null" in script.text


@pytest.mark.parametrize("name", ["../checklists.py", "..%2fchecklists.py", "docs/../../schemas.py"])
def test_no_other_file_is_served(client, name):
    assert client.get(f"/api/v1/static/{name}").status_code == 404
