"""EHRs that are registered: by an administrator, with one error for each bad field, and revoked for good."""

import json

import pytest
from marshmallow import RAISE

from service.access.roles import Role
from service.api.ehr_client_schemas import EhrClientSchema, EhrClientsSchema
from service.ehr.key_sets import MOST_KEYS
from service.intake.errors import BadInput
from tests.access.test_sessions import is_kind
from tests.api.sending import is_problem, paths
from tests.ehr.an_ehr import ISSUER, ec_key, public, rsa_key
from tests.people import PIN, signed_in

EHRS = "/api/v1/ehr-clients"
EPIC = {
    "name": "epic",
    "issuer": ISSUER,
    "jwks_url": "https://ehr.example.org/jwks.json",
    "tenants": ["north wing"],
    "fhir_servers": ["https://fhir.example.org/r4/", "https://fhir.example.org:8443/r4"],
    "origins": ["https://pages.example.org", "http://localhost:8080", "https://[::1]:8443"],
}


@pytest.fixture
def admin(app):
    return signed_in(app, Role.ADMIN, "anna")


def add(client, /, without=(), secret=PIN, **changes):
    document = {**EPIC, "secret": secret, **changes}
    return client.post(EHRS, json={name: value for name, value in document.items() if name not in without})


def revoke(client, name):
    return client.post(f"{EHRS}/{name}/revoke", json={"secret": PIN})


def read(details):
    """What a journal entry says: each kind of database gives it in its own way."""
    return json.loads(details) if isinstance(details, str) else details


def fits(schema, response):
    return schema(unknown=RAISE).validate(response.json) == {}


def test_an_ehr_is_registered_listed_and_revoked(admin, parts, sql, clock, journaled):
    added = add(admin)
    assert added.status_code == 201
    assert fits(EhrClientSchema, added)
    bases = ["https://fhir.example.org/r4", "https://fhir.example.org:8443/r4"]
    own = {**EPIC, "fhir_servers": bases, "jwks": None, "revoked_at": None}
    assert added.json == {**own, "created_at": "2026-10-06T18:00:00.123456Z"}
    assert parts.ehr_clients.by_issuer(ISSUER).name == "epic"
    given_by_hand = add(
        admin, without=["jwks_url", "tenants", "origins"], name="sandbox", issuer="x", jwks=public(ec_key())
    )
    assert given_by_hand.json["jwks"]["keys"][0]["kid"] == "ec"
    assert given_by_hand.json["jwks_url"] is None
    assert sql("SELECT name FROM ehr_clients WHERE jwks IS NULL") == [("epic",)]
    listed = admin.get(EHRS)
    assert fits(EhrClientsSchema, listed)
    assert listed.json["ehr_clients"] == [added.json, given_by_hand.json]
    clock.pass_by(days=1)
    admin = signed_in(admin.application, Role.ADMIN, "berta")
    assert revoke(admin, "epic").status_code == 204
    assert admin.get(EHRS).json["ehr_clients"][0]["revoked_at"] == "2026-10-07T18:00:00.123456Z"
    assert parts.ehr_clients.by_issuer(ISSUER) is None
    first, second = journaled("ehr_client.added")
    assert (first[1], read(first[3])) == ("user:anna", {**EPIC, "fhir_servers": bases})
    assert read(second[3])["jwks"] == given_by_hand.json["jwks"]
    [(_, actor, subject, details)] = journaled("ehr_client.revoked")
    assert (actor, subject, read(details)) == ("user:berta", first[2], {"name": "epic"})


@pytest.mark.any_database
def test_only_an_administrator_registers_and_signs_for_it(app, admin, sql):
    assert is_kind(add(admin, secret="999999"), 403, "wrong-secret")
    assert is_kind(revoke(signed_in(app, Role.PRESCRIBER), "epic"), 403, "may-not")
    assert is_kind(add(signed_in(app, Role.PHARMACIST)), 403, "may-not")
    assert is_kind(signed_in(app, Role.AUDITOR).get(EHRS), 403, "may-not")
    assert sql("SELECT * FROM ehr_clients") == []


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("changes", "path", "says"),
    [
        ({"name": ""}, "name", "2 to 64"),
        ({"name": "Epic"}, "name", "2 to 64"),
        ({"name": "x" * 65}, "name", "2 to 64"),
        ({"name": "a\nb"}, "name", "2 to 64"),
        ({"name": 7}, "name", ""),
        ({"issuer": ""}, "issuer", "visible ASCII"),
        ({"issuer": "a b"}, "issuer", "visible ASCII"),
        ({"issuer": "x" * 501}, "issuer", "visible ASCII"),
        ({"jwks_url": "http://ehr.example.org/jwks"}, "jwks_url", "cannot be called"),
        ({"jwks_url": "https://user:pw@ehr.example.org/jwks"}, "jwks_url", "cannot be called"),
        ({"jwks_url": "https://127.0.0.2/jwks"}, "jwks_url", "cannot be called"),
        ({"jwks_url": "file:///etc/passwd"}, "jwks_url", "cannot be called"),
        ({"jwks_url": ""}, "jwks_url", "cannot be called"),
        ({"jwks_url": "https://x.example/" + 2000 * "x"}, "jwks_url", "at most 2000"),
        ({"jwks": public(ec_key())}, "jwks_url", "not both"),
        ({"tenants": ["a", "a"]}, "tenants", "once"),
        ({"tenants": [f"t{number}" for number in range(101)]}, "tenants", "at most 100"),
        ({"tenants": ["ok", ""]}, "tenants[1]", "ASCII"),
        ({"tenants": "north"}, "tenants", ""),
        ({"fhir_servers": ["https://a.example", "http://b.example"]}, "fhir_servers[1]", "cannot be called"),
        ({"fhir_servers": ["https://10.0.0.1/r4"]}, "fhir_servers[0]", "cannot be called"),
        ({"origins": ["*"]}, "origins[0]", "as a browser sends it"),
        ({"origins": ["null"]}, "origins[0]", "as a browser sends it"),
        ({"origins": ["https://*.example"]}, "origins[0]", "as a browser sends it"),
        ({"origins": ["https://a.example/"]}, "origins[0]", "as a browser sends it"),
        ({"origins": ["https://a.example/x"]}, "origins[0]", "as a browser sends it"),
        ({"origins": ["https://A.example"]}, "origins[0]", "as a browser sends it"),
        ({"origins": ["https://a.example:443"]}, "origins[0]", "as a browser sends it"),
        ({"origins": ["https://a.example:99999"]}, "origins[0]", "as a browser sends it"),
        ({"origins": ["https://u@a.example"]}, "origins[0]", "as a browser sends it"),
        ({"origins": ["http://a.example"]}, "origins[0]", "https"),
        ({"extra": 1}, "extra", ""),
    ],
)
def test_a_bad_field_is_one_error_and_nothing_is_registered(admin, sql, changes, path, says):
    response = add(admin, **changes)
    assert is_problem(response, 422)
    [error] = response.json["errors"]
    assert error["path"] == path
    assert says in error["message"]
    assert sql("SELECT * FROM ehr_clients") == []


@pytest.mark.any_database
def test_every_bad_field_is_named_at_once(admin):
    response = add(admin, name="?", issuer="", jwks_url="http://x", tenants=[""], origins=["x", "*"])
    assert paths(response) == ["issuer", "jwks_url", "name", "origins[0]", "origins[1]", "tenants[0]"]


@pytest.mark.any_database
def test_keys_are_somewhere(admin):
    response = add(admin, without=["jwks_url"])
    assert paths(response) == ["jwks_url"]


def _private(key):
    return {"keys": [key.as_dict(private=True)]}


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("jwks", "says"),
    [
        (_private(ec_key()), "key 1 is a private key"),
        (_private(rsa_key()), "key 1 is a private key"),
        ({"keys": [*public(ec_key())["keys"], *_private(rsa_key())["keys"]]}, "key 2 is a private key"),
        ({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "s"}]}, "key 1 is a secret"),
        ({"keys": [{"kty": "RSA", "k": "c2VjcmV0", "kid": "s"}]}, "key 1 is a secret"),
        ({"keys": []}, "no key"),
        ({"keys": {}}, "no JWK set"),
        ({}, "no JWK set"),
        (public(ec_key())["keys"][0], "no JWK set"),
        ({"keys": ["x"]}, "key 1 is no object"),
        (public(ec_key("p256", "P-256")), "key 1 is neither"),
        (public(rsa_key(), alg="RS256"), "another algorithm than RS384"),
        (public(ec_key(), use="enc"), "not for signatures"),
        (public(ec_key(), kid=""), "no kid"),
        (public(ec_key(), kid=7), "no kid"),
        (public(ec_key(), x="AAAA"), "cannot be read"),
        (public(ec_key(), x="!"), "cannot be read"),
        (public(ec_key(), y=None), "lacks a number"),
        (public(rsa_key(), n="AQAB"), "2048 to 8192 bits"),
        (public(rsa_key(), n="A" * 1900), "2048 to 8192 bits"),
        (public(rsa_key(), n="x" * 1900), "2048 to 8192 bits"),
        (public(rsa_key(), n="x" * 100_000), "too long"),
        (public(rsa_key(), n="é" * 400), "cannot be read"),
        (public(rsa_key(), e="x" * 100), "bits"),
        (public(rsa_key(), e="AQ"), "cannot be read"),
        (public(ec_key(), ec_key()), "key 2 has the kid of another one"),
        ({"keys": public(ec_key())["keys"] * (MOST_KEYS + 1)}, "more than"),
    ],
)
def test_keys_given_by_hand_are_public_and_can_be_used(admin, sql, jwks, says):
    response = add(admin, without=["jwks_url"], jwks=jwks)
    assert is_problem(response, 422)
    [error] = response.json["errors"]
    assert error["path"] == "jwks"
    assert says in error["message"]
    assert sql("SELECT * FROM ehr_clients") == []


@pytest.mark.any_database
def test_of_keys_given_by_hand_nothing_else_is_kept(admin):
    given = public(ec_key(), rsa_key(), x5t="c2VjcmV0", use="sig", comment="x")
    kept = add(admin, without=["jwks_url"], jwks=given).json["jwks"]["keys"]
    both = {"kid", "alg", "kty"}
    assert [set(key) for key in kept] == [both | {"crv", "x", "y"}, both | {"n", "e"}]


def test_a_name_is_used_once_and_an_issuer_by_one_at_a_time(admin):
    assert add(admin).status_code == 201
    assert paths(add(admin)) == ["issuer", "name"]
    assert paths(add(admin, issuer="https://other.example")) == ["name"]
    again = add(admin, name="epic-2")
    assert paths(again) == ["issuer"]
    assert "registered as epic:" in again.json["errors"][0]["message"]
    assert revoke(admin, "epic").status_code == 204
    assert paths(add(admin)) == ["name"]
    assert add(admin, name="epic-2").status_code == 201


@pytest.mark.any_database
def test_who_is_not_there_or_was_revoked_is_not_revoked(admin, journaled):
    for name in ("nobody", "No Body", "a" * 300):
        assert is_kind(revoke(admin, name), 404, "no-such-ehr-client")
    add(admin)
    assert revoke(admin, "epic").status_code == 204
    assert paths(revoke(admin, "epic")) == ["name"]
    assert len(journaled("ehr_client.revoked")) == 1


@pytest.mark.any_database
def test_a_token_goes_to_the_fhir_servers_that_are_registered_and_no_others(ehr, registered):
    server = "https://fhir.example.org/r4"
    client = registered("two", issuer="two", fhir_servers=(f"{server}/",))
    assert client.uses_fhir_server(server)
    assert client.uses_fhir_server(f"{server}/")
    for other in (
        f"{server}//",
        f"{server}/Patient",
        f"{server}x",
        server.upper(),
        server[:-3],
        "",
    ):
        assert not client.uses_fhir_server(other)
    assert not ehr.uses_fhir_server(server)
    assert not ehr.uses_fhir_server("")


def test_of_two_who_register_one_issuer_the_second_is_told(registered):
    registered("one")
    with pytest.raises(BadInput, match="issuer"):
        registered("two")
