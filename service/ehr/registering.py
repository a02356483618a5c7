"""What may be registered of an EHR: one error for each bad field."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from service.access.addresses import keeps_secrets
from service.ehr.key_sets import BadKey, public_set
from service.intake.errors import BadInput, FieldError
from service.outbound.http import Forbidden, Outbound

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")
ISSUER = re.compile(r"[!-~]{1,500}")
_TENANT = re.compile(r"[ -~]{1,255}")
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:.]+\](:[0-9]{1,5})?")
_DEFAULT_PORTS = {"https": 443, "http": 80}
_LONGEST_ADDRESS, _MOST = 2000, 100


@dataclass(frozen=True)
class NewEhrClient:
    """An EHR as somebody wants it registered."""

    name: str
    issuer: str
    jwks_url: str | None = None
    jwks: Mapping[str, Any] | None = None
    tenants: tuple[str, ...] = ()
    fhir_servers: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()

    def checked(self, outbound: Outbound) -> dict[str, Any]:
        """The fields as they are kept. Raises BadInput naming each bad one."""
        errors = [*self._bad_names(), *self._bad_lists(outbound)]
        keys = None
        if (self.jwks_url is None) == (self.jwks is None):
            errors.append(FieldError("jwks_url", "or jwks is needed, and not both"))
        elif self.jwks_url is not None:
            errors += _bad_address("jwks_url", self.jwks_url, outbound)
        else:
            try:
                keys = public_set(self.jwks)
            except BadKey as bad:
                errors.append(FieldError("jwks", str(bad)))
        if errors:
            raise BadInput(errors)
        servers = tuple(map(without_slash, self.fhir_servers))
        return {**vars(self), "jwks": keys, "fhir_servers": servers}

    def _bad_names(self) -> Iterator[FieldError]:
        if not NAME.fullmatch(self.name):
            says = "must be 2 to 64 of a-z, 0-9, dot, dash and underscore, and begin with a letter or digit"
            yield FieldError("name", says)
        if not ISSUER.fullmatch(self.issuer):
            yield FieldError("issuer", "must be the iss of its tokens: 1 to 500 visible ASCII characters")

    def _bad_lists(self, outbound: Outbound) -> Iterator[FieldError]:
        for name in ("tenants", "fhir_servers", "origins"):
            given = getattr(self, name)
            if len(given) > _MOST or len(set(given)) < len(given):
                yield FieldError(name, f"must be at most {_MOST}, each of them once")
        for place, tenant in enumerate(self.tenants):
            if not _TENANT.fullmatch(tenant):
                yield FieldError(f"tenants[{place}]", "must be 1 to 255 ASCII characters")
        for place, server in enumerate(self.fhir_servers):
            yield from _bad_address(f"fhir_servers[{place}]", server, outbound)
        for place, origin in enumerate(self.origins):
            if not _is_origin(origin):
                says = "must be scheme://host or scheme://host:port as a browser sends it, and https"
                yield FieldError(f"origins[{place}]", says)


def without_slash(url: str) -> str:
    """An address without the slash at its end, so that it can be compared."""
    return url.removesuffix("/")


def _bad_address(path: str, url: str, outbound: Outbound) -> Iterator[FieldError]:
    if len(url) > _LONGEST_ADDRESS:
        yield FieldError(path, f"must be at most {_LONGEST_ADDRESS} characters")
        return
    try:
        outbound.check(url)
    except Forbidden as forbidden:
        yield FieldError(path, f"cannot be called: {forbidden.reason}")


def _is_origin(origin: str) -> bool:
    """Whether a browser sends it so: in lower case, no default port, no path; http on this machine alone."""
    if not _ORIGIN.fullmatch(origin) or not keeps_secrets(origin):
        return False
    parts = urlsplit(origin)
    return parts.port != _DEFAULT_PORTS[parts.scheme]
