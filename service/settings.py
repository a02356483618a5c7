"""The settings of one place, read from its environment."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from service import setting_values as values
from service.logs import LEVELS
from service.setting_reading import Kept, Reading, Setting, read

DATABASE, OWNER = "DOSEGATE_DATABASE_URL", "DOSEGATE_DATABASE_OWNER_URL"
SITE, KEYS = "DOSEGATE_SITE", "DOSEGATE_SIGNING_KEYS"
RULES, POLICY = "DOSEGATE_RULES", "DOSEGATE_POLICY"
PUBLIC_URL, TRUSTED_PROXIES = "DOSEGATE_PUBLIC_URL", "DOSEGATE_TRUSTED_PROXIES"
ISSUER, CLIENT_ID = "DOSEGATE_OIDC_ISSUER", "DOSEGATE_OIDC_CLIENT_ID"
CLIENT_SECRET = "DOSEGATE_OIDC_CLIENT_SECRET"
TIME_ZONE, PRIVATE_HOSTS = "DOSEGATE_TIME_ZONE", "DOSEGATE_PRIVATE_HOSTS"
FHIR_SECONDS, PASS_CARDS = "DOSEGATE_FHIR_SECONDS", "DOSEGATE_PASS_CARDS"
PATIENT_SYSTEM = "DOSEGATE_PATIENT_IDENTIFIER_SYSTEM"
REQUESTS_PER_MINUTE = "DOSEGATE_REQUESTS_PER_MINUTE"
LOG_LEVEL, TRACING = "DOSEGATE_LOG_LEVEL", "DOSEGATE_TRACING"

# Every setting, in the order of the documentation, which is made of this.
SETTINGS = (
    Setting(
        DATABASE,
        "where everything is kept",
        "the URL of a SQLite file or of a PostgreSQL database",
        values.database,
        default="sqlite:///dosegate.db",
        example="postgresql://dosegate:…@db.example.org/dosegate",
        secret=True,
        kept=Kept.IN_EITHER,
    ),
    Setting(
        OWNER,
        "on PostgreSQL, the role that owns the tables and brings them up to date, so that the service's own "
        "role does not own them and cannot lay down the guards of the journal",
        "the URL of the same PostgreSQL database, with another role",
        values.owner,
        example="postgresql://dosegate_owner:…@db.example.org/dosegate",
        secret=True,
        kept=Kept.IN_EITHER,
    ),
    Setting(
        SITE,
        "whose journal it is",
        "1 to 64 letters, digits, dots, dashes and underscores",
        values.site,
        default="main",
        example="north-wing",
    ),
    Setting(
        KEYS,
        "the keys of the journal: the first private one signs, and all of them verify; made where there is "
        "neither a key nor a database",
        "a PEM file with Ed25519 keys that its owner alone can read",
        values.new_file,
        default="dosegate-signing.pem",
        example="/var/lib/dosegate/signing.pem",
    ),
    Setting(
        PUBLIC_URL,
        "the address that browsers and EHRs know; links, sign-in and CDS Hooks need it",
        "an https address without a path",
        values.public_url,
        example="https://dosegate.example.org",
    ),
    Setting(
        TRUSTED_PROXIES,
        "how many proxies stand in front, one behind the other, each of which says who asks in "
        "X-Forwarded-For",
        "a whole number from 0 to 9",
        values.digit,
        default="0",
        example="1",
    ),
    Setting(
        PRIVATE_HOSTS,
        "servers inside the site's network that may be called: for keys, FHIR and webhooks",
        "hosts, or host:port, with commas between them",
        values.hosts,
        example="fhir.example.org,10.1.2.3:8443",
    ),
    Setting(
        TIME_ZONE,
        "the site's own time: which day an infusion is of, and what an EHR means without an offset",
        "the name of a time zone",
        values.zone,
        default="UTC",
        example="Europe/Berlin",
    ),
    Setting(
        REQUESTS_PER_MINUTE,
        "how often one person or unknown address may ask; a program that is known, ten times as often",
        "a whole number from 0 to 999999; 0 is no limit",
        values.rate,
        default="1200",
        example="600",
    ),
    Setting(
        LOG_LEVEL,
        "the least that is logged",
        "one of " + ", ".join(LEVELS),
        values.log_level,
        default="info",
        example="warning",
    ),
    Setting(
        TRACING,
        "whether traces are sent; OpenTelemetry's own variables (OTEL_…) say where to",
        "yes or no",
        values.tracing,
        default="no",
        example="yes",
    ),
    Setting(
        FHIR_SECONDS,
        "how long an answer to an EHR waits for what is fetched from its FHIR server",
        "seconds, above 0 and up to 20",
        values.seconds,
        default="0.35",
        example="0.5",
    ),
    Setting(
        PASS_CARDS,
        "whether an EHR gets a card where nothing was found",
        "yes or no",
        values.yes_or_no,
        default="yes",
        example="no",
    ),
    Setting(
        PATIENT_SYSTEM,
        "the `identifier.system` under which the site's own id of a patient stands in a FHIR Patient",
        "a URI",
        values.uri,
        example="urn:oid:1.2.3",
    ),
    Setting(
        ISSUER,
        "who else says who people are: the identity provider's issuer, as in its discovery document",
        "an https address",
        values.issuer,
        example="https://sign-in.example.org/realms/clinic",
    ),
    Setting(
        CLIENT_ID,
        "what this service is called there; its redirect is `…/api/v1/session/oidc/callback`",
        "1 to 255 visible ASCII characters",
        values.visible,
        example="dosegate",
    ),
    Setting(
        CLIENT_SECRET,
        "the client's secret there",
        "1 to 255 visible ASCII characters",
        values.visible,
        example="/run/secrets/oidc_client_secret",
        secret=True,
        kept=Kept.IN_FILE,
        longest_line=255,
    ),
    Setting(
        RULES,
        "other rules in place of those that are shipped",
        "a folder",
        values.folder,
        example="/etc/dosegate/rules",
    ),
    Setting(
        POLICY,
        "the site's own policy in place of the one among the rules",
        "a YAML file",
        values.file,
        example="/etc/dosegate/policy.yaml",
    ),
)
_UTC = ZoneInfo("UTC")


class BadSetting(Exception):
    """Settings that cannot be used. `problems` names every one of them in a line; nothing is skipped."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


@dataclass(frozen=True)
class IdentityProvider:
    """Who else says who people are here, and how this service is known there."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True)
class Settings:
    """Where the records are, whose they are, what signs them, and which rules and policy are used.

    What each is for, and what it may be, is told in `SETTINGS`. `owner` None is the role of `database`.
    `rules` and `policy` None mean those that are shipped. `public_url` has no slash at its end. With
    `requests_per_minute` 0 there is no limit. `demonstration` is set by no environment.
    """

    database: str = field(default="sqlite:///dosegate.db", repr=False)  # it may hold a password
    owner: str | None = field(default=None, repr=False)
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
        reading = settings_in_force()
        if reading.problems:
            raise BadSetting(reading.problems)
        found = reading.values
        return cls(
            database=found[DATABASE],
            owner=found[OWNER],
            site=found[SITE],
            keys=found[KEYS],
            rules=found[RULES],
            policy=found[POLICY],
            public_url=found[PUBLIC_URL],
            trusted_proxies=found[TRUSTED_PROXIES],
            identity_provider=_provider(reading),
            time_zone=found[TIME_ZONE],
            private_hosts=found[PRIVATE_HOSTS] or frozenset(),
            fhir_seconds=found[FHIR_SECONDS],
            pass_cards=found[PASS_CARDS],
            patient_identifier_system=found[PATIENT_SYSTEM],
            requests_per_minute=found[REQUESTS_PER_MINUTE],
            log_level=found[LOG_LEVEL],
            tracing=found[TRACING],
        )


def settings_in_force() -> Reading:
    """What the environment of this process says, right or wrong."""
    reading = read(SETTINGS)
    return replace(reading, problems=(*reading.problems, *_wrong_together(reading)))


def _wrong_together(reading: Reading) -> Iterator[str]:
    provider = (ISSUER, CLIENT_ID, CLIENT_SECRET)
    if reading.given.intersection(provider):
        for each in SETTINGS:
            if each.name in (PUBLIC_URL, *provider) and each.name not in reading.given:
                yield f"{each.variables[-1]} is not set, and sign-in by an identity provider needs it"
    if reading.values[OWNER] and (reading.values[DATABASE] or "").startswith("sqlite"):
        yield f"{OWNER} is set, and a SQLite file has no roles: unset it, or let {DATABASE} name PostgreSQL"


def _provider(reading: Reading) -> IdentityProvider | None:
    found = reading.values
    if ISSUER not in reading.given:
        return None
    return IdentityProvider(found[ISSUER], found[CLIENT_ID], found[CLIENT_SECRET])
