"""Addresses: which of the web a secret may be sent to, and which of the network are counted as one."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

_WRITTEN = re.compile(r"https?://[!-\"$-~]+")  # visible ASCII, and no fragment
_OWN_BITS = 64


def keeps_secrets(url: str) -> bool:
    """Whether nobody on the way reads what is sent there: https, or http that stays on this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not (_WRITTEN.fullmatch(url) and host) or parts.username is not None:
        return False
    return parts.scheme == "https" or host == "localhost" or is_loopback(host)


def is_loopback(host: str) -> bool:
    """Whether this is an address of this machine itself, which tells nothing of who is behind it."""
    found = _address(host)
    return found is not None and found.is_loopback


def counted_as(host: str) -> str:
    """An address as failures are counted: of IPv6 a whole /64, which is what one subscriber is given."""
    found = _address(host)
    if isinstance(found, IPv6Address):
        return f"{IPv6Address(int(found) >> _OWN_BITS << _OWN_BITS)}/64"
    return str(found or host)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(host)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
