"""Where people and machines find the service, and who says who they are."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from service.commands.checks.finding import Finding, ok, warning
from service.commands.checks.installation import Installation
from service.settings import PUBLIC_URL, REQUESTS_PER_MINUTE, TRUSTED_PROXIES
from service.terminal.words import counted

_MANY_PROXIES = 3


def public_address(here: Installation) -> Iterator[Finding]:
    """Whether links, sign-in and EHRs have an address to go by, and nobody reads what is sent there."""
    url = here.value(PUBLIC_URL)
    if url is None:
        yield warning(
            "no address is set: EHRs are not let in, and links in messages and on paper are guessed",
            f"set {PUBLIC_URL}=https://dosegate.example.org, as browsers know it",
        )
    elif urlsplit(url).scheme != "https":
        yield warning(
            f"{url} is an address of this machine alone",
            f"put a proxy that speaks TLS in front, and set {PUBLIC_URL} to its https address",
        )
    else:
        yield ok(f"people and EHRs come by {url}")


def proxies(here: Installation) -> Iterator[Finding]:
    """Whether it is plausible who says from where a request comes."""
    number, url = here.value(TRUSTED_PROXIES), here.value(PUBLIC_URL) or ""
    if number == 0 and url.startswith("https:"):
        yield warning(
            "TLS ends at a proxy, and no proxy is trusted to say who asks: all who come through it count as "
            "one address, and one who guesses passwords can shut out everybody",
            f"set {TRUSTED_PROXIES}=1, or as many as stand one behind the other",
        )
    elif number and not url:
        yield warning(
            f"{counted(number, 'proxy', 'proxies')} may say who asks, and have no address set: where none "
            "stands, anybody can claim to be somebody else",
            f"set {PUBLIC_URL}=https://dosegate.example.org, or unset {TRUSTED_PROXIES}",
        )
    elif number >= _MANY_PROXIES:
        yield warning(
            f"{number} proxies are trusted: where fewer stand there, anybody can claim to be somebody else",
            f"set {TRUSTED_PROXIES} to how many stand one behind the other",
        )
    else:
        yield ok(f"{counted(number, 'proxy', 'proxies')} in front may say who asks")


def request_limit(here: Installation) -> Iterator[Finding]:
    """Whether one who asks too often is held off."""
    if (limit := here.value(REQUESTS_PER_MINUTE)) == 0:
        yield warning(
            "anybody may ask as often as they like: one can keep all others out",
            f"unset {REQUESTS_PER_MINUTE}, or set it to how often one may ask in a minute",
        )
    else:
        yield ok(f"nobody may ask more than {limit} times a minute")
