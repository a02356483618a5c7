"""The token of an EHR: everything that can be wrong with one, one thing at a time."""

import json
import logging
import subprocess
import sys
import uuid

import pytest

from service.ehr.tokens import LEEWAY, LONGEST_LIFE, MOST_CHARACTERS, NotTrusted
from tests.builders import ROOT
from tests.ehr.an_ehr import (
    ISSUER,
    PUBLIC_URL,
    bearer,
    claims_at,
    ec_key,
    public,
    rsa_key,
    signed,
    signed_with_secret,
    unsigned,
)
from tests.ehr.conftest import URL

# Who is believed


@pytest.mark.parametrize(("key", "alg"), [(ec_key(), "ES384"), (rsa_key(), "RS384")])
def test_an_ehr_is_known_by_what_its_key_signed(call, keys, clock, key, alg):
    keys.document = public(ec_key(), rsa_key())
    caller = call(signed(claims_at(clock()), key, alg))
    assert (caller.client.name, caller.tenant) == ("epic", None)
    who = caller.principal
    assert (who.actor, who.role, who.name) == ("ehr:epic", "client", "epic")
    assert {permission.value for permission in who.permissions} == {"checklist:make", "checklist:read"}


@pytest.mark.any_database
def test_keys_that_were_given_by_hand_need_no_server(registered, parts, clock, keys):
    registered(jwks=public(rsa_key()))
    for _ in range(2):
        token = signed(claims_at(clock()), rsa_key(), "RS384", jku="https://elsewhere.example/keys")
        assert parts.trust.caller(bearer(token), URL, clock()).client.name == "epic"
    with pytest.raises(NotTrusted, match="no such key"):
        parts.trust.caller(bearer(signed(claims_at(clock()))), URL, clock())
    assert keys.reads == 0


@pytest.mark.any_database
@pytest.mark.parametrize(
    "path", ["/cds-services", "/cds-services/infusion", "/cds-services/infusion/feedback"]
)
def test_a_token_is_for_the_exact_address(call, refused, clock, path):
    assert call(signed(claims_at(clock(), PUBLIC_URL + path)), PUBLIC_URL + path)
    assert call(signed(claims_at(clock(), ["https://other.example", PUBLIC_URL + path])), PUBLIC_URL + path)
    wrong = [PUBLIC_URL, path, f"{PUBLIC_URL}{path}/", f"{PUBLIC_URL}{path}?x=1", "dosegate", "", None, 7]
    wrong += [[], [PUBLIC_URL], {PUBLIC_URL + path: 1}, [[PUBLIC_URL + path]], PUBLIC_URL.upper() + path]
    for audience in wrong:
        token = signed(claims_at(clock(), audience))
        assert refused(token, "aud", url=PUBLIC_URL + path), audience
    assert refused(signed(claims_at(clock(), without=["aud"])), "aud")


# Claims


@pytest.mark.any_database
@pytest.mark.parametrize(
    "issuer",
    [None, "", "https://ehr.example.org", f"{ISSUER}/", ISSUER.upper(), 7, [ISSUER], "a\0b", "\ud800"],
)
def test_an_issuer_that_is_not_registered_is_not_believed(refused, clock, keys, caplog, issuer):
    assert refused(signed(claims_at(clock(), iss=issuer)), "issuer is not registered")
    assert refused(signed(claims_at(clock(), without=["iss"])), "issuer is not registered")
    assert keys.reads == 0
    assert "ehr.example" not in caplog.text


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("times", "reason"),
    [
        ({"exp": -LEEWAY}, "expired"),
        ({"exp": 1, "iat": 2}, "not good for"),
        ({"exp": 0, "iat": 0}, "not good for"),
        ({"exp": LONGEST_LIFE + 1, "iat": 0}, "not good for"),
        ({"exp": LONGEST_LIFE, "iat": -1}, "not good for"),
        ({"exp": 300, "iat": LEEWAY + 1}, "in the future"),
        ({"exp": 300, "iat": 0, "nbf": LEEWAY + 1}, "not good yet"),
    ],
)
def test_a_token_at_another_time_is_not_good(refused, clock, times, reason):
    clock.now = clock.now.replace(microsecond=0)
    now = int(clock().timestamp())
    iat = {"iat": now - 300} if "iat" not in times else {}
    claims = claims_at(clock(), **{**iat, **{name: now + seconds for name, seconds in times.items()}})
    assert refused(signed(claims), reason)


@pytest.mark.any_database
@pytest.mark.parametrize(
    "times",
    [
        {"exp": 1 - LEEWAY, "iat": -300},
        {"exp": LEEWAY + 10, "iat": LEEWAY},
        {"exp": LONGEST_LIFE, "iat": 0},
        {"exp": 300.5, "iat": 0.25},
        {"exp": 300, "iat": 0, "nbf": LEEWAY},
    ],
)
def test_a_clock_may_be_a_little_wrong(call, clock, times):
    clock.now = clock.now.replace(microsecond=0)
    now = int(clock().timestamp())
    assert call(signed(claims_at(clock(), **{name: now + seconds for name, seconds in times.items()})))


@pytest.mark.any_database
@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", [None, "1791309900", True, [], {}, float("nan"), float("inf")])
def test_what_is_no_time_is_not_taken_for_one(refused, clock, name, value):
    assert refused(signed(claims_at(clock(), **{name: value})), name)


@pytest.mark.any_database
@pytest.mark.parametrize("name", ["exp", "iat"])
def test_a_time_that_is_huge_or_missing_is_refused(refused, clock, name):
    assert refused(signed(claims_at(clock(), without=[name])), f"its {name} is missing")
    for value in (10**400, -(10**400), 1e308):
        assert refused(signed(claims_at(clock(), **{name: value})), "")


@pytest.mark.any_database
@pytest.mark.parametrize("jti", [None, "", 7, [], "x" * 256])
def test_a_token_without_an_id_is_refused(refused, clock, jti):
    assert refused(signed(claims_at(clock(), jti=jti)), "jti")
    assert refused(signed(claims_at(clock(), without=["jti"])), "jti")


@pytest.mark.any_database
def test_a_tenant_is_one_of_those_registered(registered, parts, clock, refused):
    registered("cerner", issuer="https://cerner.example", tenants=("north", "south"))

    def tenant(**claims):
        token = signed(claims_at(clock(), iss="https://cerner.example", **claims))
        return parts.trust.caller(bearer(token), URL, clock()).tenant

    assert tenant(tenant="south") == "south"
    for wrong in ({"tenant": "east"}, {"tenant": ""}, {}, {"tenant": None}, {"tenant": "North"}):
        with pytest.raises(NotTrusted, match="ehr:cerner: its tenant is not one"):
            tenant(**wrong)
    for wrong in (7, ["north"], {"north": 1}):
        with pytest.raises(NotTrusted, match="tenant is no text"):
            tenant(tenant=wrong)


@pytest.mark.any_database
def test_without_a_list_any_tenant_is_believed(call, clock):
    assert call(signed(claims_at(clock(), tenant="any at all"))).tenant == "any at all"


# Signatures


@pytest.mark.any_database
def test_nothing_but_the_two_algorithms_is_taken(refused, keys, clock):
    p256, p521 = ec_key("p256", "P-256"), ec_key("p521", "P-521")
    keys.document = public(ec_key(), rsa_key(), p256, p521)
    others = [(rsa_key(), alg) for alg in ("RS256", "RS512", "PS256", "PS384", "PS512")]
    for key, alg in [*others, (p256, "ES256"), (p521, "ES512")]:
        assert refused(signed(claims_at(clock()), key, alg), "its alg is none of"), alg
    for alg in ("none", "None", "NONE", "", None, 7, ["ES384"], {}):
        header = {"alg": alg, "typ": "JWT", "kid": "ec"}
        assert refused(unsigned(claims_at(clock()), header), "its alg is none of"), alg
    assert refused(unsigned(claims_at(clock()), {"typ": "JWT", "kid": "ec"}), "no JWT")


@pytest.mark.any_database
@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_a_public_key_is_no_shared_secret(refused, keys, clock, alg):
    for key in (rsa_key(), ec_key()):
        keys.document = public(key)
        secrets = [
            key.as_pem(private=False),
            key.as_der(private=False),
            json.dumps(key.as_dict(private=False)).encode(),
        ]
        for secret in secrets:
            assert refused(signed_with_secret(claims_at(clock()), key.kid, alg, secret), "its alg is none of")


@pytest.mark.any_database
def test_a_key_of_another_curve_or_kind_is_not_used_for_an_algorithm_it_is_not_for(refused, keys, clock):
    p256 = ec_key("p256", "P-256")
    keys.document = public(p256, rsa_key(), ec_key())
    # ES384 said, P-256 used: the key that is named is no key for ES384.
    assert refused(signed(claims_at(clock()), p256, "ES256", alg="ES384"), "no such key")
    assert refused(signed(claims_at(clock()), rsa_key(), "RS384", alg="ES384"), "no such key")
    assert refused(signed(claims_at(clock()), ec_key(), "ES384", alg="RS384"), "no such key")
    assert refused(signed(claims_at(clock()), rsa_key(), "RS256", alg="RS384"), "its signature")
    assert refused(signed(claims_at(clock()), rsa_key(), "PS384", alg="RS384"), "its signature")


@pytest.mark.any_database
@pytest.mark.parametrize(
    "more", [{"alg": "RS256"}, {"use": "enc"}, {"key_ops": ["sign"]}, {"key_ops": "verify"}]
)
def test_a_key_that_is_published_for_something_else_is_not_used(refused, keys, clock, more):
    keys.document = {"keys": [*public(rsa_key(), **more)["keys"], *public(ec_key())["keys"]]}
    assert refused(signed(claims_at(clock()), rsa_key(), "RS384"), "no such key")


@pytest.mark.any_database
def test_the_key_is_the_one_that_is_named(call, refused, keys, clock):
    own, other, foreign = ec_key(), ec_key("other"), ec_key("foreign")
    keys.document = public(own, other)
    assert call(signed(claims_at(clock()), other))
    assert refused(signed(claims_at(clock()), own, kid="other"), "its signature")
    assert refused(signed(claims_at(clock()), foreign, kid="ec"), "its signature")
    assert refused(signed(claims_at(clock()), foreign), "no such key")
    assert refused(signed(claims_at(clock()), own, without=["kid"]), "names no key")
    for kid in (None, 7, ["ec"], {}, ""):
        assert refused(signed(claims_at(clock()), own, kid=kid), ""), kid


@pytest.mark.any_database
def test_a_token_brings_no_key_of_its_own(refused, keys, clock):
    mine = ec_key("mine")
    for header in (
        {"jwk": mine.as_dict(private=False)},
        {"jwk": mine.as_dict(private=False), "kid": "ec"},
        {"jku": "https://mine.example/jwks.json"},
        {"jku": keys.url + "?", "kid": "ec"},
        {"jku": None, "kid": "ec"},
        {"x5u": "https://mine.example/cert", "kid": "ec"},
        {"x5c": ["bWluZQ=="], "kid": "ec"},
    ):
        assert refused(signed(claims_at(clock()), mine, **header), ""), header
    assert refused(signed(claims_at(clock()), jku="https://mine.example/jwks.json"), "its jku")


@pytest.mark.any_database
def test_the_address_of_keys_in_a_token_may_be_the_registered_one(call, registered, parts, keys, clock):
    assert call(signed(claims_at(clock()), jku=keys.url))
    long = f"{keys.url}?{'x' * 1000}"
    registered("cerner", issuer="https://cerner.example", jwks_url=long)
    token = signed(claims_at(clock(), iss="https://cerner.example"), jku=long)
    assert parts.trust.caller(bearer(token), URL, clock()).client.name == "cerner"


@pytest.mark.any_database
def test_another_ehr_signs_for_itself_only(registered, refused, parts, clock):
    other = ec_key("ec of cerner")
    registered("cerner", issuer="https://cerner.example", jwks=public(other))
    assert refused(signed(claims_at(clock()), other), "ehr:epic: it has no such key")
    assert refused(signed(claims_at(clock()), other, kid="ec"), "ehr:epic: its signature")
    token = signed(claims_at(clock(), iss="https://cerner.example"), other)
    assert parts.trust.caller(bearer(token), URL, clock()).client.name == "cerner"


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"typ": "jwt"}, "typ"),
        ({"typ": "at+jwt"}, "typ"),
        ({"typ": None}, "typ"),
        ({"crit": []}, "crit"),
        ({"crit": ["exp"], "exp": 1}, "crit"),
        ({"crit": None}, "crit"),
        ({"b64": False}, "no JWT"),
        ({"b64": False, "crit": ["b64"]}, ""),
        ({"b64": "no"}, "no JWT"),
    ],
)
def test_a_header_is_as_the_standard_has_it(refused, clock, header, reason):
    assert refused(signed(claims_at(clock()), **header), reason)


@pytest.mark.any_database
def test_a_header_without_a_type_is_refused_and_unknown_members_are_not(call, refused, clock):
    assert refused(signed(claims_at(clock()), without=["typ"]), "typ")
    assert call(signed({**claims_at(clock()), "sub": "x", "fhir": {"a": [1]}}, extra="x", cty="JWT"))


@pytest.mark.any_database
def test_a_token_that_was_changed_by_one_bit_is_refused(call, refused, clock):
    claims = claims_at(clock())
    token = signed(claims)
    header, payload, signature = token.split(".")
    for changed in (
        f"{header}.{payload}.{signature[:-4]}AAAA",
        f"{header}.{payload}.",
        f"{header}.{payload}.{signature}AAAA",
        f"{header}.{unsigned({**claims, 'tenant': 'x'}, {}).split('.')[1]}.{signature}",
        f"{unsigned({}, {'alg': 'ES384', 'kid': 'ec', 'typ': 'JWT'}).split('.')[0]}.{payload}.{signature}",
        f"{header}.{payload}.{'A' * 128}",
    ):
        assert refused(changed, "its signature")
    assert call(token)


# What is no token


@pytest.mark.any_database
def test_what_is_no_token_is_refused(refused, clock):
    token = signed(claims_at(clock()))
    deep = unsigned(b"[" * 4000, {"alg": "ES384"})
    for bad in (
        "",
        "x",
        "a.b",
        "a.b.c",
        "..",
        f"{token}.x",
        f"{token} {token}",
        "ä.ö.ü",
        f"{token}=",
        "\udcff",
        deep,
    ):
        assert refused(bad, "")
    for part in (b"[]", b"7", b"null", b'["alg"]', b'"alg"', b"{", b"\xff", b"[" * 3000):
        assert refused(f"{unsigned({}, part).split('.')[0]}.{token.split('.', 1)[1]}", "no JWT")
        assert refused(signed(part), "")
    assert refused(signed(b'{"exp": ' + b"9" * 5000 + b"}"), "no JSON object")


@pytest.mark.any_database
def test_a_header_of_another_kind_is_refused(call, clock):
    token = signed(claims_at(clock()))
    for header in (None, "", "Bearer", "Bearer ", token, f"Basic {token}", f"Bearer{token}", f"DPoP {token}"):
        with pytest.raises(NotTrusted):
            call(header=header or " ")
    assert call(header=f"bearer  {token} ")


@pytest.mark.any_database
def test_a_token_is_bounded_before_anything_is_read_of_it(call, clock, keys):
    long = claims_at(clock(), padding="x" * (MOST_CHARACTERS // 2))
    assert call(signed(long))
    with pytest.raises(NotTrusted, match="longer than"):
        call(signed(claims_at(clock(), padding="x" * MOST_CHARACTERS)))
    with pytest.raises(NotTrusted, match="longer than"):
        call("." * 10_000_000)


# Once


def test_a_token_is_good_once(call, refused, clock, sql):
    claims = claims_at(clock())
    token = signed(claims)
    assert call(token)
    assert refused(token, "ehr:epic: it was used before")
    assert refused(signed({**claims, "exp": claims["exp"] + 60}), "it was used before")
    clock.pass_by(seconds=300 + LEEWAY - 1)
    assert refused(token, "it was used before")
    clock.pass_by(seconds=1)
    assert refused(token, "expired")
    [(digest,)] = sql("SELECT digest FROM used_tokens")
    assert claims["jti"] not in digest
    assert len(digest) == 64


@pytest.mark.any_database
def test_a_refused_token_is_not_used_up(call, refused, clock):
    token = signed(claims_at(clock()))
    assert refused(token, "aud", url=f"{PUBLIC_URL}/cds-services")
    assert call(token)


def test_ids_are_of_one_issuer(call, registered, parts, clock):
    registered("cerner", issuer="https://cerner.example")
    claims = claims_at(clock())
    assert call(signed(claims))
    token = signed({**claims, "iss": "https://cerner.example"})
    assert parts.trust.caller(bearer(token), URL, clock()).client.name == "cerner"


def test_what_was_used_is_forgotten_when_it_is_good_no_longer(call, clock, sql):
    for _ in range(3):
        call(signed(claims_at(clock())))
    clock.pass_by(minutes=10)
    call(signed(claims_at(clock())))
    assert sql("SELECT COUNT(*) FROM used_tokens") == [(4,)]
    clock.pass_by(minutes=7)
    call(signed(claims_at(clock())))
    assert sql("SELECT COUNT(*) FROM used_tokens") == [(2,)]


def test_a_use_is_no_event(call, clock, journaled):
    before = len(journaled())
    call(signed(claims_at(clock())))
    assert len(journaled()) == before


_RACER = """
import sys
from datetime import datetime
from pathlib import Path
from service.app import records_of
from service.ehr.clients import EhrClients
from service.ehr.tokens import NotTrusted, Trust
from service.outbound.http import Outbound
from service.settings import Settings
database, keys, url, at = sys.argv[1:]
now, outbound = datetime.fromisoformat(at), Outbound()
records = records_of(Settings(database=database, keys=Path(keys)), now)
trust = Trust(EhrClients(records, outbound), outbound, records)
print("ready", flush=True)
for line in sys.stdin:
    try:
        print(trust.caller(f"Bearer {line.strip()}", url, now).client.name, flush=True)
    except NotTrusted as error:
        print(error, flush=True)
records.close()
"""


def test_of_processes_that_get_one_token_at_once_exactly_one_takes_it(registered, settings, clock):
    registered(jwks=public(ec_key()))
    command = [sys.executable, "-c", _RACER, settings.database, str(settings.keys), URL, clock().isoformat()]
    racers = [
        subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    try:
        assert [racer.stdout.readline() for racer in racers] == ["ready\n"] * 2
        for _ in range(25):
            token = signed(claims_at(clock()))
            for racer in racers:
                racer.stdin.write(f"{token}\n")
            for racer in racers:
                racer.stdin.flush()
            said = sorted(racer.stdout.readline() for racer in racers)
            assert said == sorted(["epic\n", "ehr:epic: it was used before\n"])
    finally:
        for racer in racers:
            racer.communicate(timeout=20)
    assert [racer.returncode for racer in racers] == [0] * 2


# Revoked


def test_who_is_revoked_is_believed_no_more(call, parts, act, refused, clock):
    assert call(signed(claims_at(clock())))
    parts.ehr_clients.revoke("epic", act)
    assert refused(signed(claims_at(clock())), "its issuer is not registered, or is revoked")


def test_an_ehr_of_another_site_is_not_believed(call, refused, clock, sql):
    sql("UPDATE ehr_clients SET site = 'elsewhere'")
    assert refused(signed(claims_at(clock())), "its issuer is not registered")


# What is said


@pytest.mark.any_database
def test_nothing_of_a_token_is_logged(call, keys, clock, caplog):
    caplog.set_level(logging.DEBUG)
    marks = {"jti": f"id-{uuid.uuid4()}", "tenant": "the-north-wing", "sub": "nina-koch"}
    tokens = [
        signed(claims_at(clock(), **marks)),
        signed(claims_at(clock(), **marks)),
        signed(claims_at(clock(), "https://wrong.example", **marks)),
        signed(claims_at(clock(), iss="https://nobody.example", **marks)),
        signed(claims_at(clock(), **marks), kid="the-kid-of-it"),
    ]
    said = []
    for token in tokens:
        try:
            call(token)
        except NotTrusted as error:
            said.append(f"{error} {error.__cause__} {error.__context__!r}")
    assert len(said) == 4
    everything = caplog.text + "".join(said)
    secrets = [part for token in tokens for part in token.split(".")]
    for secret in (*secrets, *marks.values(), "wrong.example", "nobody.example", "the-kid-of-it"):
        assert secret not in everything
