"""No text that a database cannot keep gets as far as one: it is bad input, named by its path."""

import json
import re

import pytest

from service.access.roles import ROLES, Permission
from service.web.guard import A_SENDER, AN_EHR
from tests.api.sending import CHECKLISTS, a_request, is_problem, paths, post
from tests.people import PIN, signed_in

BAD = ("a\0b", "a\ud800b")
SOME_ID = "0123456789ab"


def documented(app):
    return app.test_client().get("/api/v1/openapi.json").json


def somebody_for(app, needs):
    role = next(iter(sorted(ROLES[Permission(needs)]))) if needs in set(Permission) else "nurse"
    return signed_in(app, role)


def texts_of(schema, document, path=()):
    """The path of every text that a body of this schema may hold."""
    schema = resolved(schema, document)
    if "anyOf" in schema or "oneOf" in schema or "allOf" in schema:
        for each in (part for name in ("anyOf", "oneOf", "allOf") for part in schema.get(name, ())):
            yield from texts_of(each, document, path)
    if "string" in str(schema.get("type")):
        yield path
    if "items" in schema:
        yield from texts_of(schema["items"], document, (*path, 0))
    for name, each in schema.get("properties", {}).items():
        yield from texts_of(each, document, (*path, name))
    if schema.get("type") == "object" and not schema.get("properties"):
        yield (*path, "anything")


def resolved(schema, document):
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def holding(path, text):
    """A document with a text at one path."""
    for key in reversed(path):
        text = [text] if key == 0 else {key: text}
    return text


SIGNED = {AN_EHR.value, A_SENDER.value}  # who asks is not a person or a key, and shows it by a signature


def bodies(document):
    """Every operation that takes JSON: its method and address, what it needs, and the schema of its body."""
    for address, item in document["paths"].items():
        for method, operation in item.items():
            content = operation.get("requestBody", {}).get("content", {}) if method != "parameters" else {}
            if "application/json" in content and operation["x-needs"] not in SIGNED:
                yield method, address, operation["x-needs"], content["application/json"]["schema"]


def test_a_text_that_cannot_be_kept_is_refused_by_its_path_in_every_field_of_every_body(app, clock):
    document = documented(app)
    id, tried = post(somebody_for(app, "checklist:make"), a_request()).json["id"], set()
    clients = {}
    for method, address, needs, schema in bodies(document):
        client = clients.setdefault(needs, somebody_for(app, needs))
        known = re.sub(r"{[a-z]+_id}", id, address)
        for path in {*texts_of(schema, document), ("nothing of the schema",)}:
            for text in BAD:
                response = client.open(
                    re.sub(r"{[a-z_]+}", SOME_ID, known),
                    method=method.upper(),
                    data=json.dumps(holding(path, text)),
                    content_type="application/json",
                )
                assert is_problem(response, 422), (method, address, path)
                assert paths(response) == [".".join(map(str, path))]
                tried.add((method, address, path))
    assert ("post", "/api/v1/session", ("name",)) in tried
    assert ("post", CHECKLISTS, ("patient", "id")) in tried
    assert len(tried) > 40


@pytest.mark.any_database
def test_a_key_that_cannot_be_kept_is_refused_by_the_path_of_its_object(app):
    response = post(somebody_for(app, "checklist:make"), a_request(with_={"a\0b": 1, "c": ["\0"]}))
    assert is_problem(response, 422)
    assert paths(response) == ["facts", "facts.c.0"]


def test_no_address_that_no_text_can_be_makes_the_service_fail(app):
    for address, item in documented(app)["paths"].items():
        for method, operation in item.items() if "{" in address else ():
            for bad in ("a%00b", "%ED%A0%80x") if method != "parameters" else ():
                body = {"secret": PIN, "full_name": "N"} if method in ("post", "patch", "put") else None
                asked = re.sub(r"{[a-z_]+}", bad, address)
                response = somebody_for(app, operation["x-needs"]).open(
                    asked, method=method.upper(), json=body
                )
                assert 400 <= response.status_code < 500, (method, address, response.json)


def test_a_text_that_cannot_be_kept_is_refused_in_every_question(app):
    id, tried = post(somebody_for(app, "checklist:make"), a_request()).json["id"], set()
    for address, item in documented(app)["paths"].items():
        needs = item.get("get", {"x-needs": "public"})["x-needs"]
        for parameter in item.get("parameters", []):
            if parameter.get("in") == "query" and needs not in {"public", *SIGNED}:
                client = somebody_for(app, needs)
                asked = re.sub(r"{[a-z]+_id}", id, address.replace("{drug_id}", "inebilizumab"))
                response = client.get(asked, query_string={parameter["name"]: "a\0b"})
                assert is_problem(response, 422), (address, parameter)
                assert paths(response) == [parameter["name"]]
                tried.add(parameter["name"])
    assert {"actor", "subject", "drug", "contents"} <= tried
