"""Bodies that are meant to hurt: nested without end, packed, of a million fields, of numbers without end."""

import base64
import gzip
import json
import re
import time
from datetime import UTC, datetime

import pytest
import requests

from service.access.oidc import OidcClient
from service.access.provider import Client, Provider, ProviderUnavailable
from service.access.roles import SCOPES, Role
from service.ehr.hooks import SERVICE
from service.intake.errors import BadInput
from service.intake.json_text import MOST_DEPTH, parse
from tests.access.oidc.identity_provider import CALLBACK, CLIENT_ID, CLIENT_SECRET, PUBLIC_URL
from tests.access.test_guard import operations, with_key
from tests.api.sending import JSON
from tests.ehr.calls import an_ehr
from tests.pages.page_texts import form_key
from tests.people import signed_in

pytestmark = pytest.mark.any_database
DEEP = b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
NOW = datetime(2026, 10, 6, 18, 0, tzinfo=UTC)
MANY_DIGITS = b'{"x":' + b"9" * 5000 + b"}"


def nested(depth):
    return b"[" * depth + b"]" * depth


def test_json_is_nested_so_deep_and_no_deeper():
    parse(nested(MOST_DEPTH))
    for depth in (MOST_DEPTH + 1, 900, 100_000):
        with pytest.raises(BadInput) as refused:
            parse(nested(depth))
        assert [each.message for each in refused.value.errors] == ["the JSON is nested more than 100 deep"]


def test_every_endpoint_that_reads_json_refuses_it(app, act):
    some_id, asked = "7e57ab1e-0000-4000-8000-000000000001", 0
    people = [signed_in(app, Role.PRESCRIBER), signed_in(app, Role.ADMIN), with_key(app, act, SCOPES)]
    for method, path, needs in operations(app):
        if method not in ("POST", "PUT", "PATCH") or needs in ("ehr", "sender"):
            continue
        address = re.sub("{[a-z_]+}", some_id, path)
        sent = {"method": method, "data": DEEP, "content_type": JSON}
        statuses = {client.open(address, **sent).status_code for client in people}
        assert statuses <= {400, 401, 403, 404, 422}, (method, path, statuses)
        asked += 1
    assert asked > 25


@pytest.mark.parametrize("body", [DEEP, MANY_DIGITS])
def test_a_call_of_an_ehr_is_refused_so_too(app, act, body):
    ehr = an_ehr(app, act)
    for path in (f"/cds-services/{SERVICE}", f"/cds-services/{SERVICE}/feedback"):
        assert ehr.post(path, body).status_code == 400


def test_a_cursor_that_is_nested_without_end_is_none(app, act):
    cursor = base64.urlsafe_b64encode(nested(90_000)).decode()
    response = with_key(app, act, SCOPES).post("/api/v1/checklists/search", json={"cursor": cursor})
    assert response.status_code == 422
    assert [each["path"] for each in response.json["errors"]] == ["cursor"]


def test_a_packed_body_is_not_unpacked(app, act):
    bomb = gzip.compress(b'{"drug": "' + b"x" * 50_000_000 + b'"}')
    client = with_key(app, act, SCOPES)
    before = time.process_time()
    response = client.post(
        "/api/v1/checklists", data=bomb, content_type=JSON, headers={"Content-Encoding": "gzip"}
    )
    assert response.status_code == 400
    assert time.process_time() - before < 10


def test_a_form_is_so_long_and_no_longer(app):
    nurse = signed_in(app, Role.NURSE)
    form = {"form_key": form_key(nurse.get("/account")), "patient": "MRN-1"}
    assert nurse.post("/today/search", data=form).status_code == 200
    assert nurse.post("/today/search", data={**form, "x": "x" * 300_000}).status_code == 413


ASKED = {
    "/.well-known/openid-configuration": lambda provider: OidcClient(provider).start(NOW),
    "/jwks": lambda provider: provider.keys(NOW),
    "/token": lambda provider: provider.tokens("code", "verifier", NOW),
}


@pytest.mark.parametrize("path", ASKED)
def test_a_provider_that_answers_without_end_lets_nobody_in(monkeypatch, path):
    """The provider's own server is not needed: what it answers is what is looked at."""
    issuer = "https://login.example.org"
    described = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/jwks",
    }

    def answer(session, method, url, *_, **__):
        response = requests.Response()
        response.status_code, response.url = 200, url
        deep = b'{"x":' + nested(60_000) + b"}"
        response._content = deep if url.endswith(path) else json.dumps(described).encode()
        return response

    monkeypatch.setattr(requests.Session, "request", answer)
    provider = Provider(Client(issuer, CLIENT_ID, CLIENT_SECRET, PUBLIC_URL + CALLBACK))
    with pytest.raises(ProviderUnavailable):
        ASKED[path](provider)
