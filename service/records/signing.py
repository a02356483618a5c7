"""Signed checkpoints: a chain's state under a key that is not in the database (Ed25519, RFC 8032)."""

import base64
import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from service.records.journal import JournalEntry
from service.records.tables import moment_text

_BEGIN = b"-----BEGIN "


class BadKeyFile(Exception):
    """A file of keys that cannot be used; the message is one line that names it."""


@dataclass(frozen=True)
class Checkpoint:
    """What the chain of a site was up to one entry: that entry's sequence, time and digest, signed.

    `key` is the id of the key that signed; `signature` is base64.
    """

    site: str
    sequence: int
    at: datetime
    digest: str
    key: str
    signature: str

    def document(self) -> dict[str, Any]:
        """The checkpoint as JSON, as it is exported."""
        return {**vars(self), "at": moment_text(self.at)}


def as_head(document: Mapping[str, Any]) -> dict[str, Any]:
    """What is signed in place of a checkpoint's document where the checkpoint is the head of the chain."""
    return {**document, "head": True}


def signed_bytes(document: dict[str, Any]) -> bytes:
    """What is signed of a checkpoint's document: all of it but the signature."""
    return rfc8785.dumps({key: value for key, value in document.items() if key != "signature"})


def key_id(public: bytes) -> str:
    """The id of a public key, from its 32 bytes."""
    return hashlib.sha256(public).hexdigest()[:16]


@dataclass
class Keys:
    """The keys whose signatures count, by id, as 32 bytes each; `private` signs, where it is here.

    The files that they were read from are read again where another key has signed: it was rotated since, and
    who is running goes on with the new one.
    """

    public: dict[str, bytes]
    private: Ed25519PrivateKey | None = None
    files: tuple[Path, ...] = ()
    _last: dict[str, Checkpoint] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def read(cls, *paths: Path) -> "Keys":
        """The keys in PEM files. The first private one signs, all others only verify. Raises BadKeyFile."""
        public: dict[str, bytes] = {}
        private = None
        for path in paths:
            for found in keys_in(path):
                if isinstance(found, Ed25519PrivateKey):
                    private = private or found
                    found = found.public_key()  # noqa: PLW2901
                raw = found.public_bytes_raw()
                public[key_id(raw)] = raw
        return cls(public, private, paths)

    def read_again(self) -> None:
        """Take the keys that are in the files now. Where they cannot be read, those from before are good."""
        if self.files:
            with suppress(BadKeyFile):
                now = Keys.read(*self.files)
                if self.private is None or now.private is not None:
                    self.public, self.private = now.public, now.private

    @classmethod
    def made(cls, path: Path) -> "Keys":
        """A new key, in a file of its own that only its owner may read. Raises BadKeyFile."""
        pem = private_pem(Ed25519PrivateKey.generate())
        try:
            with NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}.") as file:  # its owner's only
                file.write(pem)
                file.flush()
                os.fsync(file.fileno())
                os.link(file.name, path)  # whole or not there: nobody ever reads a half of it
        except FileExistsError:  # another worker was first
            return cls.read(path)
        except OSError as error:
            raise BadKeyFile(f"{path}: the signing key cannot be made: {error.strerror}") from None
        return cls.read(path)

    @property
    def signer(self) -> str:
        """The id of the key that signs. Raises BadKeyFile where there is none."""
        return _id_of(self._signing())

    def checkpoint(self, entry: JournalEntry) -> Checkpoint:
        """The chain of the entry's site, up to the entry, signed. Raises BadKeyFile."""
        private = self._signing()  # once: another thread may meet a newer one meanwhile
        unsigned = Checkpoint(entry.site, entry.sequence, entry.at, entry.digest, _id_of(private), "")
        return _signed(private, unsigned, unsigned.document())

    def head(self, site: str, sequence: int, at: datetime, digest: str) -> Checkpoint:
        """A checkpoint of where the chain of a site ends, signed as its head. Raises BadKeyFile.

        No other checkpoint counts as a head: those that are kept cannot hide what came behind them.
        """
        private = self._signing()
        unsigned = Checkpoint(site, sequence, at, digest, _id_of(private), "")
        head = self._last[site] = _signed(private, unsigned, as_head(unsigned.document()))
        return head

    def signed_head(self, head: Checkpoint) -> bool:
        """Whether one of these keys signed it as a head; that of these here is known without a look."""
        if self._last.get(head.site) == head:
            return True
        if self.private is None or head.key != self.signer:
            self.read_again()
        return self.verifies(as_head(head.document()))

    def _signing(self) -> Ed25519PrivateKey:
        if self.private is None:
            raise BadKeyFile("there is no private key to sign with")
        return self.private

    def verifies(self, document: dict[str, Any]) -> bool:
        """Whether a checkpoint's document is signed by one of these keys."""
        public = self.public.get(document["key"])
        if public is None:
            return False
        try:
            signature = base64.b64decode(document["signature"], validate=True)
            Ed25519PublicKey.from_public_bytes(public).verify(signature, signed_bytes(document))
        except (InvalidSignature, ValueError):
            return False
        return True

    def public_pem(self) -> bytes:
        """All public keys, the signing one first: what somebody needs who verifies."""
        first = self.signer if self.private else ""
        ordered = sorted(self.public, key=lambda each: each != first)
        return b"".join(
            Ed25519PublicKey.from_public_bytes(self.public[each]).public_bytes(
                Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
            )
            for each in ordered
        )


def _id_of(private: Ed25519PrivateKey) -> str:
    return key_id(private.public_key().public_bytes_raw())


def _signed(private: Ed25519PrivateKey, unsigned: Checkpoint, document: dict[str, Any]) -> Checkpoint:
    signature = private.sign(signed_bytes(document))
    return replace(unsigned, signature=base64.b64encode(signature).decode())


def private_pem(private: Ed25519PrivateKey) -> bytes:
    """A private key as it stands in a file of keys."""
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def keys_in(path: Path) -> list[Ed25519PrivateKey | Ed25519PublicKey]:
    """The keys in a PEM file, in order. Raises BadKeyFile."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadKeyFile(f"{path}: the keys cannot be read: {error.strerror}") from None
    found: list[Ed25519PrivateKey | Ed25519PublicKey] = []
    for part in content.split(_BEGIN)[1:]:
        pem = _BEGIN + part
        try:
            key = load_pem_private_key(pem, None) if part.startswith(b"PRIVATE") else load_pem_public_key(pem)
        except (ValueError, TypeError):
            raise BadKeyFile(f"{path}: holds something that is no Ed25519 key in PEM") from None
        if not isinstance(key, Ed25519PrivateKey | Ed25519PublicKey):
            raise BadKeyFile(f"{path}: holds a key that is not Ed25519")
        found.append(key)
    if not found:
        raise BadKeyFile(f"{path}: holds no Ed25519 key in PEM")
    return found
