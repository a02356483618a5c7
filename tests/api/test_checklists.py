"""A checklist over HTTP (public contract, section 3)."""

import json
import threading
import uuid

import pytest

from service.intake.answers import answer_to
from tests.api.conftest import NOW
from tests.api.sending import CHECKLISTS, JSON, a_request, body_of, is_problem, paths, post, sample
from tests.builders import checklist_for


def test_a_clear_patient_gets_a_pass_and_its_address(client):
    response = post(client)

    assert response.status_code == 201
    assert response.content_type == JSON
    assert response.json["status"] == "pass"
    assert response.headers["Location"] == f"{CHECKLISTS}/{response.json['id']}"


@pytest.mark.any_database
def test_the_result_has_every_part_of_the_contract(client):
    result = post(client, a_request(without=["anti_hbc_total"])).json

    assert set(result) >= {
        *("id", "status", "drug", "region", "infusion_at", "evaluated_at", "pack", "policy"),
        *("findings", "eligible_from", "needs", "observation"),
    }
    assert result["status"] == "block"
    assert result["needs"] == ["anti_hbc_total"]
    assert result["evaluated_at"] == NOW.isoformat()
    assert str(uuid.UUID(result["id"])) == result["id"]


@pytest.mark.any_database
def test_every_check_of_the_pack_is_answered(client):
    checks = {check["check"] for check in client.get("/api/v1/drugs/inebilizumab").json["checks"]}
    assert {finding["check"] for finding in post(client).json["findings"]} == checks


@pytest.mark.any_database
def test_the_answer_is_the_one_that_the_core_gives(client):
    document = a_request(without=["hbsag"])
    found = [
        (finding["check"], finding["status"], finding["rule"])
        for finding in post(client, document).json["findings"]
    ]
    expected = checklist_for(json.loads(body_of(document)))
    assert found == [(each.check, each.status.word, each.rule) for each in expected.findings]


def test_the_result_is_read_again_byte_for_byte(client):
    first = post(client)
    again = client.get(first.headers["Location"])
    assert (again.status_code, again.data) == (200, first.data)


def test_the_result_is_still_there_after_a_restart(client, new_client):
    first = post(client)
    assert new_client().get(first.headers["Location"]).data == first.data


@pytest.mark.any_database
def test_the_trace_holds_every_rule_whether_it_fired_or_not(client):
    trace = client.get(post(client).headers["Location"] + "/trace").json
    drug = client.get("/api/v1/drugs/inebilizumab").json

    traced = {rule["rule"] for check in trace["checks"] for rule in check["rules"]}
    assert traced == {rule["rule"] for check in drug["checks"] for rule in check["rules"]}
    assert trace["fault"] is None


@pytest.mark.any_database
@pytest.mark.parametrize("name", ["Uplizna", "UPLIZNA", "inebilizumab-cdon"])
def test_a_brand_or_an_alias_names_the_drug_in_any_case(client, name):
    assert post(client, a_request(drug=name)).json["drug"] == "inebilizumab"


@pytest.mark.any_database
def test_the_region_defaults_to_the_sites(client):
    document = a_request()
    del document["region"]
    assert post(client, document).json["region"] == "US"


@pytest.mark.any_database
def test_an_engine_that_fails_holds_the_infusion_and_is_no_error(client, monkeypatch):
    def fail(self, values):
        raise RuntimeError("broken")

    monkeypatch.setattr("service.checklist.engine.Engine.decide", fail)
    response = post(client)

    assert response.status_code == 201
    assert response.json["status"] == "block"
    assert {finding["kind"] for finding in response.json["findings"]} == {"engine"}
    assert client.get(response.headers["Location"] + "/trace").json["fault"]
    assert sample(client, "engine_faults_total") == 1


@pytest.mark.any_database
@pytest.mark.parametrize("part", ["", "/trace"])
@pytest.mark.parametrize("id", ["7c9e6679-7425-40de-944b-e07fc1f90ae7", "1", "x" * 300, "..%2f..", "0" * 36])
def test_an_unknown_id_is_not_found(client, id, part):
    assert is_problem(client.get(f"{CHECKLISTS}/{id}{part}"), 404)


@pytest.mark.any_database
def test_the_replay_of_an_unknown_id_is_not_found(client):
    assert is_problem(client.post(f"{CHECKLISTS}/{uuid.uuid4()}/replay"), 404)


# Replay


def test_a_replay_says_that_the_same_came_out_again(client):
    response = post(client)
    report = client.post(response.headers["Location"] + "/replay").json

    assert report["id"] == response.json["id"]
    assert report["identical"] is report["result_identical"] is report["trace_identical"] is True
    assert report["pack"] == response.json["pack"]["digest"]
    assert report["policy"] == response.json["policy"]["digest"]


@pytest.mark.any_database
def test_a_replay_finds_a_result_that_was_changed(client, unguarded):
    response = post(client)
    changed = response.data.replace(
        b'"status":"pass","title":"Inebilizumab"', b'"status":"warn","title":"Inebilizumab"'
    )
    unguarded("UPDATE contents SET result = ?", changed)

    report = client.post(response.headers["Location"] + "/replay").json
    assert report["identical"] is False
    assert report["first_difference"] == {
        "in": "result",
        "path": "status",
        "stored": "warn",
        "replayed": "pass",
    }


@pytest.mark.any_database
def test_a_record_whose_rules_were_changed_cannot_be_replayed(client, unguarded):
    address = post(client).headers["Location"]
    unguarded("UPDATE knowledge SET files = replace(files, 'Hold.', 'Go on.')")
    assert is_problem(client.post(f"{address}/replay"), 409)


def test_a_replay_records_nothing(client, sql):
    client.post(post(client).headers["Location"] + "/replay")
    assert sql("SELECT count(*) FROM checklists") == [(1,)]


# An idempotency key


def test_a_repeated_key_gives_the_first_result(client, sql):
    first = post(client, idempotency_key="visit-17")
    again = post(client, idempotency_key="visit-17")

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.data == first.data
    assert again.headers["Location"] == first.headers["Location"]
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert sql("SELECT count(*) FROM checklists") == [(1,)]


def test_without_a_key_each_request_is_a_checklist_of_its_own(client):
    assert post(client).json["id"] != post(client).json["id"]


def test_a_key_with_another_body_is_refused(client, sql):
    post(client, idempotency_key="visit-17")
    response = post(client, a_request(region="EU"), idempotency_key="visit-17")

    assert is_problem(response, 422)
    assert paths(response) == ["Idempotency-Key"]
    assert sql("SELECT count(*) FROM checklists") == [(1,)]


@pytest.mark.any_database
def test_a_refused_request_does_not_use_up_its_key(client):
    assert post(client, a_request(drug="nothing"), idempotency_key="visit-17").status_code == 422
    assert post(client, idempotency_key="visit-17").status_code == 201


@pytest.mark.any_database
@pytest.mark.parametrize("key", ["", "x" * 256, "with space", "tab\there", "é"])
def test_a_key_that_is_no_key_is_refused(client, key):
    response = post(client, idempotency_key=key)
    assert is_problem(response, 422)
    assert paths(response) == ["Idempotency-Key"]


@pytest.fixture
def at_once(client, monkeypatch):
    """Sends requests that are all past the look for an earlier key before any is recorded."""

    def send_all(bodies):
        barrier, responses = threading.Barrier(len(bodies), timeout=30), []

        def meet_and_answer(*args, **options):
            barrier.wait()
            return answer_to(*args, **options)

        def send(body):
            own = client.application.test_client()
            own.environ_base = client.environ_base
            responses.append(post(own, body, idempotency_key="visit-17"))

        monkeypatch.setattr("service.records.making.answer_to", meet_and_answer)
        threads = [threading.Thread(target=send, args=(body,)) for body in bodies]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
        return responses

    return send_all


def test_simultaneous_requests_with_one_key_give_one_checklist(at_once, sql):
    responses = at_once([body_of(a_request())] * 6)

    assert sorted(response.status_code for response in responses) == [200] * 5 + [201]
    assert len({response.data for response in responses}) == 1
    assert sql("SELECT count(*) FROM checklists") == [(1,)]


def test_of_simultaneous_requests_with_one_key_and_two_bodies_one_is_refused(at_once, sql):
    responses = at_once([body_of(a_request()), body_of(a_request(region="EU"))])

    assert sorted(response.status_code for response in responses) == [201, 422]
    assert sql("SELECT count(*) FROM checklists") == [(1,)]
