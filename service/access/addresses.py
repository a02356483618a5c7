"""Which addresses a secret may be sent to."""

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit


def keeps_secrets(url: str) -> bool:
    """Whether nobody on the way reads what is sent there: https, or http that stays on this machine."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    if not parts.hostname or parts.username is not None or parts.fragment or not url.isascii():
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _on_this_machine(parts))


def _on_this_machine(parts: SplitResult) -> bool:
    if parts.hostname == "localhost":
        return True
    try:
        return ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
