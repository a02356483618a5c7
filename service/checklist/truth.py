"""Kleene's three truth values, and what *all*, *any* and *not* mean when something is unknown.

The order is FALSE < UNKNOWN < TRUE, so that *all* is the minimum and *any* the maximum.
Source: S. C. Kleene, Introduction to Metamathematics (1952), section 64, the strong connectives.
"""

from collections.abc import Iterable
from enum import IntEnum


class Truth(IntEnum):
    """Whether a statement about the patient holds."""

    FALSE = 0
    UNKNOWN = 1
    TRUE = 2

    @property
    def word(self) -> str:
        """The word stored in a trace."""
        return ("no", "unknown", "yes")[self]


FALSE, UNKNOWN, TRUE = Truth.FALSE, Truth.UNKNOWN, Truth.TRUE
NEGATION = (TRUE, UNKNOWN, FALSE)


def negation(truth: Truth) -> Truth:
    """Not: unknown stays unknown."""
    return NEGATION[truth]


def conjunction(truths: Iterable[Truth]) -> Truth:
    """All of them: one FALSE decides, of nothing it is TRUE."""
    return min(truths, default=TRUE)


def disjunction(truths: Iterable[Truth]) -> Truth:
    """Any of them: one TRUE decides, of nothing it is FALSE."""
    return max(truths, default=FALSE)
