"""Which addresses are called: on the web by https, and inside the site's network only those listed."""

import re
from collections.abc import Set
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

_PORTS = {"https": 443, "http": 80}
_WRITTEN = re.compile(r"[!-\"$-\[\]-~]+")  # visible ASCII without a backslash, and no fragment
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*")
_LIKE_A_NUMBER = re.compile(r"(.*\.)?(\d+|0x[0-9a-f]*)")  # 2130706433, 0x7f.1: other ways to write an address
# What ipaddress calls global though no server of ours to call stands there.
_RELAYS = IPv4Network("192.88.99.0/24")
_UNICAST = IPv6Network("2000::/3")
_TUNNELS = (IPv6Network("2001::/23"), IPv6Network("2002::/16"))
_TRANSLATED = IPv6Network("64:ff9b::/96")  # NAT64: an IPv4 address in its last 32 bits


class Forbidden(Exception):
    """An address, or a header, that is never sent to; `reason` says why in our words and holds no URL."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotListed(Forbidden):
    """An address that would be called if the operator had listed its host."""


@dataclass(frozen=True)
class Target:
    """An address that may be called, as far as it tells by itself.

    `listed`: it stands inside the site's network by the operator's own word, so that it may be private.
    """

    host: str
    port: int
    path: str
    secure: bool
    listed: bool

    @property
    def usual_port(self) -> int:
        """The port that goes without saying."""
        return _PORTS["https" if self.secure else "http"]


def target_of(url: str, private_hosts: Set[str]) -> Target:
    """What is called, by the address alone: no name is looked up. Raises Forbidden."""
    if not _WRITTEN.fullmatch(url):
        raise Forbidden("it has a fragment, a space, or a character that no address has")
    try:
        parts = urlsplit(url)
        scheme, written, port = parts.scheme, parts.hostname, parts.port
    except ValueError:
        raise Forbidden("it is no address") from None
    if scheme not in _PORTS or not written:
        raise Forbidden("it is no https address")
    if parts.username is not None or parts.password is not None:
        raise Forbidden("it has a user name or a password in it")
    port = _PORTS[scheme] if port is None else port
    if port == 0:
        raise Forbidden("it has a port that no server has")
    host = written.removesuffix(".")
    listed = host in private_hosts or f"{host}:{port}" in private_hosts
    _check_host(host, listed)
    if scheme == "http" and not listed:
        raise NotListed("it is no https address")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(host, port, path, scheme == "https", listed)


def is_public(address: str) -> bool:
    """Whether this is one server's address on the public internet, and leads nowhere else."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        if found in _TRANSLATED:
            found = IPv4Address(int(found) & 0xFFFFFFFF)
        elif found not in _UNICAST or any(found in each for each in _TUNNELS) or found.scope_id:
            return False
    if isinstance(found, IPv4Address) and found in _RELAYS:
        return False
    return found.is_global and not found.is_multicast


def _check_host(host: str, listed: bool) -> None:
    try:
        ip_address(host)
    except ValueError:
        if not _NAME.fullmatch(host) or _LIKE_A_NUMBER.fullmatch(host):
            raise Forbidden("it names no server that can be told from others") from None
        if (host == "localhost" or host.endswith(".localhost")) and not listed:
            raise NotListed("it leads into a private network") from None
        return
    if not (listed or is_public(host)):
        raise NotListed("it leads into a private network")
