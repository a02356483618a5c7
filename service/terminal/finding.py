"""Checklists that were found, and the figures of the rules, in words."""

from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Console
from rich.text import Text

from service.checklist.rules import Status
from service.records.quality import Quality, RuleFigures
from service.records.search import Hit
from service.terminal.console import STATUSES, Hanging, labelled
from service.terminal.failures import clean
from service.terminal.words import counted

_STATUS = {status.word: STATUSES[status] for status in Status}
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def print_hits(hits: Iterable[Hit], console: Console) -> None:
    """Each checklist with its status, patient and infusion, and below it the rules that flagged it."""
    for hit in hits:
        infusion = f"for {hit.infusion_at}" if hit.infusion_at else "what it held was erased"
        line = Text.assemble(_STATUS[hit.status].text, "  ", (clean(hit.patient or "-"), "bold"))
        line.append(f"  {hit.drug}, {infusion}")
        console.print(Hanging(line))
        made = Text(f"{hit.id}  made {hit.created_at:%Y-%m-%d %H:%M} UTC by {clean(hit.actor)}", "dim")
        console.print(Hanging(made, indent=2))
        if hit.flags:
            rules = ", ".join(
                flag.rule if flag.verdict == "holds" else f"{flag.rule} (undecided)" for flag in hit.flags
            )
            console.print(Hanging(Text(rules), indent=2))
        for word, other in (("corrects", hit.supersedes), ("superseded by", hit.superseded_by)):
            if other:
                console.print(Hanging(Text(f"{word} {other}"), indent=2))


def print_quality(figures: Quality, console: Console) -> None:
    """The figures of each rule that was a finding, the most overridden first, and which to review."""
    rules = [rule for rule in figures.rules if rule.found]
    said = f"{counted(figures.checklists, 'checklist')}, superseded ones left out"
    if figures.held_by_a_fault:
        said += f"; {figures.held_by_a_fault} held by a fault of the service"
    other = counted(len(figures.rules) - len(rules), "rule")
    console.print(Hanging(Text(f"{said}. {other} evaluated and never a finding.")))
    for rule in rules:
        console.print()
        console.print(Hanging(Text.assemble((rule.rule, "bold"), f"  {rule.drug}, {rule.check}")))
        console.print(labelled(_lines(rule), label_width=12))


def _lines(rule: RuleFigures) -> Iterator[tuple[str, Text]]:
    document = rule.document()
    yield "evaluated", Text(f"{rule.evaluated}: {rule.fired} fired, {rule.undecided} undecided")
    share = f"{rule.overridden} overridden ({rule.share_overridden:.0%})"
    yield "answers", Text(f"{share}, {rule.acknowledged} acknowledged, {document['unanswered']} open")
    if rule.reasons:
        yield "reasons", Text(", ".join(f"{code} {times}" for code, times in document["reasons"].items()))
    if rule.seconds:
        median, late = document["median_seconds_to_answer"], document["p90_seconds_to_answer"]
        yield "answered in", Text(f"{_time(median)} (median), {_time(late)} (90th percentile)")
    if rule.cards.shown:
        yield "cards", Text(_cards(document["cards"]))
    if rule.note:
        yield "note", Text(rule.note, "bold")


def _cards(cards: dict[str, Any]) -> str:
    """How the cards in EHRs were taken."""
    said = f"{cards['shown']} shown, {cards['accepted']} accepted, {cards['overridden']} overridden"
    reasons = ", ".join(f"{code} {times}" for code, times in cards["reasons"].items())
    return f"{said}: {reasons}" if reasons else said


def _time(seconds: float) -> str:
    """A time in the unit that suits it."""
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min" if seconds >= _MINUTE else f"{seconds:.0f} s"
    return f"{seconds / _HOUR:.1f} h" if seconds < 2 * _DAY else f"{seconds / _DAY:.1f} d"
