"""Plain tables, and aims beside the figures that they are about."""

import os
import platform
import sys
from textwrap import fill


def heading(text):
    """A section's title."""
    print(f"\n{text}\n{'-' * len(text)}")


def note(text):
    """What a table's figures mean."""
    print(fill(" ".join(text.split()), 100, initial_indent="  ", subsequent_indent="  "), end="\n\n")


def table(head, rows):
    """Rows in columns: the first to the left, the others to the right."""
    lines = [list(head), *([str(each) for each in row] for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    for line in lines:
        first, *rest = zip(line, widths, strict=True)
        cells = [first[0].ljust(first[1]), *(text.rjust(width) for text, width in rest)]
        print("  " + "   ".join(cells).rstrip())
    sys.stdout.flush()


def aim(said, met):
    """An aim, met or not."""
    print(f"  aim: {said}: {'met' if met else 'NOT MET'}", flush=True)


def machine():
    """What the figures were taken on."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{python}, {len(os.sched_getaffinity(0))} CPUs, {platform.machine()} {platform.system()}"


def rate(a_second):
    """Evaluations a second."""
    return f"{a_second:,.0f}"


def micros(seconds):
    """Microseconds."""
    return f"{seconds * 1e6:,.1f}"


def times(ratio):
    """A ratio."""
    return f"{ratio:,.1f} x"
