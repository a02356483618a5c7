"""Lines of CSV (RFC 4180) that a spreadsheet shows and never runs."""

import csv
import io
import re
from collections.abc import Iterable

# What a spreadsheet takes for a formula, also in the wide forms that some of them read as these.
_FORMULA = re.compile(r"[\t\r\n]|\s*[=+\-@＝＋－＠]")


def csv_line(cells: Iterable[str | None]) -> bytes:
    """One line of these cells; None is an empty one, and what would be run is shown behind an apostrophe."""
    line = io.StringIO()
    csv.writer(line).writerow([_shown(cell or "") for cell in cells])
    return line.getvalue().encode()


def _shown(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell
