"""What is wrong with a request: one message for each bad field, at its path."""

from collections.abc import Sequence
from dataclasses import dataclass

MOST_ERRORS = 100


@dataclass(frozen=True, order=True)
class FieldError:
    """One bad field: its path (`facts.dose_number`) and what to do about it."""

    path: str
    message: str


class BadInput(Exception):
    """A request that is refused whole. The messages never repeat patient data.

    At most the first hundred bad fields are named.
    """

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = sorted(errors)[:MOST_ERRORS]
        super().__init__("; ".join(f"{each.path}: {each.message}" for each in self.errors))


class AnothersBundle(BadInput):
    """The bundle of a request holds something of another patient than the one asked about."""
