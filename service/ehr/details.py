"""What stands on a card below its summary, in GitHub-flavoured Markdown. Every text of data is escaped."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from service.checklist.facts import Vocabulary
from service.checklist.rules import Kind
from service.ehr.markdown import escaped, line

Document = Mapping[str, Any]

# Who can answer now; the others only on the day.
_NOW = ("record", "prescriber")
_OVERRIDES = {
    "never": "This can never be overridden.",
    "prescriber": "Only a prescriber may go on in spite of it, by a signed override of the checklist; an "
    "answer to this card is none.",
    "acknowledge": "It has to be acknowledged in the checklist; an answer to this card is no "
    "acknowledgement.",
}


def about(order: str, infusion_at: str, *, in_doubt: bool) -> str:
    """Which order was checked, and for when: two orders of one drug look alike else."""
    said = f"Order {escaped(order)}, checked "
    if in_doubt:
        return (
            f"{said}as if it were infused now: the order gives no time that can be read. "
            "Check again on the day."
        )
    at = datetime.fromisoformat(infusion_at)
    return f"{said}for an infusion on {at:%Y-%m-%d} at {at:%H:%M} ({at.isoformat()[-6:]})."


def on_record(findings: Iterable[Document]) -> set[str]:
    """The facts that are missing although a value is on record: another test would say no more."""
    known, stale = set[str](), set[str]()
    for finding in findings:
        seen = {each["fact"] for each in finding["because"] if each["value"] is not None}
        (stale if finding["kind"] == Kind.STALE else known).update(seen.intersection(finding["missing"]))
    return known - stale


def decided(finding: Document, vocabulary: Vocabulary) -> str:
    """A finding that was decided: the reason, what to do, what would make it pass, and where it is from."""
    return _paragraphs(
        f"**{escaped(finding['title'])}** ({finding['status']})",
        line(finding["message"]),
        _labelled("What to do", finding["action"]),
        _list("Because", (_because(each, vocabulary) for each in finding["because"])),
        _list("It would pass when", map(line, _ways_out(finding, vocabulary))),
        _labelled("Time alone lifts it on", finding["eligible_from"]),
        _list("Sources", _sources([finding])),
        "Nobody has verified the source of this rule yet." if finding.get("tags") else "",
        _OVERRIDES.get(finding["override"] or "", ""),
    )


def asked(
    findings: Sequence[Document],
    vocabulary: Vocabulary,
    *,
    placed: Mapping[str, str],
    unread: Mapping[str, str],
) -> str:
    """Every check that is open, by who can close it: what is missing, what to do, and what is on record.

    `placed` are the orders by which some of it is on its way, `unread` what of the EHR's record is not known.
    """
    now = [each for each in findings if _can_be_known_now(each, vocabulary)]
    chair = [each for each in findings if each not in now]
    return _paragraphs(
        "Unknown never passes: these checks stay open until what is missing is known.",
        _unread(unread),
        _list("Now, in the record or from the prescriber", (_open(each, vocabulary, placed) for each in now)),
        _list(
            "At the chair, from the patient or by the nurse",
            (_open(each, vocabulary, placed) for each in chair),
        ),
        f"**Sources:** {'; '.join(_sources(findings))}.",
    )


def passed(result: Document) -> str:
    """What was checked and found to be in order, and how long to watch the patient afterwards."""
    plan = result["observation"]
    watched = (
        f"**Afterwards:** observe {plan['minutes_after']} minutes. {escaped(plan['text'])}" if plan else ""
    )
    checks = (f"{line(each['title'])}: {escaped(each['message'])}" for each in result["findings"])
    return _paragraphs(
        watched,
        _list("Checked", checks),
        _list("Sources", _sources([plan] if plan else [])),
        "This supports clinical judgement and does not replace it.",
    )


def fault(findings: Sequence[Document]) -> str:
    """Checks that the service itself could not evaluate."""
    first = findings[0]
    return _paragraphs(
        line(first["message"]),
        _labelled("What to do", first["action"]),
        _list("Not evaluated", (line(each["title"]) for each in findings)),
    )


def labels(names: Iterable[str], vocabulary: Vocabulary) -> list[str]:
    """What facts are called."""
    return [_label(name, vocabulary) for name in names]


def _unread(unread: Mapping[str, str]) -> str:
    """What of the record is not known, by what is wrong with it."""
    by_state: dict[str, list[str]] = {}
    for name, state in unread.items():
        by_state.setdefault(state, []).append(name.replace("_", " "))
    said = [f"{state}: {', '.join(names)}" for state, names in by_state.items()]
    return f"**Of the record in the EHR** {escaped('; '.join(said))}." if said else ""


def _can_be_known_now(finding: Document, vocabulary: Vocabulary) -> bool:
    """Whether something that it lacks is in the record, or the prescriber knows it."""
    return any(vocabulary[name].answered_by in _NOW for name in finding["missing"] if name in vocabulary)


def _open(finding: Document, vocabulary: Vocabulary, placed: Mapping[str, str]) -> str:
    on_order = [
        f"{_label(name, vocabulary)}, {placed[name]}" for name in finding["missing"] if name in placed
    ]
    known = (each for each in finding["because"] if each["fact"] in vocabulary)
    on_record = "; ".join(_because(each, vocabulary) for each in known)
    lifted = finding["eligible_from"]
    parts = [
        f"**{escaped(finding['title'])}** ({finding['status']}): {escaped(finding['message'])}",
        escaped(finding["action"] or ""),
        f"On order: {escaped('; '.join(on_order))}." if on_order else "",
        f"On record: {on_record}." if on_record else "",
        f"Time alone lifts it on {escaped(lifted)}." if lifted else "",
    ]
    return " ".join(part for part in parts if part)


def _ways_out(finding: Document, vocabulary: Vocabulary) -> Iterator[str]:
    for changes in finding["would_pass_when"]:
        yield " and ".join(_worded(change, vocabulary) for change in changes)


def _worded(change: str, vocabulary: Vocabulary) -> str:
    """A change in words: it begins with the name of a fact."""
    name, _, rest = change.partition(" ")
    return f"{_label(name, vocabulary)} {rest.replace('_', ' ')}"


def _label(name: str, vocabulary: Vocabulary) -> str:
    return vocabulary[name].label if name in vocabulary else name.replace("_", " ")


def _because(because: Document, vocabulary: Vocabulary) -> str:
    definition = vocabulary.facts.get(because["fact"])
    words = {**definition.values, **definition.words} if definition else {}
    said = _value(because["value"], words)
    if "unit" in because:
        said = f"{said} {because['unit']}"
    parts = [said, str(because.get("at", "")), str(because.get("source", ""))]
    return f"{line(_label(because['fact'], vocabulary))}: {escaped(', '.join(filter(None, parts)))}"


def _value(value: Any, words: Mapping[str, str]) -> str:
    if isinstance(value, Mapping):
        return ", ".join(_value(each, words) for each in value.values())
    if isinstance(value, list):
        return "; ".join(_value(each, words) for each in value) or "none"
    return words.get(value, value) if isinstance(value, str) else str(value)


def _sources(cited: Iterable[Document]) -> Iterator[str]:
    """Each source once, with all the places in it, each of them once."""
    places: dict[tuple[str, str], dict[str, None]] = {}
    for document in cited:
        for each in document["sources"]:
            sections = dict.fromkeys(each["section"].split("; "))
            places.setdefault((each["title"], each["revised"]), {}).update(sections)
    for (title, revised), sections in places.items():
        said = revised if revised == "undated" else f"revised {revised}"
        yield f"{line(title)}, {escaped(said)}: {escaped('; '.join(sections))}"


def _labelled(label: str, text: str | None) -> str:
    return f"**{label}:** {escaped(text)}" if text else ""


def _list(heading: str, items: Iterable[str]) -> str:
    lines = [f"- {item}" for item in items]
    return "\n".join([f"**{heading}**", "", *lines]) if lines else ""


def _paragraphs(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
