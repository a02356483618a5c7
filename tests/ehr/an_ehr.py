"""An EHR for tests: keys of its own, a server that publishes them, and tokens that it signs."""

import base64
import functools
import hmac
import json
import threading
import uuid
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

ISSUER, PUBLIC_URL = "https://ehr.example.org/issuer", "https://dosegate.example"
SERVICE = "/cds-services/infusion"


@functools.cache
def rsa_key(name="rsa"):
    """A private RSA key, always the same one of this name; its name is its kid."""
    return RSAKey.generate_key(2048, {"kid": name})


@functools.cache
def ec_key(name="ec", curve="P-384"):
    """The same on a curve."""
    return ECKey.generate_key(curve, {"kid": name})


def public(*keys, **more):
    """The JWK set that publishes these keys; `more` stands in each of them."""
    return {"keys": [{**key.as_dict(private=False), **more} for key in keys]}


def claims_at(now, url=PUBLIC_URL + SERVICE, /, without=(), **changes):
    """The claims of a token for that address, with a jti of its own."""
    issued = int(now.timestamp())
    claims = {"iss": ISSUER, "aud": url, "iat": issued, "exp": issued + 300, "jti": str(uuid.uuid4())}
    return {name: value for name, value in {**claims, **changes}.items() if name not in without}


def signed(claims, key=None, alg="ES384", /, without=(), **header):
    """A token with these claims; `header` changes what its header says, which is what is signed."""
    key = key or ec_key()
    named = {"alg": alg, "typ": "JWT", "kid": key.kid, **header}
    named = {name: value for name, value in named.items() if name not in without}
    algorithm = jws.JWSRegistry.algorithms[alg]
    text = f"{_encoded(named)}.{_encoded(claims)}"
    return f"{text}.{_base64(algorithm.sign(text.encode(), key))}"


def signed_with_secret(claims, kid, alg, secret):
    """A token whose signature is one of a secret that both sides would have to know."""
    text = unsigned(claims, {"alg": alg, "typ": "JWT", "kid": kid}).rpartition(".")[0]
    return f"{text}.{_base64(hmac.digest(secret, text.encode(), alg.replace('HS', 'sha')))}"


def unsigned(claims, header, signature=b""):
    """A token with any header, signed by nobody."""
    return f"{_encoded(header)}.{_encoded(claims)}.{_base64(signature)}"


def bearer(token):
    """The header that a token comes in."""
    return f"Bearer {token}"


def _encoded(part):
    return _base64(part if isinstance(part, bytes) else json.dumps(part).encode())


def _base64(part):
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


class KeyServer:
    """Publishes a JWK set, counts how often it is read, and fails when it is told to."""

    def __init__(self, url):
        self.url, self.document, self.status, self.headers, self.reads = url, public(ec_key()), 200, {}, 0

    @property
    def body(self):
        """What it sends."""
        return self.document if isinstance(self.document, bytes) else json.dumps(self.document).encode()


@contextmanager
def key_server():
    """A key server on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            served.reads += 1
            self.send_response(served.status)
            for name, value in served.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(served.body)))
            self.end_headers()
            self.wfile.write(served.body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served = KeyServer(f"http://127.0.0.1:{server.server_port}/jwks.json")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()
