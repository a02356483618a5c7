"""Which addresses a secret may be sent to."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

_WRITTEN = re.compile(r"https?://[!-\"$-~]+")  # visible ASCII, and no fragment


def keeps_secrets(url: str) -> bool:
    """Whether nobody on the way reads what is sent there: https, or http that stays on this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not (_WRITTEN.fullmatch(url) and host) or parts.username is not None:
        return False
    return parts.scheme == "https" or host == "localhost" or _is_loopback(host)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
