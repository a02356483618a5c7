"""Signing in by a site's identity provider (OpenID Connect Core 1.0, authorization code flow with PKCE).

A browser keeps one secret from the start to the end, in a cookie. What the provider is told is derived from
it: `state` is known to this browser only, `nonce` comes back inside what the provider signs, and the PKCE
verifier is shown for the code alone. When the sign-in began is part of the secret, and so of the signed
nonce: nobody can make an old one young. So nothing is kept here, and no key of ours has to guard the cookie.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.errors import ClaimError, ExpiredTokenError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from service.access.provider import CodeRefused, Provider

LASTS = timedelta(minutes=10)
# The provider asks for the password (or what it has) again where it last did so longer ago than this: on a
# shared workstation its own session may be somebody else's.
AUTHENTICATED_WITHIN = timedelta(minutes=5)
LEEWAY = timedelta(minutes=1)
ALGORITHMS = ("RS256", "PS256", "ES256")

_KEPT = re.compile(r"([0-9]{1,11})\.[A-Za-z0-9_-]{43}")
_SUBJECT = re.compile(r"[ -~]{1,255}")
_CODE = re.compile(r"[ -~]{1,4096}")


class Refusal(StrEnum):
    """Why a sign-in was refused. The words are in the journal: never rename one."""

    STATE = "state"
    STALE = "stale"
    BY_PROVIDER = "provider"
    CODE = "code"
    NO_TOKEN = "no_token"
    SIGNATURE = "signature"
    EXPIRED = "expired"
    CLAIM = "claim"
    AUTHENTICATION = "authentication_time"
    ACCOUNT = "account"


class SignInRefused(Exception):
    """Who came back from the provider is not let in."""

    def __init__(self, refusal: Refusal, claim: str | None = None) -> None:
        self.refusal, self.claim = refusal, claim
        super().__init__(refusal.value)


@dataclass(frozen=True)
class _Kept:
    """The secret of one sign-in under way, as its cookie has it: when it began, and 256 random bits."""

    text: str
    began_at: datetime

    @classmethod
    def new(cls, now: datetime) -> "_Kept":
        return cls(f"{int(now.timestamp())}.{secrets.token_urlsafe(32)}", now)

    @classmethod
    def read(cls, text: str | None) -> "_Kept | None":
        shaped = _KEPT.fullmatch(text or "")
        return cls(shaped[0], datetime.fromtimestamp(int(shaped[1]), UTC)) if shaped else None

    def derived(self, purpose: str) -> str:
        digest = hmac.new(self.text.encode("ascii"), purpose.encode("ascii"), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


class OidcClient:
    """Sends a browser to the provider, and learns from the provider who came back."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def start(self, now: datetime) -> tuple[str, str]:
        """Where the browser goes, and the secret that it keeps meanwhile. Raises ProviderUnavailable."""
        kept = _Kept.new(now)
        url = self._provider.sign_in_url(
            now,
            kept.derived("verifier"),
            state=kept.derived("state"),
            nonce=kept.derived("nonce"),
            max_age=int(AUTHENTICATED_WITHIN.total_seconds()),
        )
        return url, kept.text

    def finish(self, answer: Mapping[str, str], secret: str | None, now: datetime) -> tuple[str, str]:
        """The issuer, and its name for who signed in, from the answer in the address and the secret kept.

        Raises SignInRefused, ProviderUnavailable.
        """
        kept = _Kept.read(secret)
        if kept is None or not _same(kept.derived("state"), answer.get("state", "")):
            raise SignInRefused(Refusal.STATE)
        if not -LEEWAY <= now - kept.began_at <= LASTS:
            raise SignInRefused(Refusal.STALE)
        issuer, code = self._provider.client.issuer, answer.get("code", "")
        if answer.get("iss", issuer) != issuer:  # RFC 9207: another provider's answer
            raise SignInRefused(Refusal.CLAIM, "iss")
        if "error" in answer or not _CODE.fullmatch(code):
            raise SignInRefused(Refusal.BY_PROVIDER)
        try:
            tokens = self._provider.tokens(code, kept.derived("verifier"), now)
        except CodeRefused:
            raise SignInRefused(Refusal.CODE) from None
        return issuer, self._subject(tokens, kept.derived("nonce"), now)

    def _subject(self, tokens: Mapping[str, Any], nonce: str, now: datetime) -> str:
        token = tokens.get("id_token")
        if not isinstance(token, str):
            raise SignInRefused(Refusal.NO_TOKEN)
        client = self._provider.client
        signed = self._signed(token, now)
        wanted = {"iss": {"value": client.issuer}, "aud": {"value": client.id}}
        given = {"nonce": nonce, "client_id": client.id, "access_token": tokens.get("access_token")}
        claims = CodeIDToken(signed.claims, signed.header, wanted, given)
        try:
            claims.validate(int(now.timestamp()), int(LEEWAY.total_seconds()))
        except ExpiredTokenError:
            raise SignInRefused(Refusal.EXPIRED) from None
        except ClaimError as error:
            raise SignInRefused(Refusal.CLAIM, error.claim) from None
        except (JoseError, ValueError, TypeError, RecursionError):
            raise SignInRefused(Refusal.CLAIM) from None
        if not _authenticated_lately(claims.get("auth_time"), now):
            raise SignInRefused(Refusal.AUTHENTICATION)
        subject = claims["sub"]
        if not (isinstance(subject, str) and _SUBJECT.fullmatch(subject)):
            raise SignInRefused(Refusal.CLAIM, "sub")
        return subject

    def _signed(self, token: str, now: datetime) -> jwt.Token:
        """The token, if a key of the provider signed it; keys that it does not name are read again, once."""
        try:
            try:
                return _decoded(token, self._provider.keys(now))
            except InvalidKeyIdError:
                return _decoded(token, self._provider.keys(now, anew=True))
        except (JoseError, ValueError, TypeError, RecursionError):
            raise SignInRefused(Refusal.SIGNATURE) from None


def _decoded(token: str, keys: KeySet) -> jwt.Token:
    return jwt.decode(token, keys, registry=JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False))


def _same(ours: str, theirs: str) -> bool:
    return hmac.compare_digest(ours.encode(), theirs.encode("utf-8", "surrogatepass"))


def _authenticated_lately(at: object, now: datetime) -> bool:
    if isinstance(at, bool) or not isinstance(at, int | float):
        return False
    leeway, ago = LEEWAY.total_seconds(), now.timestamp() - at
    return -leeway <= ago <= AUTHENTICATED_WITHIN.total_seconds() + leeway
