"""A real OpenID provider on this machine, made with the server side of Authlib.

It checks the client's secret, the redirect URI and the PKCE verifier, and gives each code once. It can be
told to go wrong after that.
"""

import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import requests
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core.grants import OpenIDCode
from flask import Flask, jsonify, request
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from werkzeug.serving import WSGIRequestHandler, make_server

CLIENT_ID, CLIENT_SECRET = "dosegate", "a secret between the two: 1+1=2%"
PUBLIC_URL = "https://dosegate.example"
CALLBACK = "/api/v1/session/oidc/callback"
SUBJECT = "00u-nina"
DISCOVERY = "/.well-known/openid-configuration"
NOW = datetime(2026, 10, 6, 18, 0, 0, 123456, tzinfo=UTC)


@dataclass
class Client(ClientMixin):
    """This service, as the provider knows it."""

    way: str = "client_secret_basic"

    def get_client_id(self):
        return CLIENT_ID

    def get_allowed_scope(self, scope):
        return scope if scope == "openid" else ""

    def check_redirect_uri(self, redirect_uri):
        return redirect_uri == PUBLIC_URL + CALLBACK

    def check_client_secret(self, client_secret):
        return client_secret == CLIENT_SECRET

    def check_endpoint_auth_method(self, method, endpoint):
        return method == self.way

    def check_response_type(self, response_type):
        return response_type == "code"

    def check_grant_type(self, grant_type):
        return grant_type == "authorization_code"


@dataclass
class Code(AuthorizationCodeMixin):
    """An authorization code that has not been used yet."""

    code: str
    redirect_uri: str
    scope: str
    nonce: str
    code_challenge: str
    code_challenge_method: str
    subject: str
    authenticated_at: datetime

    def get_redirect_uri(self):
        return self.redirect_uri

    def get_scope(self):
        return self.scope

    def get_nonce(self):
        return self.nonce

    def get_auth_time(self):
        return int(self.authenticated_at.timestamp())

    def get_acr(self):
        return None

    def get_amr(self):
        return None


def new_key(kid):
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig"})


@dataclass
class IdentityProvider:
    """What it does now. `alters` changes the claims of a token before it is signed with `key`, `forges` makes
    another token of it; `answers` are what it says instead of its own, by path; `asked` are the paths so far.
    """

    issuer: str
    now: datetime
    key: ECKey = field(default_factory=lambda: new_key("first"))
    published: list | None = None
    client: Client = field(default_factory=Client)
    subject: str = SUBJECT
    authenticated_at: datetime | None = None
    refuses: bool = False
    alters: Callable | None = None
    forges: Callable | None = None
    metadata: dict = field(default_factory=dict)
    answers: dict = field(default_factory=dict)
    codes: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)

    def people_go_to(self, url):
        """Send a browser there, whose user signs in; the parameters that it comes back with."""
        sent = requests.get(url, allow_redirects=False, timeout=5)
        assert sent.status_code == 302, sent.text
        location = urlsplit(sent.headers["Location"])
        assert f"{location.scheme}://{location.netloc}{location.path}" == PUBLIC_URL + CALLBACK
        return dict(parse_qsl(location.query))

    def sign_in(self, client, at=NOW):
        """All of it, from start to end."""
        self.now = at
        url, secret = client.start(at)
        return client.finish(self.people_go_to(url), secret, at)

    def authenticate(self, max_age):
        """When the user last gave the password: now, where that was longer ago than is asked for."""
        last = self.authenticated_at
        if last is None or (max_age is not None and self.now - last > timedelta(seconds=int(max_age))):
            self.authenticated_at = self.now
        return self.authenticated_at


class _Grant(AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")

    @property
    def _provider(self):
        return self.server.provider

    def save_authorization_code(self, code, request):
        wanted = request.payload.data
        self._provider.codes[code] = Code(
            code,
            wanted["redirect_uri"],
            wanted["scope"],
            wanted["nonce"],
            wanted["code_challenge"],
            wanted["code_challenge_method"],
            request.user,
            self._provider.authenticate(wanted.get("max_age")),
        )

    def query_authorization_code(self, code, client):
        return self._provider.codes.get(code)

    def delete_authorization_code(self, authorization_code):
        del self._provider.codes[authorization_code.code]

    def authenticate_user(self, authorization_code):
        return authorization_code.subject


class _OpenID(OpenIDCode):
    def __init__(self, server):
        super().__init__(require_nonce=True)
        self._server = server

    def exists_nonce(self, nonce, request):
        return any(code.nonce == nonce for code in self._server.provider.codes.values())

    def generate_user_info(self, user, scope):
        return {"sub": user}

    def get_client_algorithm(self, client):
        return "ES256"

    def get_encode_header(self, client):
        return {"alg": "ES256", "kid": self._server.provider.key.kid}

    def resolve_client_private_key(self, client):
        return self._server.provider.key

    def get_client_claims(self, client):
        provider = self._server.provider
        now = int(provider.now.timestamp())
        return {"iss": provider.issuer, "aud": [CLIENT_ID], "iat": now, "exp": now + 300, "auth_time": now}

    def encode_id_token(self, token, request):
        provider, text = self._server.provider, super().encode_id_token(token, request)
        signed = jwt.decode(text, provider.key, ["ES256"])
        if provider.alters is not None:
            signed.claims = provider.alters(signed.claims)
            text = jwt.encode(signed.header, signed.claims, provider.key, ["ES256"])
        if provider.forges is not None:
            signed.text = text
            text = provider.forges(signed, provider)
        return text


class _Quiet(WSGIRequestHandler):
    def log(self, type, message, *args):
        pass


def _application(server):
    app = Flask("identity_provider")

    @app.before_request
    def note():
        server.provider.asked.append(request.path)
        instead = server.provider.answers.get(request.path)
        return instead() if instead else None

    @app.get(DISCOVERY)
    def discovery():
        issuer = server.provider.issuer
        endpoints = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
        document = {"issuer": issuer, **{name: issuer + path for name, path in endpoints.items()}}
        return jsonify({**document, **server.provider.metadata})

    @app.get("/keys")
    def keys():
        published = server.provider.published
        return jsonify(KeySet([server.provider.key] if published is None else published).as_dict())

    @app.get("/authorize")
    def authorize():
        grant = server.get_consent_grant(end_user=server.provider.subject)
        user = None if server.provider.refuses else server.provider.subject
        return server.create_authorization_response(grant=grant, grant_user=user)

    @app.post("/token")
    def token():
        return server.create_token_response()

    server.init_app(app, query_client=lambda id: id == CLIENT_ID and server.provider.client, save_token=_kept)
    server.register_grant(_Grant, [CodeChallenge(required=True), _OpenID(server)])
    return app


def _kept(token, request):
    """Nobody shows an access token again."""


@contextmanager
def identity_providers():
    """Makes providers, one after the other, on one server of this machine."""
    server = AuthorizationServer()
    served = make_server("127.0.0.1", 0, _application(server), threaded=True, request_handler=_Quiet)
    served.daemon_threads = True
    thread = threading.Thread(target=served.serve_forever, args=(0.05,), daemon=True)
    thread.start()

    def make():
        server.provider = IdentityProvider(f"http://127.0.0.1:{served.port}", NOW)
        return server.provider

    try:
        yield make
    finally:
        served.shutdown()
        thread.join()
        served.server_close()
