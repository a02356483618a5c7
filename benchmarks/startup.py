"""Start-up: CPU seconds of a whole command in an interpreter of its own."""

import subprocess
import sys
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median

from benchmarks.patients import REQUESTS
from benchmarks.report import heading, table

REQUEST = REQUESTS / "inebilizumab_first.json"
NOTHING = "pass"
LOAD = "from service.knowledge.library import load_library; load_library()"
IMPORTS = "import service.knowledge.library"
ANSWER = f"""
import json
from pathlib import Path
from service.intake.requests import answer, read_request
from service.knowledge.library import load_library
library = load_library()
answer(read_request(json.loads(Path({str(REQUEST)!r}).read_text()), library), library)
"""


def report(effort):
    """Measure and print."""
    heading("Start-up, CPU seconds (user and system) in a fresh interpreter")
    program = Path(sys.executable).with_name("dosegate")
    commands = {"the interpreter alone": [sys.executable, "-c", NOTHING]}
    if program.exists() and _works([str(program), "check", str(REQUEST)]):
        commands["dosegate check FILE"] = [str(program), "check", str(REQUEST)]
        commands["dosegate check --json FILE"] = [str(program), "check", "--json", str(REQUEST)]
    commands["import, load_library, one answer"] = [sys.executable, "-c", ANSWER]
    commands["import and load_library"] = [sys.executable, "-c", LOAD]
    commands["import alone"] = [sys.executable, "-c", IMPORTS]
    spent = {said: [] for said in commands}
    for _ in range(effort.starts):
        for said, command in commands.items():
            spent[said].append(_cpu(command))
    rows = [[said, f"{median(times):.3f}", f"{min(times):.3f}"] for said, times in spent.items()]
    loading = median(
        whole - part
        for whole, part in zip(spent["import and load_library"], spent["import alone"], strict=True)
    )
    rows.append(["load_library alone (the difference)", f"{loading:.3f}", ""])
    table(("", "median", "least"), rows)


def _works(command):
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _cpu(command):
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
