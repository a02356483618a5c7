"""A server of raw bytes on this machine, which says what a test wants and how slowly; and certificates."""

import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

HEAD_ENDS = b"\r\n\r\n"


class Server:
    """Answers every connection by `answer(connection, request, server)`; keeps the requests that came."""

    def __init__(
        self,
        answer: Callable,
        tls: ssl.SSLContext | None = None,
        *,
        hears: bool = True,
    ):
        self._answer, self._tls, self._hears = answer, tls, hears
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self.port = self._listening.getsockname()[1]
        self.ended = threading.Event()
        self.connections = 0
        self.requests: list[bytes] = []

    def __enter__(self) -> "Server":
        self._begin(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join(timeout=10)

    def url(self, host: str = "127.0.0.1", path: str = "/", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def _begin(self, work: Callable, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            self._begin(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.settimeout(10)
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            request = self._read(connection) if self._hears else b""
            if HEAD_ENDS in request or not self._hears:
                self._answer(connection, request, self)
        except OSError:  # the other side has heard enough
            pass
        finally:
            connection.close()

    def _read(self, connection: socket.socket) -> bytes:
        data = b""
        while HEAD_ENDS not in data:
            if not (more := connection.recv(65536)):
                return data
            data += more
        head, body = data.split(HEAD_ENDS, 1)
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, value = line.split(b":", 1)
            if name.lower() == b"content-length":
                length = int(value)
        while len(body) < length:
            body += connection.recv(65536)
        self.requests.append(head + HEAD_ENDS + body)
        return self.requests[-1]


def saying(*parts: bytes) -> Callable:
    """An answer of these bytes, and then the end."""

    def answer(connection, _request, _server):
        for part in parts:
            connection.sendall(part)

    return answer


def dripping(first: bytes, drop: bytes, every: float = 0.02) -> Callable:
    """An answer that begins, and then never ends."""

    def answer(connection, _request, server):
        connection.sendall(first)
        while not server.ended.wait(every):
            connection.sendall(drop)

    return answer


def pouring(first: bytes, bucket: bytes) -> Callable:
    """An answer that never ends, as fast as can be."""

    def answer(connection, _request, server):
        connection.sendall(first)
        while not server.ended.is_set():
            connection.sendall(bucket)

    return answer


def sipping(connection, _request, server) -> None:
    """No answer, and of what is sent a little at a time."""
    while not server.ended.wait(0.02):
        connection.recv(128 * 1024)


def silent(_connection, _request, server) -> None:
    """No answer at all, on a connection that stays."""
    server.ended.wait()


def ok(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + HEAD_ENDS + body


@dataclass(frozen=True)
class Authority:
    """One that issues certificates: its own is in `file`."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    file: Path
    folder: Path

    @classmethod
    def made(cls, folder: Path) -> "Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("A made authority")
        usage = dict.fromkeys(_USES, False) | {"key_cert_sign": True, "crl_sign": True}
        certificate = (
            _begun(name, name, key, timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.KeyUsage(**usage), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        file = folder / "authority.pem"
        file.write_bytes(certificate.public_bytes(Encoding.PEM))
        return cls(key, certificate, file, folder)

    def server(self, *names: str, valid: timedelta = timedelta(days=1)) -> ssl.SSLContext:
        """What a server of these names and addresses speaks TLS with."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _begun(_name(names[0]), self.certificate.subject, key, valid)
            .add_extension(x509.SubjectAlternativeName([_san(name) for name in names]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
            .sign(self.key, hashes.SHA256())
        )
        file = self.folder / f"server-{certificate.serial_number}.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(certificate.public_bytes(Encoding.PEM) + private)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


_USES = (
    "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign "
    "crl_sign encipher_only decipher_only"
).split()


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _begun(subject, issuer, key, valid: timedelta) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder(subject_name=subject, issuer_name=issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + valid)
    )


def _san(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
