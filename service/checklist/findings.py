"""What the nurse reads: findings, worst first, each with its reason and its way out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from service.checklist.evidence import Unknown
from service.checklist.rules import Citation, Kind, Observation, Override, Pack, Status


@dataclass(slots=True)
class Because:
    """A fact that settled a finding: its counted value, when it was collected, where it came from."""

    fact: str
    value: Any
    unit: str | None = None
    at: date | datetime | None = None
    source: str | None = None


@dataclass(slots=True)
class Finding:
    """What a check answers. `rule` is None where nothing was found.

    `would_pass_when` lists the smallest sets of answers or changes that make it go away, each verified by
    evaluating again. `eligible_from` is the first date on which time alone does.
    """

    check: str
    title: str
    status: Status
    kind: Kind
    rule: str | None
    message: str
    action: str
    missing: tuple[str, ...] = ()
    unknowns: tuple[Unknown, ...] = ()
    because: tuple[Because, ...] = ()
    would_pass_when: tuple[tuple[str, ...], ...] = ()
    eligible_from: date | None = None
    citations: tuple[Citation, ...] = ()
    override: Override | None = None
    unverified: bool = False


@dataclass(frozen=True, slots=True)
class Checklist:
    """The answer for one patient, one drug, one infusion. `trace` holds every rule, fired or not."""

    pack: Pack
    status: Status
    findings: tuple[Finding, ...]
    needs: tuple[str, ...]
    eligible_from: date | None
    observation: Observation | None
    trace: Any = field(repr=False)


def worst_first(findings: Sequence[Finding], order: Mapping[str, int]) -> tuple[Finding, ...]:
    """Findings by status, then in the pack's order of checks; within a check the order they came in."""
    return tuple(sorted(findings, key=lambda finding: (-finding.status, order[finding.check])))
