"""The application at an address that EHRs know, and an EHR whose keys a real server publishes."""

from dataclasses import replace

import pytest

from service.ehr.registering import NewEhrClient
from service.ehr.tokens import NotTrusted
from tests.access.conftest import act, app, clock, journaled, parts  # noqa: F401  fixtures
from tests.ehr.an_ehr import ISSUER, PUBLIC_URL, SERVICE, bearer, key_server

ORIGIN = "https://pages.ehr.example.org:8443"
URL = PUBLIC_URL + SERVICE


@pytest.fixture
def settings(settings):
    """A service that has a public address and may call servers on this machine."""
    return replace(settings, public_url=PUBLIC_URL, private_hosts=frozenset({"127.0.0.1"}))


@pytest.fixture
def keys():
    """The server of the EHR's keys."""
    with key_server() as server:
        yield server


@pytest.fixture
def registered(parts, act, keys):  # noqa: F811  fixtures
    """Registers EHRs; the first one has its keys on that server."""

    def register(name="epic", **changes):
        given = {"jwks_url": keys.url} if "jwks" not in changes else {}
        return parts.ehr_clients.add(
            NewEhrClient(name=name, **{"issuer": ISSUER, "origins": (ORIGIN,), **given, **changes}), act
        )

    return register


@pytest.fixture
def ehr(registered):
    """The EHR that is registered."""
    return registered()


@pytest.fixture
def call(parts, clock, ehr):  # noqa: F811  fixtures
    """Calls with a token, or a whole header."""

    def caller(token=None, url=URL, header=None):
        return parts.trust.caller(header or bearer(token), url, clock())

    return caller


@pytest.fixture
def refused(call, sql, caplog):
    """Calls, and is refused for this reason; nothing is used up, nothing of the token is said."""

    def check(token, reason, **how):
        before = sql("SELECT digest FROM used_tokens")
        with pytest.raises(NotTrusted) as raised:
            call(token, **how)
        assert reason in str(raised.value)
        assert sql("SELECT digest FROM used_tokens") == before
        said = str(raised.value) + caplog.text
        assert not any(part and part in said for part in (token or "").split("."))
        return True

    return check
