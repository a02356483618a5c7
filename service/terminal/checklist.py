"""A checklist as a nurse reads it: who and what, one decision line, what to do, what to ask, what passed."""

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.text import Text

from service.checklist.facts import FactDefinition
from service.checklist.findings import Finding
from service.checklist.rules import Kind, Override, Status
from service.intake.answers import Answer
from service.intake.documents import look_alikes
from service.knowledge.library import Library
from service.terminal.console import DECISIONS, NOT_APPLICABLE, STATUSES, heading, labelled
from service.terminal.words import WEEKDAYS, Words, clean, counted, listed

JUDGEMENT = "This supports clinical judgement and does not replace it."
SHORT_DIGEST = len("sha256:") + 12

OVERRIDES = {
    Override.NEVER: "none: this cannot be overridden",
    Override.PRESCRIBER: "only by the prescriber, on record",
    Override.ACKNOWLEDGE: "acknowledge to go on",
}
KINDS = {
    Kind.CONTRAINDICATION: "contraindication",
    Kind.CAUTION: "caution",
    Kind.DEFER: "delay",
    Kind.MISSING: "not known",
    Kind.STALE: "too old",
    Kind.CONFLICT: "contradiction",
    Kind.PREMEDICATION: "premedication",
    Kind.DOSE: "dose",
    Kind.SCHEDULE: "schedule",
    Kind.POLICY: "site policy",
    Kind.ENGINE: "fault",
}
WHERE_ASKED = {
    "patient": "ask the patient",
    "nurse": "see for yourself",
    "record": "look in the record",
    "prescriber": "ask the prescriber",
}


class Page:
    """One answered request, ready to print."""

    def __init__(self, answer: Answer, library: Library) -> None:
        self.request, self.checklist, self.library = answer.request, answer.checklist, library
        self.words = Words.of(answer.checklist.pack, library, answer.request.situation.infusion_at.tzinfo)

    def print(self, console: Console) -> None:
        """Print it from top to bottom."""
        for part in (*self._header(), *self._decision(), *self._findings(), *self._asks(), *self._passed()):
            console.print(part)
        for part in self._footer():
            console.print(part)

    def _header(self) -> Iterator[RenderableType]:
        pack, situation = self.checklist.pack, self.request.situation
        yield Text.assemble(
            (pack.title, "bold"),
            f" ({', '.join(pack.brands)})" if pack.brands else "",
            f"  {pack.drug_class}",
        )
        others = look_alikes(pack, self.library)
        if others:
            said = (
                f"{self._title(each['drug'])} ({'; '.join([*each['brands'], each['class']])})"
                for each in others
            )
            yield Text(f"Not {listed(said, 'and not')}", "bold yellow")
        at = situation.infusion_at
        yield Text.assemble(
            "Patient ",
            (clean(self.request.patient), "bold"),
            f"   Infusion {WEEKDAYS[at.weekday()]} ",
            (f"{at:%Y-%m-%d %H:%M}", "bold"),
            f" (UTC{at:%z})   {situation.region} rules",
        )
        order = [
            part for name in ("dose_number", "ordered_dose", "indication") if (part := self._known(name))
        ]
        if order:
            yield Text("   ".join(order))

    def _title(self, drug: str) -> str:
        return self.library.packs[drug].title.lower()

    def _known(self, name: str) -> str:
        """A fact of the order in a few words, or nothing where it is not known."""
        if name not in self.checklist.pack.vocabulary:
            return ""
        known = self.checklist.trace.case.evidence(name)
        if known.unknown is not None:
            return ""
        label = self.words.label(name)
        return f"{label[:1].upper()}{label[1:]} {self.words.value(name, known.value, known.unit)}"

    def _decision(self) -> Iterator[RenderableType]:
        checklist = self.checklist
        tally = {
            status: [finding for finding in checklist.findings if finding.status is status]
            for status in Status
        }
        counts = [
            *([counted(len(tally[Status.BLOCK]), "block")] if tally[Status.BLOCK] else []),
            *([counted(len(tally[Status.WARN]), "warning")] if tally[Status.WARN] else []),
            *([f"{counted(len(checklist.needs), 'fact')} missing"] if checklist.needs else []),
        ]
        said = ", ".join(counts) or f"nothing found in {counted(len(tally[Status.PASS]), 'check')}"
        if checklist.eligible_from is not None:
            lifted = any(finding.eligible_from for finding in tally[Status.BLOCK])
            what = "Earliest start" if lifted else "Time lifts a warning on"
            said = f"{said}. {what} {checklist.eligible_from.isoformat()}"
        yield Text()
        yield Text.assemble(DECISIONS[checklist.status].badge, (f"  {said}.", "bold"))

    def _findings(self) -> Iterator[RenderableType]:
        for finding in self.checklist.findings:
            if finding.status is not Status.PASS:
                yield Group(Text(), self._finding(finding))

    def _finding(self, finding: Finding) -> RenderableType:
        words = self.words
        top = Text.assemble(
            STATUSES[finding.status].badge, (f" {finding.title}", "bold"), (f"  {KINDS[finding.kind]}", "dim")
        )
        if finding.unverified:
            top.append("  (source not verified)", "dim")
        rows = [("", Text(finding.message)), ("Do", Text(finding.action, "bold"))]
        if finding.because:
            rows.append(("Because", Text("\n".join(words.because(each) for each in finding.because))))
        if finding.would_pass_when:
            ways = (listed(map(words.proposal, each)) for each in finding.would_pass_when)
            rows.append(("Passes if", Text("\nor ".join(ways))))
        if finding.eligible_from:
            rows.append(("Lifts on", Text(f"{finding.eligible_from.isoformat()}, by time alone")))
        if finding.citations:
            first, *more = finding.citations
            also = f" and {counted(len(more), 'more', 'more')}" if more else ""
            source = first.source
            rows.append(("Source", Text(f"{source.title}, revised {source.revised}, at {first.at}{also}")))
        if finding.override:
            rows.append(("Override", Text(OVERRIDES[finding.override])))
        return Group(top, labelled(rows))

    def _asks(self) -> Iterator[RenderableType]:
        needs = self.checklist.needs
        if not needs:
            return
        yield Text()
        yield heading(f"Ask: {counted(len(needs), 'fact')}, most decisive first")
        vocabulary = self.checklist.pack.vocabulary
        for place, name in enumerate(needs, 1):
            yield labelled([(f"{place:>2}", _question(vocabulary[name]))], indent=0)

    def _passed(self) -> Iterator[RenderableType]:
        passed = [finding for finding in self.checklist.findings if finding.status is Status.PASS]
        if not passed:
            return
        yield Text()
        yield heading(f"Nothing found: {counted(len(passed), 'check')}")
        for finding in sorted(passed, key=lambda each: each.kind is Kind.NOT_APPLICABLE):
            sign = NOT_APPLICABLE if finding.kind is Kind.NOT_APPLICABLE else STATUSES[Status.PASS]
            yield Text.assemble(sign.text, f"  {finding.title}", (f": {finding.message}", "dim"))

    def _footer(self) -> Iterator[RenderableType]:
        checklist = self.checklist
        yield Text()
        if checklist.observation is not None:
            plan = checklist.observation
            yield Text.assemble((f"Afterwards: observe {plan.minutes_after} minutes. ", "bold"), plan.text)
        pack = checklist.pack
        digest, policy = pack.digest[:SHORT_DIGEST], self.library.policy.digest[:SHORT_DIGEST]
        yield Text(f"Rules {pack.id} {pack.version} {digest}, policy {policy}. Not recorded.", "dim")
        yield Text(JUDGEMENT, "dim")


def _question(definition: FactDefinition) -> Text:
    answers = _answers(definition)
    return Text.assemble(
        (definition.question, "bold"),
        f"\n{definition.help}",
        (f"\n{WHERE_ASKED[definition.answered_by]}; {definition.name}: {answers}", "dim"),
    )


def _answers(definition: FactDefinition) -> str:
    """How the answer is written in a request."""
    dated = ", with its date" if definition.result else ""
    match definition.type:
        case "code":
            return listed(definition.values, "or") + dated
        case "quantity":
            return f"a number in {listed((*definition.units, *definition.words), 'or')}{dated}"
        case "date":
            return listed(("a date such as 2026-11-10", *definition.words), "or")
        case "integer":
            return listed(map(str, definition.numbers), "or") or "a whole number"
        case _:
            return "a list; [] where there is none"
