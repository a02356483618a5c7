"""A provider that describes itself badly, fails, says nothing or cannot be reached, over real HTTP."""

import socket
import threading
import time

import pytest
from flask import Response, redirect

import service.access.provider
from service.access.addresses import keeps_secrets
from service.access.oidc import OidcClient
from service.access.provider import LEFT_ALONE_FOR, Client, Provider, ProviderUnavailable
from tests.access.oidc.identity_provider import (
    CALLBACK,
    CLIENT_ID,
    CLIENT_SECRET,
    DISCOVERY,
    NOW,
    PUBLIC_URL,
    SUBJECT,
)


def unavailable(client, at=NOW, to=OidcClient.start, *given):
    with pytest.raises(ProviderUnavailable) as why:
        to(client, *given, at)
    assert why.value.__cause__ is None
    return str(why.value)


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ({"issuer": "https://elsewhere.example"}, "it describes another issuer"),
        ({"token_endpoint": "http://elsewhere.example/token"}, "its token_endpoint is no https address"),
        ({"jwks_uri": "file:///etc/passwd"}, "its jwks_uri is no https address"),
        ({"authorization_endpoint": None}, "its authorization_endpoint is no https address"),
        ({"authorization_endpoint": "https://[half"}, "its authorization_endpoint is no https address"),
    ],
)
def test_a_provider_that_describes_itself_badly_is_not_used(client, provider, metadata, why):
    provider.metadata = metadata
    assert unavailable(client) == why


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda: ("gone", 500), "it answered with status 500"),
        (lambda: redirect("/elsewhere"), "it answered with status 302"),
        (lambda: "<html>", "it answered with something that is no answer"),
        (lambda: "[]", "it answered with something else than a JSON object"),
        (lambda: "x" * 300_000, "it cannot be reached"),
        (lambda: Response(trickle()), "it cannot be reached"),
    ],
    ids=["fault", "redirect", "no JSON", "no object", "too long", "too slow"],
)
def test_a_provider_that_answers_nonsense_is_not_used(client, provider, answer, why, monkeypatch):
    monkeypatch.setattr(service.access.provider, "TO_SAY_ALL", 0.1)
    provider.answers[DISCOVERY] = answer
    assert unavailable(client) == why
    assert "/elsewhere" not in provider.asked


def trickle():
    """A byte now and then, for ever."""
    while True:
        yield b" "
        threading.Event().wait(0.02)


def test_a_provider_that_is_silent_or_down_is_not_waited_for(provider, monkeypatch):
    monkeypatch.setattr(service.access.provider, "TO_SAY_SOMETHING", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        silent = OidcClient(Provider(Client(address, CLIENT_ID, CLIENT_SECRET, PUBLIC_URL + CALLBACK)))
        began = time.monotonic()
        assert unavailable(silent) == "it did not answer in time"
        assert time.monotonic() - began < 3
        assert unavailable(silent) == "it failed a moment ago"
    assert unavailable(silent, NOW + LEFT_ALONE_FOR) == "it cannot be reached"


def test_a_provider_that_is_back_is_used_again(client, provider):
    provider.answers[DISCOVERY] = lambda: ("gone", 503)
    unavailable(client)
    del provider.answers[DISCOVERY]
    assert provider.sign_in(client, NOW + LEFT_ALONE_FOR) == (provider.issuer, SUBJECT)


@pytest.mark.parametrize(
    ("path", "answer", "why"),
    [
        ("/token", lambda: ("gone", 502), "it answered with something that is no answer"),
        ("/token", lambda: ({"error": "invalid_client"}, 401), "it refuses this service's client id, secret"),
        ("/token", lambda: redirect("/elsewhere"), "it answered with something that is no answer"),
        ("/keys", lambda: ("gone", 503), "it answered with status 503"),
        ("/keys", lambda: {"keys": [{"kty": "EC"}]}, "its keys cannot be read"),
        ("/keys", lambda: {"keys": 7}, "its keys cannot be read"),
    ],
)
def test_a_provider_that_fails_half_way_lets_nobody_in(client, provider, path, answer, why):
    url, secret = client.start(NOW)
    back = provider.people_go_to(url)
    provider.answers[path] = answer
    assert unavailable(client, NOW, OidcClient.finish, back, secret).startswith(why)
    assert "/elsewhere" not in provider.asked


def test_a_secret_is_sent_in_the_body_where_the_provider_takes_it_there(client, provider):
    provider.client.way = "client_secret_post"
    provider.metadata = {
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"]
    }
    assert provider.sign_in(client) == (provider.issuer, SUBJECT)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://sign-in.example/realm", True),
        ("http://127.0.0.1:9400", True),
        ("http://[::1]:9400/x", True),
        ("http://localhost", True),
        ("http://sign-in.example", False),
        ("http://127.0.0.1.example", False),
        ("http://localhost@sign-in.example", False),
        ("https://user:word@sign-in.example", False),
        ("https://sign-in.example/#part", False),
        ("https://sign-in.example:port", False),
        ("https://", False),
        ("ftp://sign-in.example", False),
        ("//sign-in.example", False),
        ("https://ｓign-in.example", False),
    ],
)
def test_a_secret_is_sent_over_tls_or_stays_on_this_machine(url, kept):
    assert keeps_secrets(url) is kept
