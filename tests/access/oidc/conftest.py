"""One server of identity providers for these tests, and the client of the provider of a test."""

import pytest

from service.access.oidc import OidcClient
from service.access.provider import Client, Provider
from tests.access.oidc.identity_provider import (
    CALLBACK,
    CLIENT_ID,
    CLIENT_SECRET,
    PUBLIC_URL,
    identity_providers,
)


@pytest.fixture(scope="session")
def providers():
    with identity_providers() as make:
        yield make


@pytest.fixture
def provider(providers):
    return providers()


@pytest.fixture
def client(provider):
    return OidcClient(Provider(Client(provider.issuer, CLIENT_ID, CLIENT_SECRET, PUBLIC_URL + CALLBACK)))
