"""What is refused, and how it is said: one message for each bad field, at its path."""

import io
import tracemalloc

import pytest

from service.intake.json_text import MOST_BYTES
from tests.api.sending import CHECKLISTS, JSON, a_request, body_of, is_problem, paths, post

pytestmark = pytest.mark.any_database


def with_facts(**facts):
    return a_request(with_=facts)


@pytest.mark.parametrize(
    ("document", "wrong"),
    [
        ({}, ["drug", "facts", "infusion_at", "patient"]),
        ([], [""]),
        (a_request(drug="inebilizumap"), ["drug"]),
        (a_request(drug=7), ["drug"]),
        (a_request(region="CH"), ["region"]),
        (a_request(infusion_at="2026-10-06T13:00:00"), ["infusion_at"]),
        (a_request(infusion_at="2026-10-06"), ["infusion_at"]),
        (a_request(patient={}), ["patient.id"]),
        (a_request(patient={"id": "1", "name": "x"}), ["patient.name"]),
        (a_request(patient="1"), ["patient"]),
        (a_request(facts=[]), ["facts"]),
        (a_request(fatcs={}), ["fatcs"]),
        (with_facts(hbsaag="negative"), ["facts.hbsaag"]),
        (with_facts(dose_number="1"), ["facts.dose_number"]),
        (with_facts(dose_number=1.0), ["facts.dose_number"]),
        (with_facts(dose_number=True), ["facts.dose_number"]),
        (with_facts(pregnant=False), ["facts.pregnant"]),
        (with_facts(pregnant="No"), ["facts.pregnant"]),
        (with_facts(sex="m"), ["facts.sex"]),
        (with_facts(birth_date="1979-02-30"), ["facts.birth_date"]),
        (with_facts(temperature=36.8), ["facts.temperature.unit"]),
        (with_facts(temperature={"value": 36.8, "unit": "mg"}), ["facts.temperature.unit"]),
        (with_facts(temperature={"value": 368, "unit": "Cel"}), ["facts.temperature"]),
        (with_facts(vaccinations=[{"cvx": "99999"}]), ["facts.vaccinations[0].cvx"]),
        (with_facts(sex="m", pregnant="maybe"), ["facts.pregnant", "facts.sex"]),
    ],
)
def test_a_bad_field_is_named_by_its_path(client, document, wrong):
    response = post(client, document)
    assert is_problem(response, 422)
    assert paths(response) == wrong


def test_a_look_alike_name_is_refused_with_its_near_matches_and_never_corrected(client):
    response = post(client, a_request(drug="inebilizumap"))
    assert "inebilizumab" in response.json["errors"][0]["message"]


@pytest.mark.parametrize(
    "body", [b"", b"   ", b"{", b'{"drug": }', b"{'drug': 1}", b"\xff\xfe{}", b"nul", b"{} {}"]
)
def test_a_body_that_is_no_json_is_a_bad_request(client, body):
    response = post(client, body)
    assert is_problem(response, 400)
    assert response.json["errors"][0]["path"] == ""


@pytest.mark.parametrize(
    "body",
    [
        b'{"drug": "a", "drug": "b"}',
        b'{"facts": {"igg": NaN}}',
        b'{"facts": {"igg": -Infinity}}',
        b'{"facts": {"igg": 1e999}}',
        b'{"facts": {"igg": ' + b"9" * 5000 + b"}}",
        b"[" * 100_000 + b"]" * 100_000,
    ],
    ids=["duplicate key", "NaN", "infinity", "huge exponent", "too many digits", "deep nesting"],
)
def test_json_that_is_not_strict_is_refused(client, body):
    assert is_problem(post(client, body), 422)


@pytest.mark.parametrize(
    "media", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonx"]
)
def test_a_body_of_another_type_is_refused(client, media):
    assert is_problem(client.post(CHECKLISTS, data=body_of(a_request()), content_type=media), 415)


def test_the_character_set_may_be_named(client):
    response = client.post(CHECKLISTS, data=body_of(a_request()), content_type=f"{JSON}; charset=utf-8")
    assert response.status_code == 201


def padded(size):
    body = body_of(a_request())
    return body + b" " * (size - len(body))


def test_a_body_at_the_limit_is_taken(client):
    assert post(client, padded(MOST_BYTES)).status_code == 201


def test_a_body_above_the_limit_is_refused(client):
    assert is_problem(post(client, padded(MOST_BYTES + 1)), 413)
    assert is_problem(post(client, padded(MOST_BYTES * 4)), 413)


@pytest.mark.parametrize(
    ("size", "status"), [(MOST_BYTES, 201), (MOST_BYTES + 1, 413), (MOST_BYTES * 4, 413)]
)
def test_the_limit_holds_for_a_body_without_a_length(client, size, status):
    environ = {"wsgi.input_terminated": True}
    stream = io.BytesIO(padded(size))
    response = client.post(CHECKLISTS, input_stream=stream, content_type=JSON, environ_overrides=environ)
    assert response.status_code == status


def test_a_deep_request_of_bad_texts_takes_little_memory_and_gets_short_paths(client):
    deep = b'{"' + b"k" * 60 + b'":'
    body = deep * 300 + b"[" + b",".join([rb'"\u0000"'] * 20_000) + b"]" + b"}" * 300
    tracemalloc.start()
    try:
        refused = post(client, body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert is_problem(refused, 422)
    assert all(len(path) <= 200 for path in paths(refused))
    assert len(paths(refused)) <= 100
    assert peak < 40 * MOST_BYTES


def test_of_very_many_bad_texts_the_first_hundred_are_named(client):
    refused = post(client, {"x": ["\0"] * 300})
    assert paths(refused)[0] == "x.0"
    assert len(paths(refused)) == 100


def test_nothing_is_recorded_of_a_refused_request(client, sql):
    post(client, a_request(drug="nothing"))
    post(client, b"{")
    assert sql("SELECT count(*) FROM checklists") == [(0,)]
