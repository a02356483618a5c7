"""Another key to sign with, in the file of keys: of the old one only what verifies is kept."""

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from service.records.signing import BadKeyFile, Keys, key_id, keys_in, private_pem


def prepare(file: Path) -> str:
    """Add a new key behind the one that signs: it verifies only, until it is rotated to. Its id.

    Raises BadKeyFile, also where one is prepared already.
    """
    private, public = _in(file)
    if len(private) > 1:
        raise BadKeyFile(f"{file}: a key is prepared already: {_id(private[1])}")
    new = Ed25519PrivateKey.generate()
    _write(file, [*private, new], public)
    return _id(new)


def rotate(file: Path) -> str:
    """Let the key that was prepared sign from now on, or else a new one. Its id. Raises BadKeyFile."""
    private, public = _in(file)
    new = private[1] if len(private) > 1 else Ed25519PrivateKey.generate()
    others = [each.public_key() for each in private if each is not new]
    _write(file, [new], [*others, *public])
    return _id(new)


def _in(file: Path) -> tuple[list[Ed25519PrivateKey], list[Ed25519PublicKey]]:
    private: list[Ed25519PrivateKey] = []
    public: list[Ed25519PublicKey] = []
    for each in keys_in(file):
        if isinstance(each, Ed25519PrivateKey):
            private.append(each)
        else:
            public.append(each)
    if not private:
        raise BadKeyFile(f"{file}: holds no private key to rotate")
    return private, public


def _id(private: Ed25519PrivateKey) -> str:
    return key_id(private.public_key().public_bytes_raw())


def _write(file: Path, private: Sequence[Ed25519PrivateKey], public: Sequence[Ed25519PublicKey]) -> None:
    """Whole or not at all, and whoever could read the file still can: workers read it while they run."""
    known = {key_id(each.public_bytes_raw()): each.public_bytes_raw() for each in public}
    content = b"".join(map(private_pem, private)) + Keys(known).public_pem()
    place = file.resolve()
    try:
        before = place.stat()
        with NamedTemporaryFile(dir=place.parent, prefix=f".{place.name}.", delete=False) as new:
            try:
                new.write(content)
                new.flush()
                os.fchown(new.fileno(), before.st_uid, before.st_gid)
                os.fchmod(new.fileno(), before.st_mode & 0o777)
                os.fsync(new.fileno())
                Path(new.name).replace(place)
            except BaseException:
                Path(new.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise BadKeyFile(f"{file}: the keys cannot be written: {error.strerror}") from None
