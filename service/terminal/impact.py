"""What other rules would do to the stored checklists, as a pharmacist reads it before releasing them."""

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.text import Text

from service.checklist.rules import Pack, Status
from service.knowledge.writing import listed
from service.records.impact import OBSERVATION, Asked, Assessed, Step
from service.records.impact_tally import Group, Tally, Way, by_strictness, ordered, way_of
from service.terminal.checklist import SHORT_DIGEST
from service.terminal.console import STATUSES, Hanging, heading
from service.terminal.failures import clean

_PARTS: Mapping[str, str] = {
    "action": "what to do",
    "because": "the facts shown",
    "eligible_from": "the date on which it lifts",
    "kind": "the kind of finding",
    "message": "wording",
    "minutes_after": "the minutes to watch",
    "missing": "the facts asked for",
    "override": "who may override",
    "sources": "sources",
    "tags": "tags",
    "text": "wording",
    "title": "title",
    "would_pass_when": "what would make it pass",
}
_SECTIONS: Mapping[Way, str] = {
    Way.LESS: "Less strict",
    Way.MORE: "Stricter",
    Way.OTHER: "As strict, but another answer",
    Way.WORDS: "Other words only",
}
_STATUS = {status.word: status for status in Status}


def print_impact(tally: Tally, asked: Asked, superseded: int, console: Console, *, patients: bool) -> None:
    """Print the verdict, then what changes: the less strict first, by rule, with the checklists."""
    for line in (*_scope(tally, asked), Text(), *_verdict(tally), *_left_out(tally, superseded)):
        console.print(Hanging(line))
    for section, steps in groupby(ordered(tally.steps, asked.pack), key=way_of):
        console.print("\n", heading(_SECTIONS[section]), sep="")
        for rule, same in groupby(steps, key=lambda step: (step.check, step.rule)):
            console.print()
            for line in _rule(*rule, asked.pack):
                console.print(Hanging(line, indent=2))
            for step in same:
                _print_group(_step(step), tally.steps[step], console, patients=patients)
    if tally.faults.count:
        console.print(
            "\n", heading("Held by a fault of the rules engine: do not release these rules"), sep=""
        )
        _print_group(Text("checklists"), tally.faults, console, patients=patients)
    if tally.refusals:
        console.print("\n", heading("No longer answered"), sep="")
        for error, group in sorted(tally.refusals.items()):
            said = Text(clean(f"{error.path or 'the request'}: {error.message}"))
            _print_group(said, group, console, patients=patients)


def document(tally: Tally, asked: Asked, superseded: int) -> dict[str, Any]:
    """The same as JSON, without the checklists: these are written one by one."""
    return {
        "drug": asked.pack.id,
        "pack": {"version": asked.pack.version, "digest": asked.pack.digest},
        "since": asked.since.isoformat() if asked.since else None,
        "until": asked.until.isoformat() if asked.until else None,
        "assessed": tally.assessed,
        "changed": tally.changed,
        "reworded": tally.reworded,
        "refused": tally.refused,
        "faults": tally.faults.count,
        "superseded": superseded,
        "erased": tally.erased,
        "statuses": [
            {"before": before, "after": after, "count": count}
            for (before, after), count in sorted(tally.statuses.items())
        ],
        "rules": [
            {**step_document(step), "count": tally.steps[step].count}
            for step in ordered(tally.steps, asked.pack)
        ],
        "refusals": [
            {"path": error.path, "message": error.message, "count": group.count}
            for error, group in sorted(tally.refusals.items())
        ],
    }


def assessed_document(one: Assessed, *, patients: bool) -> dict[str, Any]:
    """One checklist that would not stay as it is."""
    return {
        "id": one.id,
        "made_at": one.made_at.isoformat(),
        **({"patient": one.patient} if patients else {}),
        "before": one.before,
        "after": one.after,
        "fault": one.fault,
        "findings": [step_document(step) for step in one.steps],
        "errors": [vars(error) for error in one.errors],
    }


def step_document(step: Step) -> dict[str, Any]:
    """What one rule answers, before and after."""
    return {**vars(step), "differs": list(step.differs)}


def _scope(tally: Tally, asked: Asked) -> Iterator[Text]:
    digest = asked.pack.digest[:SHORT_DIGEST]
    yield Text.assemble((asked.pack.title, "bold"), f" {asked.pack.version} ({digest}), as it is on disk")
    since = f" from {asked.since}" if asked.since else ""
    until = f" to {asked.until}" if asked.until else ""
    versions = [f"{version} ({count:,})" for version, count in sorted(tally.made_with.items())]
    made = f", made with {listed(versions)}" if versions else ""
    yield Text(f"on all checklists{since}{until}{made}")


def _verdict(tally: Tally) -> Iterator[Text]:
    every = f"{tally.assessed:,} {'checklist' if tally.assessed == 1 else 'checklists'}"
    if tally.nothing:
        same = f"{every} would come out as before" if tally.assessed else "there is no checklist to evaluate"
        yield Text(f"Nothing would change: {same}.", "bold green")
        return
    by_status = [
        Text.assemble(
            f"{count:,} ", _arrow(before, after) if before != after else f"of the same status ({after})"
        )
        for (before, after), count in by_strictness(tally.statuses)
    ]
    yield Text.assemble(
        (f"{tally.changed:,} of {every} would change", "bold"),
        ": " if by_status else "",
        Text(", ").join(by_status),
        ".",
    )
    if tally.reworded:
        yield Text(f"{tally.reworded:,} more would only read differently.")
    if tally.refused:
        yield Text(f"{tally.refused:,} would no longer be answered.", "bold")


def _left_out(tally: Tally, superseded: int) -> Iterator[Text]:
    counts = ((superseded, "superseded"), (tally.erased, "erased"))
    if left := [f"{count:,} {word}" for count, word in counts if count]:
        yield Text(f"Left out: {listed(left)}.", "dim")


def _rule(check: str, rule: str | None, pack: Pack) -> Iterator[Text]:
    """The rule and its check, and what it says on disk."""
    if check == OBSERVATION and rule is None:
        yield Text("observation after the infusion", "bold")
        return
    title = next((each.title for each in pack.checks if each.id == check), check)
    found = next((each for each in pack.rules if each.id == rule), None)
    gone = ", no longer in the pack" if rule and not found else ""
    yield Text.assemble((rule or "the check itself", "bold"), f"  {title}{gone}")
    if found:
        yield Text(found.message, "italic")


def _step(step: Step) -> Text:
    if step.before != step.after:
        return _arrow(step.before, step.after)
    return Text(
        f"{step.after}, another: {listed(dict.fromkeys(_PARTS.get(each, each) for each in step.differs))}"
    )


def _arrow(before: str, after: str) -> Text:
    return Text.assemble(
        (before, STATUSES[_STATUS[before]].style), " → ", (after, STATUSES[_STATUS[after]].style)
    )


def _print_group(said: Text, group: Group, console: Console, *, patients: bool) -> None:
    console.print(Hanging(said, f"{group.count:,} ×", indent=4, label_width=7))
    for one in group.first:
        named = f"  {clean(one.patient)}" if patients and one.patient else ""
        console.print(Hanging(Text(f"{one.id}  {one.made_at.date()}{named}", "dim"), indent=11))
    if (more := group.count - len(group.first)) > 0:
        console.print(Hanging(Text(f"and {more:,} more; --json lists every one", "dim"), indent=11))
