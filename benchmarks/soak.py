"""Half the load for a long time: memory, files and connections of every kind of process stay as they are.

100 checklists in flight at `dosegate serve`, `dosegate deliver` telling an endpoint of each, and a nurse who
signs in, answers a draft and signs out, again and again.
"""

import argparse
import asyncio
import hashlib
import sys
from contextlib import ExitStack, closing
from dataclasses import astuple, dataclass, field
from statistics import mean
from time import perf_counter

from sqlalchemy import select

from benchmarks.crowd import PATIENCE, Turn, one
from benchmarks.load import CHECKLISTS, Acknowledged, no_error, whole
from benchmarks.nurse import Nurse
from benchmarks.processes import DELIVER, POSTGRESQL, SERVE, Sample, Watched
from benchmarks.production import site
from benchmarks.report import aim, heading, machine, note, table
from benchmarks.taker import taking
from service.records.database import Database
from service.records.tables import contents

CLIENTS, WORKERS, MINUTES = 100, 4, 30.0
SAMPLED_EVERY = 10  # seconds
MOST_CHANGE, MOST_MORE = 0.05, 4
NURSE_EVERY = 5  # seconds


def main():
    """Soak and print. Status 1: something grew, failed or was lost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--clients", type=int, default=CLIENTS, help="requests in flight at once")
    parser.add_argument("--workers", type=int, default=WORKERS, help="processes that answer")
    given = parser.parse_args()
    print(machine(), flush=True)
    sys.exit(0 if report(given) else 1)


def report(given):
    """Soak and print; whether all was as it should be."""
    heading(f"{given.minutes:g} minutes with {given.clients} checklists in flight at once")
    note(
        f"""`dosegate serve --workers {given.workers}` and `dosegate deliver` over PostgreSQL; an endpoint is
        told of every checklist; every {NURSE_EVERY} s a nurse signs in, keeps a draft, opens its page,
        answers a question, discards it and signs out. Memory is the PSS of all processes of a kind: what
        they share counts once. Then and at the end are means over a sixth of the time each: of 30 minutes,
        the sixth to the tenth, and the last five."""
    )
    with site("127.0.0.1") as place, ExitStack() as stack:
        port, serves = stack.enter_context(place.serving(given.workers))
        delivers = stack.enter_context(place.delivering())
        watched = Watched(serves, delivers, place.database)
        before = watched.database_bytes()
        soak = Soak(place, port, watched, given)
        asyncio.run(soak.run())
        print_speed(soak, watched.database_bytes() - before)
        held = is_flat(watched, given)
        right = no_error([soak.turn]) and is_there(soak) and all_told(soak)
        right &= logged_no_error(place)
        return whole(place) and held and right


@dataclass
class Soak:
    """Everything that goes on at once."""

    place: object
    port: int
    watched: "Watched"
    given: argparse.Namespace
    turn: Turn = field(default_factory=Turn)
    taken: set[str] = field(default_factory=set)
    left: int = 0
    caught_up: float = 0.0

    def __post_init__(self):
        self.made = Acknowledged(self.place.key, self.port)
        self.nurse = Nurse(self.place, self.port)
        self._ends = perf_counter() + 60 * self.given.minutes

    async def run(self):
        """Go on until the time is over and everything is delivered."""
        async with taking(self.taken) as url:
            self.place.command("webhooks", "add", url, "--event", "checklist.completed")
            self._ends = perf_counter() + 60 * self.given.minutes
            began = perf_counter()
            clients = [self._client() for _ in range(self.given.clients)]
            await asyncio.gather(self._sample(), self._nurse(), *clients)
            self.turn.seconds = perf_counter() - began
            self.turn.errors += self.nurse.errors
            await self._delivered()

    async def _client(self):
        while perf_counter() < self._ends:
            sent, keep = self.made.ask()
            await one(self.port, sent, keep, 201, self.turn)

    async def _nurse(self):
        while perf_counter() < self._ends:
            await self.nurse.visit()
            await asyncio.sleep(NURSE_EVERY)

    async def _sample(self):
        while perf_counter() < self._ends:
            self.watched.sample()
            await asyncio.sleep(SAMPLED_EVERY)

    async def _delivered(self):
        """Wait until the endpoint was told of all."""
        began, waited, self.left = perf_counter(), 0, len(self.made.made) - len(self.taken)
        while len(self.taken) < len(self.made.made) and waited < PATIENCE:
            known = len(self.taken)
            await asyncio.sleep(1)
            waited = 0 if len(self.taken) > known else waited + 1
        self.caught_up = perf_counter() - began


def print_speed(soak, grown):
    """What was done, and what it takes on disk."""
    p50, p95, p99 = (1000 * each for each in soak.turn.percentiles())
    table(
        ("checklists", "a second", "p50 ms", "p95 ms", "p99 ms", "nurse's visits", "bytes of each"),
        [
            [
                f"{len(soak.made.made):,}",
                *(f"{each:,.0f}" for each in (soak.turn.rate, p50, p95, p99, soak.nurse.visits)),
                f"{grown / len(soak.made.made):,.0f}",
            ]
        ],
    )
    print()


def is_flat(watched, given):
    """Whether nothing has grown; said."""
    begun, sixth = watched.samples[SERVE][0].at, 10 * given.minutes
    windows = (begun + sixth, begun + 2 * sixth), (begun + 5 * sixth, begun + 6 * sixth)
    held = {
        kind: [means(each for each in samples if low <= each.at < high) for low, high in windows]
        for kind, samples in watched.samples.items()
    }
    table(
        ("", "MiB then", "at the end", "change", "files then", "at the end", "processes then", "at the end"),
        [
            [
                kind,
                *(f"{each.pss / 2**20:,.1f}" for each in both),
                f"{both[1].pss / both[0].pss - 1:+.1%}",
                *(f"{each.files:.1f}" for each in both),
                *(f"{each.processes:.1f}" for each in both),
            ]
            for kind, both in held.items()
        ],
    )
    print()
    most = max(last.pss / first.pss - 1 for first, last in held.values())
    aim(f"memory grows by at most {MOST_CHANGE:.0%} (most {most:+.1%})", most <= MOST_CHANGE)
    # PostgreSQL opens the files of its tables as they grow; a connection is a process there.
    files = max(held[kind][1].files - held[kind][0].files for kind in (SERVE, DELIVER))
    sessions = held[POSTGRESQL][1].processes - held[POSTGRESQL][0].processes
    aim(f"open files and sockets of ours stay as many ({files:+.1f})", files < MOST_MORE)
    aim(f"connections to the database stay as many ({sessions:+.1f})", sessions < MOST_MORE)
    return most <= MOST_CHANGE and max(files, sessions) < MOST_MORE


def means(samples):
    """The mean of each figure."""
    return Sample(*(mean(column) for column in zip(*map(astuple, samples), strict=True)))


def is_there(soak):
    """Whether every acknowledged checklist is in the database as it was acknowledged, and no other; said."""
    wanted, same, others = soak.made.made, 0, 0
    with closing(Database(soak.place.database)) as database, database.reading() as connection:
        rows = select(contents.c.checklist, contents.c.result)
        for row in connection.execution_options(yield_per=1000).execute(rows):
            found = wanted.get(f"{CHECKLISTS}/{row.checklist}")
            same += found == hashlib.sha256(row.result).digest()
            others += found is None
    there = same == len(wanted) and not others
    aim(f"all {len(wanted):,} acknowledged checklists are there, byte for byte, and {others} others", there)
    return there


def all_told(soak):
    """Whether the endpoint was told of each; said."""
    told, made = len(soak.taken), len(soak.made.made)
    later = f"{soak.left:,} of them in the {soak.caught_up:.0f} s after the load"
    aim(f"the endpoint was told of each ({told:,} messages, {later})", told == made)
    return told == made


def logged_no_error(place):
    """Whether nothing worse than information was logged; said."""
    levels = place.logged()
    worse = {level: count for level, count in levels.items() if level not in ("debug", "info")}
    aim(f"nothing is logged that is not information ({levels.total():,} lines, {worse or 'none'})", not worse)
    return not worse


if __name__ == "__main__":
    main()
