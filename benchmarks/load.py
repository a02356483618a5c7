"""200 checklists in flight at once: the production command line over PostgreSQL, beside a bare INSERT.

`dosegate serve` and the bare Flask endpoint take turns on the same machine, with as many sync workers each,
and are asked by the same clients, which are one process of their own.
"""

import argparse
import hashlib
import itertools
import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter

import psutil
import psycopg

from benchmarks.crowd import Turn, asked_once_each, crowded, request
from benchmarks.patients import REQUESTS
from benchmarks.production import postmaster, site
from benchmarks.report import aim, heading, machine, note, table
from benchmarks.served import gunicorn

CLIENTS, WORKERS, ROUNDS, SECONDS, WARM = 200, 4, 5, 12.0, 3.0
READERS = 16
CHECKLISTS = "/api/v1/checklists"
JSON = {"Content-Type": "application/json"}
LOCATION = re.compile(rb"^Location: (\S+?)\r?$", re.MULTILINE | re.IGNORECASE)
OURS, BARE = "checklist", "bare INSERT"


def main():
    """Measure and print. Status 1: an answer was an error, or something acknowledged is not there."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__.partition("\n")[0])
    parser.add_argument("--clients", type=int, default=CLIENTS, help="requests in flight at once")
    parser.add_argument("--workers", type=int, default=WORKERS, help="processes of each server")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="turns of each, one after the other")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of a turn")
    given = parser.parse_args()
    print(machine())
    sys.exit(0 if report(given) else 1)


def report(given):
    """Measure and print; whether every answer was as it should be, and everything acknowledged is there."""
    heading(f"{given.clients} checklists in flight at once, journaled, beside one INSERT and COMMIT")
    with site() as place, place.serving(given.workers) as (port, serves):
        tell(given, place)
        made = Acknowledged(place.key, port)
        with bare_server(place, given.workers) as (bare_port, bare):
            ways = (Way(OURS, port, made.ask, serves), Way(BARE, bare_port, plainly(bare_port), bare))
            found = raced(ways, given, postmaster(place.database))
        print_speed(found)
        print_cpu(found)
        right = no_error(each.turn for turns in found.values() for each in turns)
        return made.read_back() and whole(place) and right


def tell(given, place):
    """Say what is measured."""
    note(
        f"""{given.clients} clients of one process post checklists of three drugs, each as soon as its last
        one is answered, to `dosegate serve --workers {given.workers}` over PostgreSQL (fsync {place.fsync})
        in a role that owns no table. Bare: the same clients post the same bodies to a Flask endpoint that
        keeps each by one INSERT and COMMIT in the same PostgreSQL, with as many gunicorn sync workers.
        {given.rounds} turns of {given.seconds:.0f} s of each, one after the other; figures are medians of the
        turns, and a ratio is the median of theirs."""
    )


@dataclass(frozen=True)
class Way:
    """One of the two servers, and what it is asked."""

    name: str
    port: int
    ask: Callable
    process: psutil.Process


@dataclass(frozen=True)
class Measured:
    """A turn, and the CPU seconds that the server and PostgreSQL took for it."""

    turn: Turn
    server: float
    database: float


def raced(ways, given, database):
    """All turns of each way, in turns; the first of each does not count."""
    found = {way.name: [] for way in ways}
    for number in range(given.rounds + 1):
        for way in ways:
            before = cpu(way.process), cpu(database)
            seconds = given.seconds if number else WARM
            turn = crowded(way.port, way.ask, 201, clients=given.clients, seconds=seconds)
            after = cpu(way.process), cpu(database)
            found[way.name].append(Measured(turn, after[0] - before[0], after[1] - before[1]))
    return {name: turns[1:] for name, turns in found.items()}


def cpu(process):
    """The CPU seconds of a process and of those that it began."""
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def print_speed(found):
    """How many a second, and how long each took."""
    rows = {name: [measures(each.turn) for each in turns] for name, turns in found.items()}
    ratios = [
        [own / bare for own, bare in zip(*both, strict=True)]
        for both in zip(rows[OURS], rows[BARE], strict=True)
    ]
    table(
        ("", "a second", "p50 ms", "p95 ms", "p99 ms"),
        [
            *(
                [name, *(f"{median(each):,.0f}" for each in zip(*turns, strict=True))]
                for name, turns in rows.items()
            ),
            ["ratio", *(f"{median(each):.2f} x" for each in zip(*ratios, strict=True))],
        ],
    )


def measures(turn):
    """Answers a second, and the percentiles in milliseconds."""
    return (turn.rate, *(1000 * each for each in turn.percentiles()))


def print_cpu(found):
    """Where the time goes: with the cores shared, a client that took most of it would measure itself."""
    print()
    rows = []
    for name, turns in found.items():
        costs = [(each.server, each.database, each.turn.own_cpu) for each in turns]
        each = [
            [1000 * cost / len(one.turn.taken) for cost in costs]
            for one, costs in zip(turns, costs, strict=True)
        ]
        rows.append([name, *(f"{median(column):.2f}" for column in zip(*each, strict=True))])
    table(("CPU milliseconds of one", "server", "PostgreSQL", "clients"), rows)


def no_error(turns):
    """Whether every answer of all turns was the one wanted; said."""
    turns = list(turns)
    errors, asked = sum((each.errors for each in turns), Counter()), sum(len(each.taken) for each in turns)
    print()
    aim(
        f"error rate 0 ({errors.total()} of {asked:,}{f': {dict(errors)}' if errors else ''})",
        not errors,
    )
    return not errors


@dataclass
class Acknowledged:
    """The checklists that were acknowledged: where each is, and what it was."""

    key: str
    port: int
    made: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self):
        self._bodies = bodies()

    @property
    def _head(self):
        return {"Authorization": f"Bearer {self.key}", **JSON}

    def ask(self):
        """A new one, of a patient of its own."""
        return request("POST", CHECKLISTS, self.port, self._head, next(self._bodies)), self._keep

    def _keep(self, head, body):
        self.made[LOCATION.search(head)[1].decode()] = hashlib.sha256(body).digest()

    def read_back(self):
        """Read each again by itself; whether all are there as they were acknowledged."""
        different = []
        asks = iter([self._read(address, different) for address in self.made])
        turn = asked_once_each(self.port, asks, 200, clients=READERS)
        lost = len(self.made) - len(turn.taken) + turn.errors.total() + len(different)
        aim(
            f"all {len(self.made):,} acknowledged checklists are there, byte for byte ({lost} are not)",
            not lost,
        )
        return not lost

    def _read(self, address, different):
        def compare(_head, body):
            if hashlib.sha256(body).digest() != self.made[address]:
                different.append(address)

        return request("GET", address, self.port, self._head), compare


def bodies():
    """Requests of three drugs, three patients of each, each of them a patient of its own."""
    shapes = [json.loads(path.read_bytes()) for path in sorted(REQUESTS.glob("*.json"))]
    for number, shape in enumerate(itertools.cycle(shapes)):
        yield json.dumps({**shape, "patient": {"id": f"MRN-{number}"}}).encode()


def plainly(port):
    """The same bodies, for the bare endpoint."""
    made = bodies()
    return lambda: (request("POST", "/bare", port, JSON, next(made)), lambda _head, _body: None)


@contextmanager
def bare_server(place, workers):
    """The bare endpoint with a table in the same PostgreSQL server; its port, and its process."""
    url = place.owner.replace("/dosegate?", "/postgres?").replace("://dosegate_owner:", "://postgres:")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE bare (id text PRIMARY KEY, body bytea NOT NULL)")
    with gunicorn("benchmarks.bare:app", workers, {**place.environment, "BARE_URL": url}) as (port, process):
        yield port, psutil.Process(process.pid)


def whole(place):
    """Whether the chain verifies, by the service's own command; said."""
    began = perf_counter()
    verified = place.command("verify")
    aim(f"dosegate verify: {verified.splitlines()[-1]} ({perf_counter() - began:.0f} s)", True)
    return True


if __name__ == "__main__":
    main()
