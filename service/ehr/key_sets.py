"""JWK sets (RFC 7517): which of their keys sign the calls of an EHR. No secret is ever read into a key."""

import base64
from collections.abc import Mapping
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

SignsAs = tuple[str, str]  # the key's id, and the algorithm it is for
PublicKey = RSAKey | ECKey

ALGORITHMS = ("RS384", "ES384")
MOST_KEYS = 50
_SECRET = {"d", "p", "q", "dp", "dq", "qi", "oth"}
_LONGEST_ID, _LONGEST_NUMBER, _LONGEST_EXPONENT = 255, 2000, 8
_FEWEST_BITS, _MOST_BITS = 2048, 8192


class BadKey(Exception):
    """A key, or a set of them, cannot be used; the message says why, in words of ours."""


def usable_keys(document: object) -> dict[SignsAs, PublicKey]:
    """The keys of a set that an EHR publishes; those that are for something else are left out.

    Raises BadKey for what is no set.
    """
    found: dict[SignsAs, PublicKey] = {}
    for each in _keys(document):
        try:
            described, key = _read(each)
        except BadKey:
            continue
        found.setdefault((described["kid"], described["alg"]), key)
    return found


def public_set(document: object) -> dict[str, Any]:
    """A set that somebody gives, with nothing in it but public keys that can be used. Raises BadKey."""
    kept: list[dict[str, str]] = []
    for place, each in enumerate(_keys(document)):
        try:
            described, _ = _read(each)
        except BadKey as bad:
            raise BadKey(f"key {place + 1} {bad}") from None
        if any(described["kid"] == other["kid"] for other in kept):
            raise BadKey(f"key {place + 1} has the kid of another one")
        kept.append(described)
    if not kept:
        raise BadKey("holds no key")
    return {"keys": kept}


def _keys(document: object) -> list[object]:
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list):
        raise BadKey('is no JWK set: an object with a list of "keys"')
    if len(keys) > MOST_KEYS:
        raise BadKey(f"holds more than {MOST_KEYS} keys")
    return keys


def _read(given: object) -> tuple[dict[str, str], PublicKey]:
    """What is kept of a key, and the key. Raises BadKey."""
    if not isinstance(given, dict):
        raise BadKey("is no object")
    if given.get("kty") == "oct" or "k" in given:
        raise BadKey("is a secret that both sides know; only public keys are taken")
    if _SECRET & set(given):
        raise BadKey("is a private key, which is now known to others: replace it, and give the public one")
    kid = given.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= _LONGEST_ID or not kid.isprintable():
        raise BadKey(f"has no kid of 1 to {_LONGEST_ID} printable characters")
    algorithm, members = _kind(given)
    if given.get("alg", algorithm) != algorithm:
        raise BadKey(f"is for another algorithm than {algorithm}")
    operations = given.get("key_ops", ["verify"])
    if given.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        raise BadKey("is not for signatures")
    numbers = {name: given.get(name) for name in members}
    return {"kid": kid, "alg": algorithm, **numbers}, _imported(numbers)  # type: ignore[dict-item]


def _kind(given: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The one algorithm that a key is good for here, and the members that make it."""
    match given:
        case {"kty": "RSA"}:
            return "RS384", ("kty", "n", "e")
        case {"kty": "EC", "crv": "P-384"}:
            return "ES384", ("kty", "crv", "x", "y")
    raise BadKey("is neither an RSA key nor one of the curve P-384")


def _imported(numbers: Mapping[str, Any]) -> PublicKey:
    if not all(isinstance(each, str) and len(each) <= _LONGEST_NUMBER for each in numbers.values()):
        raise BadKey("lacks a number, or has one that is too long")
    try:
        if numbers["kty"] == "EC":
            return ECKey.import_key({**numbers})
        if not _FEWEST_BITS <= _bits(numbers["n"]) <= _MOST_BITS or len(numbers["e"]) > _LONGEST_EXPONENT:
            raise BadKey(f"is not of {_FEWEST_BITS} to {_MOST_BITS} bits")
        return RSAKey.import_key({**numbers})
    except (JoseError, ValueError, TypeError):
        raise BadKey("cannot be read") from None


def _bits(number: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(number + "==")).bit_length()
