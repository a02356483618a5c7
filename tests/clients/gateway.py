"""An EHR's gateway: signs each call of a client that cannot, and passes it on. For trying clients by hand.

python -m tests.clients.gateway SERVICE PORT KEYS.json    writes the public keys to register, and listens
"""

import http.client
import json
import sys
import time
import uuid
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

ISSUER = "https://gateway.example"
KEY = ECKey.generate_key("P-384", {"kid": "gateway"})


def token(url):
    """A token for one call of an address."""
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": url, "iat": now, "exp": now + 300, "jti": str(uuid.uuid4())}
    return jwt.encode({"alg": "ES384", "typ": "JWT", "kid": KEY.kid}, claims, KEY, algorithms=["ES384"])


def gateway(service, port):
    """The server that signs calls of this service and passes them on."""
    behind = urlsplit(service)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self._pass_on(self.rfile.read(int(self.headers.get("Content-Length", 0))))

        def do_GET(self):
            self._pass_on(None)

        def _pass_on(self, body):
            headers = {
                "Content-Type": "application/json",
                "Authorization": f"Bearer {token(service + self.path)}",
            }
            with closing(http.client.HTTPConnection(behind.netloc, timeout=60)) as connection:
                connection.request(self.command, self.path, body, headers)
                response = connection.getresponse()
                answer = response.read()
            self.send_response(response.status)
            self.send_header("Content-Type", response.headers.get("Content-Type", "text/plain"))
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


if __name__ == "__main__":
    service, port, keys = sys.argv[1:]
    Path(keys).write_text(json.dumps({"keys": [KEY.as_dict(private=False)]}))
    with gateway(service, int(port)) as server:
        server.serve_forever()
