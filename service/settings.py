"""The settings of one place, read from its environment."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from environs import Env, EnvError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from service.access.addresses import keeps_secrets

DATABASE, OWNER = "DOSEGATE_DATABASE_URL", "DOSEGATE_DATABASE_OWNER_URL"
SITE, KEYS = "DOSEGATE_SITE", "DOSEGATE_SIGNING_KEYS"
RULES, POLICY = "DOSEGATE_RULES", "DOSEGATE_POLICY"
PUBLIC_URL, TRUSTED_PROXIES = "DOSEGATE_PUBLIC_URL", "DOSEGATE_TRUSTED_PROXIES"
ISSUER, CLIENT_ID = "DOSEGATE_OIDC_ISSUER", "DOSEGATE_OIDC_CLIENT_ID"
CLIENT_SECRET_FILE = "DOSEGATE_OIDC_CLIENT_SECRET_FILE"
TIME_ZONE, PRIVATE_HOSTS = "DOSEGATE_TIME_ZONE", "DOSEGATE_PRIVATE_HOSTS"
FHIR_SECONDS, PASS_CARDS = "DOSEGATE_FHIR_SECONDS", "DOSEGATE_PASS_CARDS"
PATIENT_SYSTEM = "DOSEGATE_PATIENT_IDENTIFIER_SYSTEM"

_SITE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ADDRESS = re.compile(r"https?://[^/?\\]+/?")
_VISIBLE = re.compile(r"[ -~]{1,255}")
_DIGIT = re.compile(r"[0-9]")
_HOST = re.compile(r"[a-z0-9._-]+(:\d{1,5})?|\[[0-9a-f:.]+\](:\d{1,5})?")
_AMOUNT = re.compile(r"\d{1,2}(\.\d{1,3})?")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]{1,1000}")
_LONGEST_WAIT = 20
_UTC = ZoneInfo("UTC")
_LONGEST_SECRET = 1024
_EXAMPLES = "sqlite:///dosegate.db or postgresql://dosegate@host/dosegate"


class BadSetting(Exception):
    """A setting that cannot be used; the message is one line that names it."""


@dataclass(frozen=True)
class IdentityProvider:
    """Who else says who people are here, and how this service is known there."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True)
class Settings:
    """Where the records are, whose they are, what signs them, and which rules and policy are used.

    `database` is a SQLAlchemy URL of a SQLite file or of PostgreSQL; `owner` one of PostgreSQL, whose role
    owns the tables and brings them up to date, where the service's own role may not. `site` names the
    journal. `keys` is a PEM file: its private key signs checkpoints, and all its keys verify them; it is made
    where there is none. `rules` and `policy` None mean those that are shipped. `public_url` is the address
    that people's browsers know, without a path. `trusted_proxies` is how many stand in front, one behind the
    other, each of which says who asks in X-Forwarded-For.

    `time_zone` is the site's own, for what an EHR says without an offset. `private_hosts` are the servers (a
    host, or host:port) that may be called although they stand inside the site's network. `fhir_seconds` is
    how long an answer to an EHR waits for what is fetched from its FHIR server; `pass_cards` whether it gets
    a card where nothing was found. `patient_identifier_system` is the `identifier.system` under which the
    site's own id of a patient stands in a FHIR Patient.

    `requests_per_minute` is how often one person, key or unknown address may ask; 0 is as often as they like.
    `log_level` is the least that is logged; `tracing` whether traces are sent (OpenTelemetry's own variables
    say where to).
    """

    database: str = "sqlite:///dosegate.db"
    owner: str | None = None
    site: str = "main"
    keys: Path = Path("dosegate-signing.pem")
    rules: Path | None = None
    policy: Path | None = None
    public_url: str | None = None
    trusted_proxies: int = 0
    identity_provider: IdentityProvider | None = None
    time_zone: ZoneInfo = _UTC
    private_hosts: frozenset[str] = frozenset()
    fhir_seconds: float = 0.35
    pass_cards: bool = True
    patient_identifier_system: str | None = None
    requests_per_minute: int = 1200
    log_level: str = "info"
    tracing: bool = False
    demonstration: bool = False

    @classmethod
    def from_environment(cls) -> "Settings":
        """The settings of this process. Raises BadSetting."""
        env = Env(expand_vars=False)
        try:
            database, owner = env.str(DATABASE, cls.database), env.str(OWNER, "")
            site, keys = env.str(SITE, cls.site), env.str(KEYS, str(cls.keys))
            rules, policy = env.str(RULES, ""), env.str(POLICY, "")
            public_url = env.str(PUBLIC_URL, "") or None
            proxies = env.str(TRUSTED_PROXIES, str(cls.trusted_proxies))
            provider = {name: env.str(name, "") for name in (ISSUER, CLIENT_ID, CLIENT_SECRET_FILE)}
            zone, private = env.str(TIME_ZONE, "UTC"), env.str(PRIVATE_HOSTS, "")
            seconds = env.str(FHIR_SECONDS, str(cls.fhir_seconds))
            pass_cards = env.str(PASS_CARDS, "yes")
            system = env.str(PATIENT_SYSTEM, "")
        except EnvError as error:
            raise BadSetting(str(error)) from None
        if not _SITE.fullmatch(site):
            raise BadSetting(f"{SITE} must be 1 to 64 letters, digits, dots, dashes and underscores")
        if not _DIGIT.fullmatch(proxies):
            raise BadSetting(f"{TRUSTED_PROXIES} must be a whole number from 0 to 9")
        if pass_cards not in ("yes", "no"):
            raise BadSetting(f"{PASS_CARDS} must be yes or no")
        if system and not _URI.fullmatch(system):
            raise BadSetting(f"{PATIENT_SYSTEM} must be a URI, as urn:oid:1.2.3 or https://example.org/mrn")
        return cls(
            database=_database(DATABASE, database),
            owner=_database(OWNER, owner) if owner else None,
            site=site,
            keys=Path(keys),
            rules=_path(RULES, rules, Path.is_dir),
            policy=_path(POLICY, policy, Path.is_file),
            public_url=_public(public_url) if public_url else None,
            trusted_proxies=int(proxies),
            identity_provider=_provider({**provider, PUBLIC_URL: public_url})
            if any(provider.values())
            else None,
            time_zone=_zone(zone),
            private_hosts=_hosts(private),
            fhir_seconds=_seconds(seconds),
            pass_cards=pass_cards == "yes",
            patient_identifier_system=system or None,
        )


def _database(name: str, url: str) -> str:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise BadSetting(f"{name} is not a database URL; write {_EXAMPLES}") from None
    match parsed.drivername:
        case "sqlite" | "sqlite+pysqlite":
            # Records in memory would be lost at the end of each process, and every worker would have its own.
            if name == OWNER or parsed.database in (None, "", ":memory:"):
                raise BadSetting(f"{name} must name a file or a server; write {_EXAMPLES}")
        case "postgresql" | "postgresql+psycopg":
            if not parsed.database:
                raise BadSetting(f"{name} names no database; write {_EXAMPLES}")
        case _:
            raise BadSetting(f"{name} must be SQLite or PostgreSQL; write {_EXAMPLES}")
    return url


def _path(name: str, given: str, exists: Callable[[Path], bool]) -> Path | None:
    if not given:
        return None
    path = Path(given)
    if not exists(path):
        raise BadSetting(f"{name} names {given}, which is not a {'folder' if name == RULES else 'file'} here")
    return path


def _public(url: str) -> str:
    """The address without a slash at its end: where the provider sends people back is built on it."""
    if not keeps_secrets(url) or _ADDRESS.fullmatch(url) is None:
        raise BadSetting(f"{PUBLIC_URL} must be an address without a path, as https://dosegate.example.org")
    return url.rstrip("/")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadSetting(f"{TIME_ZONE} must be a time zone such as Europe/Berlin") from None


def _hosts(listed: str) -> frozenset[str]:
    found = frozenset(each.strip().casefold() for each in listed.split(",") if each.strip())
    if not all(map(_HOST.fullmatch, found)):
        raise BadSetting(f"{PRIVATE_HOSTS} must list hosts, as fhir.example.org,10.1.2.3:8443")
    return found


def _seconds(given: str) -> float:
    if not _AMOUNT.fullmatch(given) or not 0 < float(given) <= _LONGEST_WAIT:
        raise BadSetting(f"{FHIR_SECONDS} must be seconds, above 0 and up to {_LONGEST_WAIT}, such as 0.35")
    return float(given)


def _provider(given: dict[str, str | None]) -> IdentityProvider:
    missing = [name for name, value in given.items() if not value]
    if missing:
        raise BadSetting(f"sign-in by an identity provider needs {' and '.join(missing)} too")
    issuer, client_id = str(given[ISSUER]), str(given[CLIENT_ID])
    if not keeps_secrets(issuer) or "?" in issuer:
        raise BadSetting(f"{ISSUER} must be the provider's https address, as its own documentation gives it")
    if not _VISIBLE.fullmatch(client_id):
        raise BadSetting(f"{CLIENT_ID} must be 1 to 255 visible ASCII characters")
    return IdentityProvider(issuer, client_id, _secret(Path(str(given[CLIENT_SECRET_FILE]))))


def _secret(path: Path) -> str:
    """The one line of a file; the environment of a process is read by too many."""
    try:
        with path.open("rb") as file:
            line = file.read(_LONGEST_SECRET).rstrip(b"\r\n").decode("ascii")
    except OSError as error:
        raise BadSetting(
            f"{CLIENT_SECRET_FILE} names {path}, which cannot be read: {error.strerror}"
        ) from None
    except UnicodeDecodeError:
        line = ""
    if not _VISIBLE.fullmatch(line):
        raise BadSetting(
            f"{CLIENT_SECRET_FILE} names {path}, which must hold 1 to 255 ASCII characters in a line"
        )
    return line
