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
from service.knowledge.writing import listed
from service.terminal.console import DECISIONS, NOT_APPLICABLE, STATUSES, Hanging, OneLine, heading, labelled
from service.terminal.failures import clean
from service.terminal.words import WEEKDAYS, Words, counted

JUDGEMENT = "This supports clinical judgement and does not replace it."
SHORT_DIGEST = len("sha256:") + 12

ORDER = ("dose_number", "ordered_dose", "indication")  # facts of the order that stand in the header

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
        """Print it from top to bottom; on a terminal the decision stands at the bottom again, in sight."""
        sections = [self._header, self._decision, self._findings, self._asks, self._passed, self._footer]
        if console.is_terminal:
            sections.append(self._decision)
        for section in sections:
            for part in section():
                console.print(part)

    def _header(self) -> Iterator[RenderableType]:
        pack, situation = self.checklist.pack, self.request.situation
        at = situation.infusion_at
        yield Text.assemble(
            "Patient ",
            (clean(self.request.patient), "bold"),
            f"   Infusion {WEEKDAYS[at.weekday()]} ",
            (f"{at:%Y-%m-%d %H:%M}", "bold"),
            f" ({at.isoformat()[-6:]})   {situation.region} rules",
        )
        brands = f" ({', '.join(pack.brands)})" if pack.brands else ""
        yield Hanging(Text.assemble((pack.title, "bold"), f"{brands}: {pack.drug_class}"))
        for other in look_alikes(pack, self.library):
            told_apart = "; ".join([*other["brands"], other["class"]])
            name = self.library.packs[other["drug"]].title.lower()
            yield Hanging(Text(f"Not {name} ({told_apart})", "bold yellow"))
        order = [part for name in ORDER if (part := self._known(name))]
        if order:
            yield Hanging(Text("   ".join(order)))

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
        by = {status: [each for each in checklist.findings if each.status is status] for status in Status}
        counts = [
            counted(len(found), word)
            for found, word in ((by[Status.BLOCK], "block"), (by[Status.WARN], "warning"))
            if found
        ]
        if checklist.needs:
            counts.append(f"{counted(len(checklist.needs), 'fact')} missing")
        said = ", ".join(counts) or f"Nothing found: {_passing(by[Status.PASS])}"
        if checklist.eligible_from is not None:
            lifted = any(each.eligible_from for each in by[Status.BLOCK])
            what = "Earliest start" if lifted else "Time lifts a warning on"
            said = f"{said}. {what} {checklist.eligible_from.isoformat()}"
        yield Text()
        yield Text.assemble(DECISIONS[checklist.status].badge, (f"  {said}.", "bold"))

    def _findings(self) -> Iterator[RenderableType]:
        for finding in self.checklist.findings:
            if finding.status is not Status.PASS:
                yield Group(Text(), self._finding(finding))

    def _finding(self, finding: Finding) -> RenderableType:
        kind = KINDS[finding.kind]
        said = f"  {kind}" if kind != finding.title.lower() else ""
        unverified = "  source not verified" if finding.unverified else ""
        top = Text.assemble(
            STATUSES[finding.status].badge, (f" {finding.title}", "bold"), (f"{said}{unverified}", "dim")
        )
        return Group(top, labelled(self._details(finding)))

    def _details(self, finding: Finding) -> Iterator[tuple[str, Text]]:
        words = self.words
        yield "", Text(finding.message)
        yield "Do", Text(finding.action, "bold")
        for place, each in enumerate(finding.because):
            yield "" if place else "Because", Text(words.because(each))
        for place, changes in enumerate(finding.would_pass_when):
            yield "or if" if place else "Passes if", Text(listed(map(words.proposal, changes)))
        if finding.eligible_from:
            yield "Lifts on", Text(f"{finding.eligible_from.isoformat()}, by time alone")
        if finding.citations:
            more = len(finding.citations) - 1
            yield (
                "Source",
                Text(words.citation(finding.citations[0]) + (f"; and {more} more" if more else "")),
            )
        if finding.override:
            yield "Override", Text(OVERRIDES[finding.override])

    def _asks(self) -> Iterator[RenderableType]:
        needs = self.checklist.needs
        if not needs:
            return
        yield Text()
        yield heading(f"Ask: {counted(len(needs), 'fact')}, most decisive first")
        for place, name in enumerate(needs, 1):
            question = self.checklist.pack.vocabulary[name]
            yield labelled([(str(place), _question(question))], label_width=3)

    def _passed(self) -> Iterator[RenderableType]:
        passed = [finding for finding in self.checklist.findings if finding.status is Status.PASS]
        if not passed:
            return
        yield Text()
        yield heading(f"Nothing found: {_passing(passed)}")
        for finding in sorted(passed, key=lambda each: each.kind is Kind.NOT_APPLICABLE):
            sign = NOT_APPLICABLE if finding.kind is Kind.NOT_APPLICABLE else STATUSES[Status.PASS]
            line = Text.assemble(sign.text, f"  {finding.title}: ", (finding.message, "dim"))
            yield OneLine(line)

    def _footer(self) -> Iterator[RenderableType]:
        checklist = self.checklist
        yield Text()
        if checklist.observation is not None:
            plan = checklist.observation
            yield Hanging(
                Text.assemble((f"Afterwards: observe {plan.minutes_after} minutes. ", "bold"), plan.text)
            )
        pack = checklist.pack
        digest, policy = pack.digest[:SHORT_DIGEST], self.library.policy.digest[:SHORT_DIGEST]
        yield Text(f"Rules {pack.id} {pack.version} {digest}, policy {policy}", "dim")
        yield Text(f"Not recorded. {JUDGEMENT}", "dim")


def _passing(passed: list[Finding]) -> str:
    beside = sum(finding.kind is Kind.NOT_APPLICABLE for finding in passed)
    return counted(len(passed) - beside, "check") + (f", {beside} not applicable" if beside else "")


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
