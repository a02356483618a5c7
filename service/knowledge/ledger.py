"""The ledger (`rules/ledger.csv`): every clinical statement that rules may rest on, row by row."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass

SITE = "site"


@dataclass(frozen=True)
class LedgerRow:
    """One clinical statement. `check` is `-` where it is no start-of-infusion check."""

    row: str
    drugs: tuple[str, ...]
    check: str
    statement: str
    severity: str
    unknown: str
    source: str
    verified: str

    @property
    def only_warns(self) -> bool:
        """Rows that nobody has verified become rules only as a warning, tagged so."""
        return self.verified == "no"


def read_ledger(text: str) -> Mapping[str, LedgerRow]:
    """The rows by their id."""
    return {
        line["row"]: LedgerRow(
            line["row"],
            tuple(line["drug"].split("+")),
            line["check"],
            line["statement"],
            line["severity"],
            line["unknown"],
            line["source"],
            line["verified"],
        )
        for line in csv.DictReader(io.StringIO(text))
    }
