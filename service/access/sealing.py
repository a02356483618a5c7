"""Data that a browser keeps for us and can neither read nor change: sealed with a key of the site's own."""

import base64
import binascii
import json
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from service.records.site import SiteRecords

_NONCE_BYTES = 12


class NotSealed(Exception):
    """Nothing that was sealed here, for this purpose."""


class Sealer:
    """Seals for one purpose. All workers of a site share what signs checkpoints, and so this key."""

    def __init__(self, records: SiteRecords, purpose: str) -> None:
        private = records.keys.private
        assert private is not None, "records are opened with a key that signs"
        derivation = HKDF(SHA256(), 32, salt=None, info=f"dosegate sealed: {purpose}".encode())
        self._cipher = AESGCM(derivation.derive(private.private_bytes_raw()))
        self._site = records.site.encode()

    def seal(self, data: Any) -> str:
        """Data that is JSON, as a text."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, json.dumps(data).encode(), self._site)
        return base64.urlsafe_b64encode(nonce + sealed).decode("ascii")

    def open(self, sealed: str) -> Any:
        """What was sealed. Raises NotSealed."""
        try:
            raw = base64.urlsafe_b64decode(sealed.encode("ascii"))
            return json.loads(self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], self._site))
        except (ValueError, binascii.Error, InvalidTag) as error:
            raise NotSealed from error
