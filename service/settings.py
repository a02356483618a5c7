"""The settings of one place, read from its environment."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from environs import Env, EnvError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

DATABASE, RULES, POLICY = "DOSEGATE_DATABASE", "DOSEGATE_RULES", "DOSEGATE_POLICY"


class BadSetting(Exception):
    """A setting that cannot be used; the message is one line that names it."""


@dataclass(frozen=True)
class Settings:
    """Where the records are, and which rules and policy are used.

    `database` is a SQLAlchemy URL of a SQLite file. `rules` and `policy` None mean those that are shipped.
    """

    database: str = "sqlite:///dosegate.db"
    rules: Path | None = None
    policy: Path | None = None

    @classmethod
    def from_environment(cls) -> "Settings":
        """The settings of this process. Raises BadSetting."""
        env = Env(expand_vars=False)
        try:
            database, rules, policy = env.str(DATABASE, cls.database), env.str(RULES, ""), env.str(POLICY, "")
        except EnvError as error:
            raise BadSetting(str(error)) from None
        return cls(
            _sqlite_file(database), _path(RULES, rules, Path.is_dir), _path(POLICY, policy, Path.is_file)
        )


def _sqlite_file(url: str) -> str:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise BadSetting(f"{DATABASE} is not a database URL; write sqlite:///dosegate.db") from None
    # Records in memory would be lost at the end of each process, and every worker would have its own.
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite") or parsed.database in (None, "", ":memory:"):
        raise BadSetting(f"{DATABASE} must name a SQLite file; write sqlite:///dosegate.db")
    return url


def _path(name: str, given: str, exists: Callable[[Path], bool]) -> Path | None:
    if not given:
        return None
    path = Path(given)
    if not exists(path):
        raise BadSetting(f"{name} names {given}, which is not a {'folder' if name == RULES else 'file'} here")
    return path
