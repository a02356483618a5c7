"""What processes hold: memory, files and connections, looked at from outside."""

from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter

import psutil
import psycopg

from benchmarks.production import postmaster

SERVE, DELIVER, POSTGRESQL = "dosegate serve", "dosegate deliver", "PostgreSQL"
_BYTES = "SELECT pg_database_size(current_database())"


@dataclass(frozen=True)
class Sample:
    """What all processes of a kind held at one moment; memory in bytes, shared memory counted once.

    What is connected is among the files. Every connection to PostgreSQL is a process there.
    """

    at: float
    processes: int
    pss: int
    files: int


@dataclass
class Watched:
    """The processes of a site: those that serve, the one that delivers, and PostgreSQL's."""

    serves: psutil.Process
    delivers: psutil.Process
    database: str
    samples: dict[str, list[Sample]] = field(default_factory=dict)

    def __post_init__(self):
        self._connection = psycopg.connect(self.database, autocommit=True)
        self._kinds = {
            SERVE: self.serves,
            DELIVER: self.delivers,
            POSTGRESQL: postmaster(self.database),
        }

    def sample(self):
        """Look now."""
        now = perf_counter()
        for kind, process in self._kinds.items():
            self.samples.setdefault(kind, []).append(_sample(now, process))

    def database_bytes(self):
        """How large the database is."""
        return self._connection.execute(_BYTES).fetchone()[0]


def _sample(now, process):
    pss = files = count = 0
    for each in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):  # it ended meanwhile
            pss, files, count = pss + each.memory_full_info().pss, files + each.num_fds(), count + 1
    return Sample(now, count, pss, files)
