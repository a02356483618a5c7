"""Signing in by an identity provider, against a real one over HTTP."""

import base64
import hmac
import json
import re
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from joserfc.jws import JWSRegistry

from service.access.oidc import Refusal, SignInRefused, _Kept
from service.access.provider import KNOWN_FOR
from tests.access.oidc.identity_provider import (
    CALLBACK,
    CLIENT_ID,
    CLIENT_SECRET,
    DISCOVERY,
    NOW,
    PUBLIC_URL,
    SUBJECT,
    new_key,
)

SECONDS = int(NOW.timestamp())


def test_who_signed_in_at_the_provider_is_known_by_its_name_for_them(client, provider):
    url, secret = client.start(NOW)
    answer = provider.people_go_to(url)
    assert client.finish(answer, secret, NOW) == (provider.issuer, SUBJECT)


def test_the_provider_is_told_what_binds_its_answer_to_this_browser(client):
    url, secret = client.start(NOW)
    again, other = client.start(NOW)
    sent, next_sent = (dict(parse_qsl(urlsplit(each).query)) for each in (url, again))
    fixed = {"response_type", "client_id", "redirect_uri", "scope", "code_challenge_method", "max_age"}
    assert {name: sent[name] for name in fixed} == {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": PUBLIC_URL + CALLBACK,
        "scope": "openid",
        "code_challenge_method": "S256",
        "max_age": "300",
    }
    drawn = [each[name] for each in (sent, next_sent) for name in ("state", "nonce", "code_challenge")]
    assert len({*drawn, secret, other}) == 8
    assert all(len(each) == 43 for each in drawn)


def refused(client, answer, secret, at=NOW):
    with pytest.raises(SignInRefused) as refusal:
        client.finish(answer, secret, at)
    assert refusal.value.__cause__ is None
    return refusal.value.refusal, refusal.value.claim


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"nonce": "another"}, (Refusal.CLAIM, "nonce")),
        ({"nonce": None}, (Refusal.CLAIM, "nonce")),
        ({"iss": "https://elsewhere.example"}, (Refusal.CLAIM, "iss")),
        ({"iss": None}, (Refusal.CLAIM, "iss")),
        ({"aud": "another client"}, (Refusal.CLAIM, "aud")),
        ({"aud": [CLIENT_ID, "another client"]}, (Refusal.CLAIM, "azp")),
        ({"azp": "another client"}, (Refusal.CLAIM, "azp")),
        ({"exp": SECONDS - 61}, (Refusal.EXPIRED, None)),
        ({"exp": None}, (Refusal.CLAIM, "exp")),
        ({"exp": "never"}, (Refusal.CLAIM, "exp")),
        ({"exp": float("nan")}, (Refusal.CLAIM, "exp")),
        ({"iat": SECONDS + 61}, (Refusal.CLAIM, "iat")),
        ({"nbf": SECONDS + 61}, (Refusal.CLAIM, "nbf")),
        ({"auth_time": SECONDS - 361}, (Refusal.AUTHENTICATION, None)),
        ({"auth_time": SECONDS + 61}, (Refusal.AUTHENTICATION, None)),
        ({"auth_time": None}, (Refusal.AUTHENTICATION, None)),
        ({"auth_time": float("nan")}, (Refusal.AUTHENTICATION, None)),
        ({"auth_time": "lately"}, (Refusal.CLAIM, "auth_time")),
        ({"at_hash": "another"}, (Refusal.CLAIM, "at_hash")),
        ({"sub": None}, (Refusal.CLAIM, "sub")),
        ({"sub": ""}, (Refusal.CLAIM, "sub")),
        ({"sub": 7}, (Refusal.CLAIM, "sub")),
        ({"sub": "x" * 256}, (Refusal.CLAIM, "sub")),
        ({"sub": f"{SUBJECT}\0"}, (Refusal.CLAIM, "sub")),
        ({"sub": f"{SUBJECT}é"}, (Refusal.CLAIM, "sub")),
    ],
    ids=str,
)
def test_a_token_that_says_something_else_is_refused(client, provider, claims, why):
    provider.alters = lambda own: {
        key: value for key, value in {**own, **claims}.items() if value is not None
    }
    url, secret = client.start(NOW)
    assert refused(client, provider.people_go_to(url), secret) == why


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": SECONDS - 59},
        {"iat": SECONDS + 59},
        {"aud": [CLIENT_ID, "b"], "azp": CLIENT_ID},
        {"aud": CLIENT_ID},
    ],
    ids=str,
)
def test_a_clock_a_minute_off_and_other_audiences_are_no_harm(client, provider, claims):
    provider.alters = lambda own: {**own, **claims}
    url, secret = client.start(NOW)
    assert client.finish(provider.people_go_to(url), secret, NOW) == (provider.issuer, SUBJECT)


def signed_by_another_key_of_that_name(token, provider):
    return jwt.encode(token.header, token.claims, new_key(provider.key.kid), ["ES256"])


def not_signed(token, provider):
    return by_hand({"alg": "none"}, token.claims, b"")


def signed_with_the_public_key_as_a_secret(token, provider):
    return by_hand(
        {"alg": "HS256", "kid": provider.key.kid}, token.claims, provider.key.as_pem(private=False)
    )


def signed_with_the_secret_of_the_client(token, provider):
    return by_hand({"alg": "HS256", "kid": provider.key.kid}, token.claims, CLIENT_SECRET.encode())


def by_hand(header, claims, secret):
    """A token as libraries refuse to make it: under a shared secret, or none."""
    signed = b".".join(
        base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=") for each in (header, claims)
    )
    signature = hmac.digest(secret, signed, "sha256") if secret else b""
    return (signed + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


def signed_with_a_key_that_it_brings_along(token, provider):
    own = new_key("own")
    header = {"alg": "ES256", "kid": provider.key.kid, "jwk": own.as_dict(private=False)}
    return jwt.encode(header, token.claims, own, registry=JWSRegistry(algorithms=["ES256"]))


def with_other_claims_under_the_same_signature(token, provider):
    header, _, signature = token.text.split(".")
    claims = json.dumps({**token.claims, "sub": "somebody-else"}).encode()
    return f"{header}.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.{signature}"


def no_token(token, provider):
    return "nothing of the kind"


@pytest.mark.parametrize(
    "forged",
    [
        signed_by_another_key_of_that_name,
        not_signed,
        signed_with_the_public_key_as_a_secret,
        signed_with_the_secret_of_the_client,
        signed_with_a_key_that_it_brings_along,
        with_other_claims_under_the_same_signature,
        no_token,
    ],
)
def test_a_token_that_the_provider_did_not_sign_is_refused(client, provider, forged):
    provider.forges = forged
    url, secret = client.start(NOW)
    assert refused(client, provider.people_go_to(url), secret) == (Refusal.SIGNATURE, None)


def test_a_key_set_of_many_kinds_is_read(client, provider):
    secret = OctKey.generate_key(256, {"kid": provider.key.kid + "-secret"})
    sealing = ECKey.generate_key("P-256", {"kid": provider.key.kid, "use": "enc"})
    provider.published = [secret, sealing, RSAKey.generate_key(2048, {"kid": "other"}), provider.key]
    url, secret = client.start(NOW)
    assert client.finish(provider.people_go_to(url), secret, NOW) == (provider.issuer, SUBJECT)


def test_a_new_key_is_fetched_once_and_then_known(client, provider):
    assert [provider.sign_in(client) for _ in range(2)] == [(provider.issuer, SUBJECT)] * 2
    assert provider.asked.count("/keys") == provider.asked.count(DISCOVERY) == 1
    old, provider.key = provider.key, new_key("second")
    assert [provider.sign_in(client) for _ in range(2)] == [(provider.issuer, SUBJECT)] * 2
    assert provider.asked.count("/keys") == 2

    provider.key = old  # withdrawn: whoever has it still signs, and it is not among those published
    provider.published = [new_key("second")]
    url, secret = client.start(NOW)
    assert refused(client, provider.people_go_to(url), secret) == (Refusal.SIGNATURE, None)
    assert provider.asked.count("/keys") == 3


def test_what_a_provider_said_of_itself_is_asked_again_after_an_hour(client, provider):
    provider.sign_in(client)
    provider.sign_in(client, NOW + KNOWN_FOR - timedelta(seconds=1))
    assert provider.asked.count("/keys") == provider.asked.count(DISCOVERY) == 1
    provider.sign_in(client, NOW + KNOWN_FOR)
    assert provider.asked.count("/keys") == provider.asked.count(DISCOVERY) == 2


def test_an_answer_counts_for_the_browser_and_the_time_that_it_was_asked_for(client, provider):
    url, secret = client.start(NOW)
    answer = provider.people_go_to(url)
    _, another = client.start(NOW)
    stateless = {"code": answer["code"]}
    of_another_time = f"{SECONDS + 1}.{secret.partition('.')[2]}"
    for sent, kept in [
        (answer, another),
        (answer, of_another_time),
        (answer, None),
        (answer, ""),
        (answer, "x" * 5000),
        (answer, "٣" * 5 + secret[10:]),
        (stateless, secret),
        ({**answer, "state": "ü\udc80"}, secret),
        ({}, None),
    ]:
        assert refused(client, sent, kept) == (Refusal.STATE, None)
    for at in (NOW + timedelta(minutes=10), NOW - timedelta(minutes=2)):
        assert refused(client, answer, secret, at) == (Refusal.STALE, None)
    assert "/token" not in provider.asked
    assert client.finish(answer, secret, NOW) == (provider.issuer, SUBJECT)


def test_an_old_sign_in_is_not_made_young_by_who_holds_its_cookie(client, provider):
    """They know how state is made and can write a cookie, but the provider signed the old nonce."""
    url, secret = client.start(NOW)
    answer = provider.people_go_to(url)
    young = _Kept(f"{SECONDS + 3600}.{secret.partition('.')[2]}", NOW)
    provider.codes[answer["code"]].code_challenge = create_s256_code_challenge(young.derived("verifier"))
    forged, later = {**answer, "state": young.derived("state")}, NOW + timedelta(hours=1)
    provider.now = later
    provider.alters = lambda own: {**own, "auth_time": own["iat"]}
    assert refused(client, forged, young.text, later) == (Refusal.CLAIM, "nonce")


def test_a_code_is_good_once_and_for_who_asked_for_it(client, provider):
    url, secret = client.start(NOW)
    answer = provider.people_go_to(url)
    client.finish(answer, secret, NOW)
    assert refused(client, answer, secret) == (Refusal.CODE, None)

    stolen = provider.people_go_to(url)[
        "code"
    ]  # of a sign-in elsewhere: the verifier of this one does not fit
    mine, own_secret = client.start(NOW)
    own = provider.people_go_to(mine)
    assert refused(client, {**own, "code": stolen}, own_secret) == (Refusal.CODE, None)


def test_a_refusal_of_the_provider_and_an_answer_of_another_one_are_no_sign_in(client, provider):
    url, secret = client.start(NOW)
    answer = provider.people_go_to(url)
    assert refused(client, {**answer, "iss": "https://elsewhere.example"}, secret) == (Refusal.CLAIM, "iss")
    assert refused(client, {**answer, "code": "\n"}, secret) == (Refusal.BY_PROVIDER, None)
    provider.refuses = True
    url, secret = client.start(NOW)
    denied = provider.people_go_to(url)
    assert denied["error"] == "access_denied"
    assert refused(client, {**denied, "code": answer["code"]}, secret) == (Refusal.BY_PROVIDER, None)
    assert "/token" not in provider.asked


def test_a_session_at_the_provider_that_somebody_left_open_is_not_enough(client, provider):
    provider.authenticated_at = NOW - timedelta(hours=2)
    url, secret = client.start(NOW)
    without = provider.people_go_to(re.sub(r"&max_age=\d+", "", url))
    assert refused(client, without, secret) == (Refusal.AUTHENTICATION, None)
    url, secret = client.start(NOW)
    assert client.finish(provider.people_go_to(url), secret, NOW) == (provider.issuer, SUBJECT)


def test_a_token_response_without_an_id_token_is_no_sign_in(client, provider):
    url, secret = client.start(NOW)
    provider.answers["/token"] = lambda: {"access_token": "abc", "token_type": "Bearer"}
    assert refused(client, provider.people_go_to(url), secret) == (Refusal.NO_TOKEN, None)
