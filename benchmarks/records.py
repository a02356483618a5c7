"""The record: checklists stored and journaled a second, beside a bare insert and commit of the same row.

Every writer is a process of its own; what it has counted is on disk.
"""

import argparse
import random
import sqlite3
import sys
import tempfile
import uuid
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter

import psycopg
from sqlalchemy import Column, Index, MetaData, Table

from benchmarks.patients import REQUESTS
from benchmarks.report import aim, heading, machine, note, rate, table
from service.intake.answers import answer_to
from service.knowledge.library import load_library
from service.records.database import Database
from service.records.journal import Act
from service.records.opening import open_records
from service.records.store import Store
from service.records.stored import Basis, StoredChecklist
from service.records.tables import contents, moment_text
from tests.databases import postgresql_server

WRITERS = (1, 8)
SECONDS = 1.0
WARM = 0.3
LEAST = 0.5
NOW = datetime(2026, 10, 6, 18, 0, tzinfo=UTC)
ACT = Act("user:nina", "nurse", "a-request", NOW)
REQUEST = REQUESTS / "inebilizumab_findings.json"


def bare_table():
    """The table of a checklist's request, result and trace, with its indexes and without its references."""
    columns = [Column(each.name, each.type, primary_key=each.primary_key) for each in contents.columns]
    found = Table("bare", MetaData(), *columns)
    for each in contents.indexes:
        Index(f"bare_{each.name}", *(found.c[column.name] for column in each.columns))
    return found


BARE = bare_table()


def report(effort):
    """Measure and print."""
    heading("The record: checklists a second, stored and journaled, on disk")
    checklist, basis = evaluated()
    size = (len(checklist.request) + len(checklist.result) + len(checklist.trace)) / 1024
    note(
        f"""One inebilizumab checklist with its request, result and trace ({size:.0f} KB), and its journal
        entry in the same transaction. Bare: one insert and commit of the row that holds these under the same
        settings, by the plain driver (one statement, committed by itself), and as a service does it, by
        SQLAlchemy. Wall-clock time, in turns of {SECONDS:.0f} s; a ratio is the median of those of the
        rounds."""
    )
    rows, ratios = [], []
    for kind, opened in (("SQLite, synchronous FULL", sqlite_file), ("PostgreSQL, fsync on", postgresql)):
        for writers in WRITERS:
            with opened() as place, crew(place, writers, (checklist, basis)) as turn:
                found = raced(turn, effort.rounds)
            driver, core = (ratio(found["journaled"], found[name]) for name in ("driver", "sqlalchemy"))
            ratios.append(driver)
            said = f"{kind}, {writers} writer{'s' if writers > 1 else ''}"
            rates = [rate(median(found[name])) for name in ("journaled", "driver", "sqlalchemy")]
            rows.append([said, *rates, f"{driver:.2f}", f"{core:.2f}"])
    table(("", "journaled", "driver", "SQLAlchemy", "of driver", "of SQLAlchemy"), rows)
    print()
    aim(f"at least {LEAST} of the bare rate (least {min(ratios):.2f})", min(ratios) >= LEAST)


def ratio(ours, theirs):
    """The median of the rounds' ratios."""
    return median(own / plain for own, plain in zip(ours, theirs, strict=True))


def evaluated():
    """A real checklist as the service keeps it, and what it rests on."""
    library, body = load_library(), REQUEST.read_bytes()
    answered = answer_to(body, library, id=str(uuid.uuid4()), evaluated_at=NOW)
    checklist = StoredChecklist.of(answered, body, at=NOW, actor=ACT.actor)
    return checklist, Basis.of(library, answered.request.pack)


@contextmanager
def sqlite_file():
    """A new database of the service, with a table for the bare rows."""
    with tempfile.TemporaryDirectory() as folder:
        place = (f"sqlite:///{folder}/dosegate.db", Path(folder) / "signing.pem")
        open_records(place[0], None, "main", place[1], NOW).close()
        make_bare(place[0])
        yield place


@contextmanager
def postgresql():
    """The same on a PostgreSQL server of its own, as it is set up by default."""
    with tempfile.TemporaryDirectory() as folder, postgresql_server(Path(folder) / "server") as url:
        place = (url, Path(folder) / "signing.pem")
        open_records(url, None, "main", place[1], NOW).close()
        make_bare(url)
        yield place


def make_bare(url):
    """Make the table for bare rows."""
    with closing(Database(url)) as database:
        BARE.create(database.engine)


def connected(url):
    """The plain driver, as the service sets it: each statement is a transaction."""
    if not url.startswith("sqlite"):
        return psycopg.connect(url, autocommit=True)
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=60)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    return connection


@contextmanager
def crew(place, writers, kept):
    """Writers that have opened their records; `turn(name)` is the commits a second of all in one turn."""
    context = get_context("spawn")
    pipes, processes = [], []
    for _ in range(writers):
        ours, theirs = context.Pipe()
        processes.append(context.Process(target=write, args=(theirs, place, kept)))
        pipes.append(ours)
    for process in processes:
        process.start()
    for pipe in pipes:
        pipe.recv()

    def turn(name, seconds=SECONDS):
        start = perf_counter()
        for pipe in pipes:
            pipe.send((name, start + seconds))
        done = sum(pipe.recv() for pipe in pipes)
        return done / (perf_counter() - start)

    try:
        yield turn
    finally:
        for pipe in pipes:
            pipe.send(None)
        for process in processes:
            process.join()


def write(pipe, place, kept):
    """What a writer's process does: say that it is ready, then write until each deadline."""
    url, keys = place
    checklist, basis = kept
    with (
        closing(open_records(url, None, "main", keys, NOW)) as records,
        closing(connected(url)) as plain,
        closing(Database(url)) as database,
    ):
        ways = {
            "journaled": journaled(Store(records), checklist, basis),
            "driver": bare(plain, checklist),
            "sqlalchemy": bare_by_sqlalchemy(database.engine, checklist),
        }
        pipe.send("ready")
        while (order := pipe.recv()) is not None:
            name, until = order
            work, done = ways[name], 0
            while perf_counter() < until:
                work()
                done += 1
            pipe.send(done)


def journaled(store, checklist, basis):
    """Keeps one more checklist."""
    return lambda: store.add(replace(checklist, id=str(uuid.uuid4())), basis, ACT)


def bare(connection, checklist):
    """Inserts one more row, and commits."""
    mark = "%s" if isinstance(connection, psycopg.Connection) else "?"
    names = [each.name for each in BARE.columns]
    insert = f"INSERT INTO bare ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))})"
    row = bare_row(checklist) | {"infusion_utc": moment_text(NOW)}
    first, *others = (row.get(name) for name in names)
    assert first is None
    assert None not in others
    return lambda: connection.execute(insert, (str(uuid.uuid4()), *others))


def bare_by_sqlalchemy(engine, checklist):
    """The same, as a service does it; what it commits is on disk."""
    engine = engine.execution_options(begin="IMMEDIATE")
    row = {name: each for name, each in bare_row(checklist).items() if name in BARE.c}

    def work():
        with engine.begin() as connection:
            if connection.dialect.name != "sqlite":
                connection.exec_driver_sql("SET LOCAL synchronous_commit TO on")
            connection.execute(BARE.insert(), {**row, "checklist": str(uuid.uuid4())})

    return work


def bare_row(checklist):
    """What both write."""
    return {"site": "main", "salt": bytes(32), "infusion_utc": NOW, **vars(checklist)}


def raced(turn, rounds):
    """The rates of all ways in each round, in random order."""
    found = {"journaled": [], "driver": [], "sqlalchemy": []}
    for name in found:
        turn(name, WARM)
    order, shuffle = list(found), random.Random(1).shuffle
    for _ in range(rounds):
        shuffle(order)
        for name in order:
            found[name].append(turn(name))
    return found


def main():
    """Measure the record alone."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.records", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    print(f"{machine()}.")
    report(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
