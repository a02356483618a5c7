"""The settings of one place, read from its environment."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from environs import Env, EnvError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

DATABASE, OWNER = "DOSEGATE_DATABASE_URL", "DOSEGATE_DATABASE_OWNER_URL"
SITE, KEYS = "DOSEGATE_SITE", "DOSEGATE_SIGNING_KEYS"
RULES, POLICY = "DOSEGATE_RULES", "DOSEGATE_POLICY"

_SITE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_EXAMPLES = "sqlite:///dosegate.db or postgresql://dosegate@host/dosegate"


class BadSetting(Exception):
    """A setting that cannot be used; the message is one line that names it."""


@dataclass(frozen=True)
class Settings:
    """Where the records are, whose they are, what signs them, and which rules and policy are used.

    `database` is a SQLAlchemy URL of a SQLite file or of PostgreSQL; `owner` one of PostgreSQL, whose role
    owns the tables and brings them up to date, where the service's own role may not. `site` names the
    journal. `keys` is a PEM file: its private key signs checkpoints, and all its keys verify them; it is made
    where there is none. `rules` and `policy` None mean those that are shipped.
    """

    database: str = "sqlite:///dosegate.db"
    owner: str | None = None
    site: str = "main"
    keys: Path = Path("dosegate-signing.pem")
    rules: Path | None = None
    policy: Path | None = None
    demonstration: bool = False

    @classmethod
    def from_environment(cls) -> "Settings":
        """The settings of this process. Raises BadSetting."""
        env = Env(expand_vars=False)
        try:
            database, owner = env.str(DATABASE, cls.database), env.str(OWNER, "")
            site, keys = env.str(SITE, cls.site), env.str(KEYS, str(cls.keys))
            rules, policy = env.str(RULES, ""), env.str(POLICY, "")
        except EnvError as error:
            raise BadSetting(str(error)) from None
        if not _SITE.fullmatch(site):
            raise BadSetting(f"{SITE} must be 1 to 64 letters, digits, dots, dashes and underscores")
        return cls(
            database=_database(DATABASE, database),
            owner=_database(OWNER, owner) if owner else None,
            site=site,
            keys=Path(keys),
            rules=_path(RULES, rules, Path.is_dir),
            policy=_path(POLICY, policy, Path.is_file),
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
