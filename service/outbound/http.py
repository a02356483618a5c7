"""Calls to other servers: who may be called, how long it may take, how much may be answered.

The address of a server is looked up once, checked, and is then the very one that is connected to: a name that
leads somewhere else a moment later leads nowhere. Redirects are answers and are not followed. Nothing of the
environment is heeded (proxies, netrc) but whom to trust: REQUESTS_CA_BUNDLE, else SSL_CERT_FILE, a file or a
folder of certificates, for servers whose certificates the site itself issues.
"""

import os
import socket
import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType

from requests.structures import CaseInsensitiveDict
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from service.outbound.addresses import Forbidden, NotListed, Target, is_public, target_of
from service.outbound.deadlines import Deadline, TimedSocket, addresses_of, connect

__all__ = ["Forbidden", "Outbound", "Reply", "Unreachable"]

_NONE: Mapping[str, str] = MappingProxyType({})
_CHUNK = 64 * 1024
_LIST_IT = "a server inside the site's network is listed in DOSEGATE_PRIVATE_HOSTS"


class Unreachable(Exception):
    """No usable answer: `reason` says why in words of ours, such as "timed out", and holds no URL.

    `status` is that of an answer that began and whose body then failed: too long, too slow, cut off.
    """

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.reason, self.status = reason, status


@dataclass(frozen=True)
class Reply:
    """An answer, of any status. The names of `headers` are found in any case; `body` is as it was sent.

    No encoding is asked for; a body that has one in spite of that (Content-Encoding) is not decoded.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class Outbound:
    """Calls servers on the public internet by https, and `private_hosts` (host, or host:port) by http too.

    It keeps no connection and no state, so that processes and threads can share it. A file of trusted
    certificates that cannot be read is an OSError here, at the start.
    """

    def __init__(self, private_hosts: frozenset[str] = frozenset()) -> None:
        self._private_hosts = private_hosts
        trusted = (
            os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE") or DEFAULT_CA_BUNDLE_PATH
        )
        self._tls = _trusting(trusted)

    def check(self, url: str) -> None:
        """Return where this may be called, by the address alone: no name is looked up.

        Raises Forbidden with the way out, for an administrator, who is the one that asks.
        """
        try:
            target_of(url, self._private_hosts)
        except NotListed as forbidden:
            raise Forbidden(f"{forbidden.reason}; {_LIST_IT}") from None

    def get(self, url: str, *, headers: Mapping[str, str] = _NONE, seconds: float, most_bytes: int) -> Reply:
        """What is there, within `seconds` for all of it. Raises Forbidden, Unreachable."""
        return self._call("GET", url, None, headers=headers, seconds=seconds, most_bytes=most_bytes)

    def post(
        self, url: str, body: bytes, *, headers: Mapping[str, str], seconds: float, most_bytes: int
    ) -> Reply:
        """What is answered to `body`, within `seconds` for all of it. Raises Forbidden, Unreachable."""
        return self._call("POST", url, body, headers=headers, seconds=seconds, most_bytes=most_bytes)

    def _call(
        self,
        method: str,
        url: str,
        body: bytes | None,
        *,
        headers: Mapping[str, str],
        seconds: float,
        most_bytes: int,
    ) -> Reply:
        deadline = Deadline(seconds)
        target = target_of(url, self._private_hosts)
        sent = {**headers, "User-Agent": f"dosegate/{version('dosegate')}", "Connection": "close"}
        try:
            with closing(self._connected(target, deadline)) as sock:
                timed = TimedSocket(sock, deadline)
                connection = _Connection(target, timed)
                try:
                    connection.request(method, target.path, body, sent)
                except ValueError:  # it quotes the header, which may be a token
                    raise Forbidden("a header of the call has a character that no header has") from None
                response = connection.getresponse()
                if timed.ended:  # half of a head would be taken for a whole one
                    raise Unreachable("broke the connection off")
                return _read(response, most_bytes)
        except (OSError, HTTPException) as error:
            raise Unreachable(_in_words(error)) from None

    def _connected(self, target: Target, deadline: Deadline) -> socket.socket:
        addresses = addresses_of(target.host, target.port, deadline)
        if not addresses:
            raise Unreachable("its name is not known")
        if not target.listed and not all(is_public(each.ip) for each in addresses):
            raise Forbidden("it leads into a private network")
        sock = connect(addresses, deadline)
        if not target.secure:
            return sock
        try:
            sock.settimeout(deadline.left())
            return self._tls.wrap_socket(sock, server_hostname=target.host)
        except BaseException:
            sock.close()
            raise


class _Connection(HTTPConnection):
    """One exchange over a connection that was made and checked before; it makes none of its own."""

    auto_open = 0

    def __init__(self, target: Target, sock: TimedSocket) -> None:
        super().__init__(target.host, target.port)
        self.default_port = target.usual_port  # another one is said in the Host header
        self.sock = sock


@cache
def _trusting(certificates: str) -> ssl.SSLContext:
    if Path(certificates).is_dir():
        return ssl.create_default_context(capath=certificates)
    return ssl.create_default_context(cafile=certificates)


def _read(response: HTTPResponse, most_bytes: int) -> Reply:
    """The whole answer. Raises Unreachable with its status."""
    body = bytearray()
    try:
        while len(body) + (response.length or 0) <= most_bytes:
            if not (chunk := response.read1(_CHUNK)):  # read() would take a chunk of any size whole
                break
            body += chunk
        else:
            raise Unreachable("its answer is too long", response.status)
        if response.length:
            raise IncompleteRead(b"")
    except (OSError, HTTPException) as error:
        raise Unreachable(_in_words(error), response.status) from None
    return Reply(response.status, CaseInsensitiveDict(response.getheaders()), bytes(body))


def _in_words(error: Exception) -> str:
    match error:
        case TimeoutError():
            return "timed out"
        case ssl.SSLCertVerificationError():
            return "its certificate is not valid"
        case ConnectionRefusedError():
            return "refused the connection"
        case IncompleteRead() | ConnectionError() | ssl.SSLEOFError():
            return "broke the connection off"
        case ssl.SSLError():
            return "does not speak TLS"
        case HTTPException():
            return "its answer is not HTTP"
        case _:
            return "cannot be reached"
