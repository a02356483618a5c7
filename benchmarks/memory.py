"""Memory: the resident set before and after very many evaluations, in an interpreter of its own."""

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.patients import typical
from benchmarks.report import aim, heading, table
from service.intake.requests import answer
from service.knowledge.library import load_library

WARM = 1_000
STEPS = 10
MOST_GROWTH = 1.0


def report(effort):
    """Measure and print."""
    heading("Memory, resident MB")
    command = [sys.executable, "-m", "benchmarks.memory", str(effort.evaluations)]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    rows, growth = [], 0.0
    for said, count, sizes in json.loads(done.stdout):
        rows.append([said, f"{count:,}", *(f"{sizes[place]:.1f}" for place in (0, STEPS // 2, -1))])
        growth += sizes[-1] - sizes[0]
    table(("answers for a clear patient", "evaluations", "before", "half-way", "after"), rows)
    print()
    aim(f"flat: at most {MOST_GROWTH:.0f} MB more afterwards ({growth:+.1f} MB)", growth <= MOST_GROWTH)


def resident():
    """Megabytes of this process that are in memory."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("this system does not say how much memory a process has")


def grow(library, drug, count):
    """The sizes before, and after each tenth of the evaluations."""
    request = typical(library, drug, "first")
    sizes = [resident()]
    for _ in range(STEPS):
        for _ in range(count // STEPS):
            answer(request, library)
        sizes.append(resident())
    return sizes


def main(count):
    """What the subprocess does: 10 evaluations of a small pack to each one of a large pack."""
    library = load_library()
    parts = (("ibalizumab", count), ("inebilizumab", count // 10))
    for drug, _ in parts:
        request = typical(library, drug, "first")
        for _ in range(WARM):
            answer(request, library)
    print(json.dumps([(drug, many, grow(library, drug, many)) for drug, many in parts]))


if __name__ == "__main__":
    main(int(sys.argv[1]))
