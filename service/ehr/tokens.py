"""The JWT that an EHR sends with each call of CDS Hooks: who is asked, in which order, and once only.

Who is refused is told nothing. Why is for the log, in words of ours: neither the token nor what an unknown
issuer claims is in it.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jws import CompactSignature, JWSRegistry
from sqlalchemy import delete

from service.access.principal import Principal
from service.ehr.clients import EhrClient, EhrClients
from service.ehr.key_sets import ALGORITHMS
from service.ehr.keys import ClientKeys, NoKey
from service.outbound.http import Outbound
from service.records.database import add_once
from service.records.site import SiteRecords
from service.records.tables import used_tokens

LEEWAY, LONGEST_LIFE = 60, 3600  # seconds
MOST_CHARACTERS = 8192
_BEARER = "bearer "
_LONGEST_ID = 255
# Workers on several machines may not have the same time: a used token is remembered so much longer.
_MARGIN = timedelta(minutes=10)

_SIGNED = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
_SIGNED.max_header_length = _SIGNED.max_signature_length = 4096
_SIGNED.max_payload_length = MOST_CHARACTERS


class NotTrusted(Exception):
    """Whoever calls has not shown to be an EHR that is registered; the message is for the log alone."""


@dataclass(frozen=True)
class EhrCaller:
    """The EHR that calls, and for which of its tenants, where it says so."""

    client: EhrClient
    tenant: str | None

    @property
    def principal(self) -> Principal:
        """The EHR as one who asks."""
        return self.client.principal


class Trust:
    """Knows the EHRs of one site by the tokens that they sign."""

    def __init__(self, clients: EhrClients, outbound: Outbound, records: SiteRecords) -> None:
        self._clients, self._keys, self._records = clients, ClientKeys(outbound), records

    def caller(self, authorization: str | None, url: str, now: datetime) -> EhrCaller:
        """Who calls this address with this header; the token is used. Raises NotTrusted, StoreUnavailable."""
        token = _read(authorization or "")
        claims = _claims(token)
        issuer = claims.get("iss")
        client = self._clients.by_issuer(issuer) if isinstance(issuer, str) else None
        if client is None:
            raise NotTrusted("its issuer is not registered, or is revoked")
        try:
            _check_audience(claims, url)
            good_until = _check_times(claims, now.timestamp())
            tenant = _tenant(claims, client)
            self._check_signature(token, client, now)
            self._use(claims, good_until, now)
        except (NotTrusted, NoKey) as error:
            raise NotTrusted(f"ehr:{client.name}: {error}") from None
        return EhrCaller(client, tenant)

    def _check_signature(self, token: CompactSignature, client: EhrClient, now: datetime) -> None:
        """Return where a key of the EHR signed it. Raises NotTrusted, NoKey."""
        header = token.headers()
        algorithm, kid = header.get("alg"), header.get("kid")
        if header.get("typ") != "JWT":
            raise NotTrusted("its typ is not JWT")
        if algorithm not in ALGORITHMS:
            raise NotTrusted(f"its alg is none of {', '.join(ALGORITHMS)}")
        if "crit" in header:
            raise NotTrusted("its header asks for an extension (crit)")
        # Keys given by hand are looked for nowhere else, so that there it does not matter.
        if "jku" in header and client.jwks_url is not None and header["jku"] != client.jwks_url:
            raise NotTrusted("its jku is not the address that is registered")
        if not isinstance(kid, str):
            raise NotTrusted("it names no key (kid)")
        key = self._keys.key(client, (kid, str(algorithm)), now)
        try:
            signed = jws.validate_compact(token, key, registry=_SIGNED)
        except (JoseError, ValueError, TypeError):
            signed = False
        if not signed:
            raise NotTrusted("its signature is not one of the key that it names")

    def _use(self, claims: Mapping[str, Any], good_until: float, now: datetime) -> None:
        """Use a token up, in the one transaction that says whether it was used before. Raises NotTrusted."""
        jti = claims.get("jti")
        if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_ID:
            raise NotTrusted(f"it has no jti of 1 to {_LONGEST_ID} characters")
        digest = hashlib.sha256(f"{claims['iss']}\0{jti}".encode("utf-8", "surrogatepass")).hexdigest()
        site, until = self._records.site, datetime.fromtimestamp(good_until, UTC) + _MARGIN
        old = (used_tokens.c.site == site, used_tokens.c.expires_at <= now)
        with self._records.noting() as connection:
            row = {"site": site, "digest": digest, "expires_at": until}
            first = add_once(connection, used_tokens, row)
            connection.execute(delete(used_tokens).where(*old))
        if not first:
            raise NotTrusted("it was used before")


def _read(authorization: str) -> CompactSignature:
    """The token of a header, not trusted yet. Raises NotTrusted."""
    if authorization[: len(_BEARER)].casefold() != _BEARER:
        raise NotTrusted("there is no bearer token")
    if len(authorization) > MOST_CHARACTERS:
        raise NotTrusted(f"its token is longer than {MOST_CHARACTERS} characters")
    try:
        token = jws.extract_compact(authorization[len(_BEARER) :].strip().encode("ascii"), registry=_SIGNED)
    # A header that is JSON, but no object, is met nowhere else than where its members are looked up.
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError):
        raise NotTrusted("its token is no JWT") from None
    if not isinstance(token.protected, dict):
        raise NotTrusted("its token is no JWT")
    return token


def _claims(token: CompactSignature) -> dict[str, Any]:
    try:
        claims = json.loads(token.payload or b"")
    except (ValueError, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        raise NotTrusted("its claims are no JSON object")
    return claims


def _check_audience(claims: Mapping[str, Any], url: str) -> None:
    audience = claims.get("aud")
    if audience != url and not (isinstance(audience, list) and url in audience):
        raise NotTrusted("its aud is not the exact public address that was called")


def _check_times(claims: Mapping[str, Any], now: float) -> float:
    """Until when the token would be taken, in seconds of Unix. Raises NotTrusted."""
    expires, issued = _time(claims, "exp"), _time(claims, "iat")
    if expires + LEEWAY <= now:
        raise NotTrusted("it has expired")
    if issued > now + LEEWAY:
        raise NotTrusted("it was issued in the future (iat)")
    if not 0 < expires - issued <= LONGEST_LIFE:
        raise NotTrusted(f"it is not good for 1 to {LONGEST_LIFE} seconds (exp, iat)")
    if "nbf" in claims and _time(claims, "nbf") > now + LEEWAY:
        raise NotTrusted("it is not good yet (nbf)")
    return expires + LEEWAY


def _time(claims: Mapping[str, Any], name: str) -> float:
    at = claims.get(name)
    whole = isinstance(at, int) and not isinstance(at, bool)
    if whole or (isinstance(at, float) and math.isfinite(at)):
        return at  # type: ignore[return-value]
    raise NotTrusted(f"its {name} is missing, or no time")


def _tenant(claims: Mapping[str, Any], client: EhrClient) -> str | None:
    tenant = claims.get("tenant")
    if tenant is not None and not isinstance(tenant, str):
        raise NotTrusted("its tenant is no text")
    if client.tenants and tenant not in client.tenants:
        raise NotTrusted("its tenant is not one of those that are registered")
    return tenant
