"""Every operation of the OpenAPI document and of CDS Hooks, asked by who may: no failure, no surprise.

A few examples of each in an ordinary run; as many as DOSEGATE_FUZZ says with `make fuzz`.
"""

import json
import os
import random
import uuid

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from service.access.roles import ROLES, SCOPES, Permission, Role
from service.ehr.hooks import SERVICE
from service.web.guard import COOKIE
from service.webhooks.signing import signed
from tests.access.test_guard import with_key
from tests.api.sending import a_request, post
from tests.ehr.calls import an_ehr, order_sign
from tests.people import BROWSER, an_account
from tests.webhooks.incoming.an_ehr import Ehr

pytestmark = pytest.mark.any_database
DOCUMENT = "/api/v1/openapi.json"
EXAMPLES = int(os.environ.get("DOSEGATE_FUZZ", "4"))


class Callers:
    """Shows for each operation who may ask, anew each time: a token is good once, a session can end."""

    def __init__(self, app, act):
        self.app, self.act = app, act
        self.key = with_key(app, act, SCOPES).environ_base["HTTP_AUTHORIZATION"]
        self.ehr, self.sender = an_ehr(app, act), Ehr(app, app.extensions["dosegate"].clock)
        self.people = {role: an_account(app, role) for role in Role}

    def shown(self, needs, case):
        """The headers and the cookies of one who may."""
        if needs == "ehr":
            return {"Authorization": self.ehr.token(case.formatted_path)}, {}
        if needs == "sender":
            body = case.body if isinstance(case.body, bytes) else json.dumps(case.body, default=str).encode()
            id, now = f"msg_{uuid.uuid4().hex}", self.app.extensions["dosegate"].clock()
            return signed([self.sender.secret], id, now, body), {}
        if needs in {scope.value for scope in SCOPES}:
            return {"Authorization": self.key}, {}
        if needs == "public":
            return {}, {}
        roles = ROLES.get(Permission(needs), set(Role)) if needs != "session" else set(Role)
        account = self.people[Role.PRESCRIBER if Role.PRESCRIBER in roles else min(roles)]
        token = self.app.extensions["dosegate"].sessions.begin(account, self.act)
        return {"Sec-Fetch-Site": BROWSER["HTTP_SEC_FETCH_SITE"]}, {COOKIE: token}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_operation_answers_whatever_is_sent_as_it_is_documented(app, act, mode):
    callers = Callers(app, act)
    machine = app.test_client()
    machine.environ_base["HTTP_AUTHORIZATION"] = callers.key
    id = post(machine, a_request()).json["id"]
    schema = schemathesis.openapi.from_wsgi(DOCUMENT, app)
    schema.config.generation.update(with_security_parameters=False)
    asked = 0
    for each in schema.get_all_operations():
        asked += ask(each.ok(), mode, callers, id)
    assert asked >= 30


def ask(operation, mode, callers, id):
    """Send generated requests to one operation; whether there was anything to be generated."""
    needs = operation.definition.raw["x-needs"]

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        derandomize=EXAMPLES < 10,
        database=None,
        deadline=None,
        suppress_health_check=HealthCheck,
    )
    def send(case):
        if "-" in str(case.path_parameters.get("checklist_id", "")):
            case.path_parameters["checklist_id"] = id
        if "service_id" in case.path_parameters and len(case.path_parameters["service_id"]) % 8:
            case.path_parameters["service_id"] = SERVICE
        headers, cookies = callers.shown(needs, case)
        # No schema says what may still be done: a request that fits may be refused. Who is let in without
        # a key is tested elsewhere.
        case.call_and_validate(
            headers=headers, cookies=cookies, excluded_checks=[positive_data_acceptance, ignored_auth]
        )

    try:
        send()
    except Unsatisfiable:  # nothing of it can be wrong
        return False
    return True


def mutated(value, chance):
    """A document with something else in some of its places."""
    junk = (
        None,
        "",
        [],
        {},
        0,
        -1,
        1e20,
        True,
        "x" * 3000,
        [[]],
        "2026-13-01",
        "<b>",
        "\u202e",
        {"reference": 1},
    )
    if chance.random() < 0.04:
        return chance.choice(junk)
    if isinstance(value, dict):
        return {name: mutated(each, chance) for name, each in value.items() if chance.random() > 0.02}
    if isinstance(value, list):
        return [mutated(each, chance) for each in value] * chance.choice((1, 1, 1, 2))
    return value


def test_a_call_with_anything_in_any_place_is_answered(app, act):
    ehr = an_ehr(app, act)
    for seed in range(5 * EXAMPLES):
        chance = random.Random(seed)
        body = mutated(order_sign(), chance)
        response = ehr.call(body)
        assert response.status_code in (200, 400, 412, 422), (seed, response.status_code, response.text)
        if response.status_code == 200:
            assert all(
                card["indicator"] in ("info", "warning", "critical") for card in response.json["cards"]
            )
