"""A site's identity provider over HTTP: what it says of itself (OpenID Connect Discovery 1.0), keys, tokens.

Nothing that a provider answers is logged or repeated in an error: it may hold tokens.
"""

import io
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import requests
from authlib.integrations.base_client import OAuthError  # type: ignore[import-untyped]
from authlib.integrations.requests_client import OAuth2Session  # type: ignore[import-untyped]
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from urllib3.exceptions import HTTPError

from service.access.addresses import keeps_secrets

SCOPE = "openid"
TO_CONNECT, TO_SAY_SOMETHING, TO_SAY_ALL = 2.0, 3.0, 2.0  # seconds: meanwhile a worker does nothing else
MOST_BYTES = 256 * 1024
KNOWN_FOR = timedelta(hours=1)
LEFT_ALONE_FOR = timedelta(seconds=10)
_CHUNK = 16 * 1024


class ProviderUnavailable(Exception):
    """The provider cannot be used now; the message says why, in words of ours."""


class CodeRefused(Exception):
    """The provider gives no token for this code: it was used, is too old, or was given to somebody else."""


@dataclass(frozen=True)
class Client:
    """How the provider knows this service, and the one address that it sends people back to."""

    issuer: str
    id: str
    secret: str
    redirect_uri: str


@dataclass(frozen=True)
class _Described:
    """What is used of the provider's discovery document, and when it was read."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    secret_in_body: bool
    at: datetime


class Provider:
    """One provider. What it says of itself and its keys are kept for an hour, in this process."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._kept: _Described | None = None
        self._keys: tuple[KeySet, datetime] | None = None
        self._failed_at: datetime | None = None

    def sign_in_url(self, now: datetime, verifier: str, **parameters: Any) -> str:
        """Where a browser goes to sign in. Raises ProviderUnavailable."""
        described = self._described(now)
        with self._session() as session:
            url: str = session.create_authorization_url(
                described.authorization_endpoint, code_verifier=verifier, **parameters
            )[0]
        return url

    def tokens(self, code: str, verifier: str, now: datetime) -> Mapping[str, Any]:
        """What the provider gives for a code. Raises CodeRefused, ProviderUnavailable."""
        described = self._described(now)
        way = "client_secret_post" if described.secret_in_body else "client_secret_basic"
        try:
            with self._session(way) as session:
                tokens: Mapping[str, Any] = session.fetch_token(
                    described.token_endpoint, code=code, code_verifier=verifier, allow_redirects=False
                )
        except OAuthError as error:
            if error.error == "invalid_grant":
                raise CodeRefused from None
            raise ProviderUnavailable("it refuses this service's client id, secret or address") from None
        except (requests.RequestException, HTTPError, ValueError, RecursionError) as error:
            raise ProviderUnavailable(_in_words(error)) from None
        return tokens

    def keys(self, now: datetime, *, anew: bool = False) -> KeySet:
        """The provider's keys; `anew` where one is missing among those kept. Raises ProviderUnavailable."""
        if anew or self._keys is None or not _fresh(self._keys[1], now):
            document = self._read(self._described(now).jwks_uri, now)
            try:
                self._keys = KeySet.import_key_set(document), now  # type: ignore[arg-type]
            except (JoseError, ValueError, TypeError, KeyError):
                raise ProviderUnavailable("its keys cannot be read") from None
        return self._keys[0]

    def _described(self, now: datetime) -> _Described:
        if self._kept is None or not _fresh(self._kept.at, now):
            address = self.client.issuer.rstrip("/") + "/.well-known/openid-configuration"
            self._kept = _description(self._read(address, now), self.client.issuer, now)
        return self._kept

    def _read(self, address: str, now: datetime) -> Mapping[str, Any]:
        """A JSON object that anybody may read. One that failed a moment ago is not asked again."""
        if self._failed_at is not None and timedelta(0) <= now - self._failed_at < LEFT_ALONE_FOR:
            raise ProviderUnavailable("it failed a moment ago")
        try:
            with self._session() as session:
                answer = session.get(address, withhold_token=True, allow_redirects=False)
            if answer.status_code != requests.codes.ok:
                raise ProviderUnavailable(f"it answered with status {answer.status_code}")
            document = answer.json()
            if not isinstance(document, dict):
                raise ProviderUnavailable("it answered with something else than a JSON object")
        except (requests.RequestException, HTTPError, ValueError, RecursionError) as error:
            self._failed_at = now
            raise ProviderUnavailable(_in_words(error)) from None
        except ProviderUnavailable:
            self._failed_at = now
            raise
        return document

    def _session(self, way: str | None = None) -> Any:
        session = OAuth2Session(
            self.client.id,
            self.client.secret,
            token_endpoint_auth_method=way,
            scope=SCOPE,
            redirect_uri=self.client.redirect_uri,
            code_challenge_method="S256",
            default_timeout=(TO_CONNECT, TO_SAY_SOMETHING),
        )
        session.headers["Accept-Encoding"] = "identity"
        session.hooks["response"].append(_read_whole)
        return session


def _description(document: Mapping[str, Any], issuer: str, now: datetime) -> _Described:
    if document.get("issuer") != issuer:
        raise ProviderUnavailable("it describes another issuer")
    endpoints = {
        name: document.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
    }
    for name, address in endpoints.items():
        if not isinstance(address, str) or not keeps_secrets(address):
            raise ProviderUnavailable(f"its {name} is no https address")
    # In a header, providers differ in how a secret with odd characters is written; in a body they do not.
    ways = document.get("token_endpoint_auth_methods_supported")
    in_body = isinstance(ways, list) and "client_secret_post" in ways
    return _Described(**endpoints, secret_in_body=in_body, at=now)  # type: ignore[arg-type]


def _fresh(at: datetime, now: datetime) -> bool:
    return timedelta(0) <= now - at < KNOWN_FOR


def _read_whole(response: requests.Response, **_: Any) -> None:
    """Read the body here: however much is sent, or however slowly, a worker waits for so long only."""
    until, body = time.monotonic() + TO_SAY_ALL, bytearray()
    while chunk := response.raw.read1(_CHUNK):
        body += chunk
        if len(body) > MOST_BYTES or time.monotonic() > until:
            response.close()
            raise requests.ConnectionError("too much or too slow")
    response.raw = io.BytesIO(body)


def _in_words(error: Exception) -> str:
    match error:
        case requests.Timeout():
            return "it did not answer in time"
        case requests.exceptions.SSLError():
            return "its certificate is not trusted here"
        case requests.ConnectionError() | HTTPError():
            return "it cannot be reached"
        case _:
            return "it answered with something that is no answer"
