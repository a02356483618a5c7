"""Finding checklists over HTTP: who may, what is refused and how, and that no address holds a patient."""

import json

from marshmallow import RAISE

from service.access.roles import Permission
from service.api.finding_schemas import HitsSchema
from tests.api.sending import CHECKLISTS, JSON, a_request, is_problem, paths, post

SEARCH = f"{CHECKLISTS}/search"


def find(client, **asked):
    return client.post(SEARCH, data=json.dumps(asked), content_type=JSON)


def test_a_checklist_that_was_made_is_found_as_documented(client):
    made = post(client, a_request(without=["hbsag"])).json
    post(client, a_request(patient={"id": "MRN-2"}))
    found = find(client, patient="MRN-1001", drug="UPLIZNA", rule="hbv-active", outcome="none")

    assert HitsSchema(unknown=RAISE).validate(found.json) == {}
    [hit] = found.json["checklists"]
    assert (hit["id"], hit["status"], hit["infusion_at"]) == (made["id"], "block", made["infusion_at"])
    assert {"rule": "hbv-active", "check": "hepatitis_b", "verdict": "undecided", "status": "block"} in hit[
        "flags"
    ]
    assert found.json["cursor"] is None


def test_pages_follow_each_other(client):
    ids = {post(client).json["id"] for _ in range(3)}
    first = find(client, limit=2).json
    second = find(client, limit=2, cursor=first["cursor"]).json
    assert {hit["id"] for hit in first["checklists"] + second["checklists"]} == ids
    assert second["cursor"] is None
    assert paths(find(client, limit=2, cursor=first["cursor"], drug="inebilizumab")) == ["cursor"]
