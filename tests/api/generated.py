"""Requests generated from the OpenAPI document, sent by somebody who is signed in."""

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from service.web.guard import COOKIE
from tests.api.sending import CHECKLISTS
from tests.people import BROWSER, signed_in

DOCUMENT = "/api/v1/openapi.json"
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
# Those that end the session come last.
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


def answer_as_documented(app, labels, mode, id=None, role="prescriber"):
    """Hold each answer to somebody against the document; `id` is one that there is, used for most."""
    client = signed_in(app, role)
    cookies = {COOKIE: client.get_cookie(COOKIE).value}
    headers = {"Sec-Fetch-Site": BROWSER["HTTP_SEC_FETCH_SITE"]}
    schema = schemathesis.openapi.from_wsgi(DOCUMENT, app)
    schema.config.generation.update(with_security_parameters=False)
    operations = {each.ok().label: each.ok() for each in schema.get_all_operations()}
    for label in labels:

        @given(case=operations[label].as_strategy(generation_mode=mode))
        @settings(
            max_examples=6, derandomize=True, database=None, deadline=None, suppress_health_check=HealthCheck
        )
        def send(case):
            if id is not None and "-" in str(case.path_parameters.get("checklist_id", "")):
                case.path_parameters["checklist_id"] = id
            # No schema can say what may still be done: a request that fits it may be refused. And it is
            # tested elsewhere who is let in.
            case.call_and_validate(
                headers=headers, cookies=cookies, excluded_checks=[positive_data_acceptance, ignored_auth]
            )

        send()
