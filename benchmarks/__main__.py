"""What `make bench` runs: python -m benchmarks [--quick]."""

import argparse
import sys
from dataclasses import dataclass
from time import perf_counter

from benchmarks import ehr, memory, packs, pages, records, rivals, startup
from benchmarks.report import machine
from service.knowledge.library import load_library


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    rounds: int
    mixed: int
    starts: int
    evaluations: int
    calls: int


FULL = Effort(rounds=7, mixed=300, starts=7, evaluations=200_000, calls=60)
QUICK = Effort(rounds=3, mixed=40, starts=1, evaluations=20_000, calls=15)


def main():
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="How fast a checklist is made.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and patients, about a minute")
    effort = QUICK if parser.parse_args().quick else FULL
    start = perf_counter()
    print(f"{machine()}. One process, one thread; CPU time, so that other work on the machine counts little;")
    print("but the record, the EHR and the page, at the end, in wall-clock time.")
    library = load_library()
    packs.report(library, effort)
    differ = None
    try:
        rivals.report(library, effort)
    except rivals.Differ as error:
        differ = str(error)
        print(f"  {differ}")
    startup.report(effort)
    memory.report(effort)
    records.report(effort)
    ehr.report(effort)
    pages.report(effort)
    print(f"\n{perf_counter() - start:.0f} seconds in all")
    sys.exit(differ)


if __name__ == "__main__":
    main()
