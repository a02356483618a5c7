"""A drug pack as a pharmacist reads it: each rule in words, its sources, and what is not checked and why."""

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from service.checklist.rules import Check, Citation, IfUnknown, Pack, Rule
from service.knowledge.explained import Branch, branch, explained
from service.knowledge.library import Library
from service.knowledge.review import coverage
from service.knowledge.source_attributes import NOT_STATED
from service.terminal.checklist import KINDS, OVERRIDES, SHORT_DIGEST
from service.terminal.console import STATUSES, Indented, heading, labelled
from service.terminal.words import Words, counted


def print_pack(pack: Pack, library: Library, console: Console, only: str | None = None) -> None:
    """Print a pack, or one check of it."""
    explanation = Explanation(pack, library)
    parts = [explanation.header()]
    for check in pack.checks:
        if only in (None, check.id):
            parts.extend(explanation.check(check))
    if only is None:
        parts.extend(
            (
                *explanation.observations(),
                *explanation.double_check(),
                *explanation.not_checked(),
                *explanation.conflicts(),
                *explanation.facts(),
            )
        )
    for part in parts:
        console.print(part)


class Explanation:
    """The parts of an explanation, top to bottom."""

    def __init__(self, pack: Pack, library: Library) -> None:
        self.pack, self.library, self.words = pack, library, Words.of(pack, library)

    def header(self) -> RenderableType:
        """Which pack this is, and who answers for it."""
        pack = self.pack
        account = coverage(pack, self.library.ledger)
        rows = [
            ("Names", ", ".join((*pack.brands, *pack.aliases)) or "none"),
            ("Excipients", ", ".join(pack.excipients) or "none"),
            ("Not", ", ".join(pack.look_alikes) or "no look-alike"),
            ("Regions", ", ".join(pack.regions)),
            ("Version", f"{pack.version}, {pack.status}, {pack.digest[:SHORT_DIGEST]}"),
            ("Owner", f"{pack.owner}; review by {pack.review_by}"),
            ("Developer", f"{pack.developer or NOT_STATED}; released {pack.released or NOT_STATED}"),
            ("Funding", pack.funding or NOT_STATED),
            ("Holds", f"{counted(len(pack.checks), 'check')}, {counted(len(pack.rules), 'rule')}"),
            ("Ledger", f"{len(account.accounted)} of {len(account.rows)} rows accounted for"),
        ]
        title = Text.assemble((pack.title, "bold"), f"  {pack.drug_class}")
        return Group(title, labelled([(label, Text(text)) for label, text in rows]))

    def check(self, check: Check) -> Iterator[RenderableType]:
        """A check and each of its rules."""
        yield Text()
        yield Text.assemble(heading(check.title), (f"  {check.id}", "dim"))
        if check.applies is not None:
            yield Indented(_tree("Applies if", branch(check.applies, self.words)), 2)
            yield labelled([("Otherwise", Text(check.not_applicable))])
        yield labelled([("Passes as", Text(check.nothing_found))])
        for rule in check.rules:
            yield Text()
            yield self._rule(check, rule)

    def _rule(self, check: Check, rule: Rule) -> RenderableType:
        said = explained(self.pack, check, rule, self.words)
        top = Text.assemble(
            "  ",
            STATUSES[rule.status].text,
            f" in {', '.join(said.regions)}  ",
            (rule.id, "bold"),
            f"  {KINDS[rule.kind]}",
        )
        if rule.unverified:
            top.append("  unverified", "bold magenta")
        parts: list[RenderableType] = [top]
        if said.applies is not None:
            parts.append(Indented(_tree("Applies if", said.applies), 4))
        verb = f"{STATUSES[rule.status].word.capitalize()}s {'unless' if said.unless else 'if'}"
        parts.append(Indented(_tree(verb, said.when), 4))
        rows = [
            ("Says", Text(rule.message)),
            ("Do", Text(rule.action)),
            ("Unknown", _if_unknown(rule.if_unknown)),
        ]
        rows += [("Adds", Text(note.text)) for note in rule.notes]
        rows += [("Override", Text(OVERRIDES[rule.override]))]
        parts.append(labelled([*rows, *self._cited(rule.citations)], indent=4))
        return Group(*parts)

    def _cited(self, citations: tuple[Citation, ...]) -> Iterator[tuple[str, Text]]:
        for citation in citations:
            said = f"{self.words.citation(citation)} ({citation.source.grade})"
            yield "Source", Text.assemble(said, (f"  [{', '.join(citation.ledger)}]", "dim"))

    def observations(self) -> Iterator[RenderableType]:
        """How long to observe, and when."""
        yield Text()
        yield heading("After the infusion")
        for plan in self.pack.observations:
            if plan.when is not None:
                yield Indented(_tree("If", branch(plan.when, self.words)), 2)
            said = Text(f"{plan.minutes_after} minutes. {plan.text}")
            yield labelled([("Observe", said), *self._cited(plan.citations)])

    def double_check(self) -> Iterator[RenderableType]:
        """What a second person enters without seeing the first one's, if anything."""
        asked = self.pack.double_check
        if asked is None:
            return
        yield Text()
        yield heading("Independent double check")
        rows = [("Enters", Text(", ".join(asked.facts))), ("Because", Text(asked.because))]
        yield labelled([*rows, *self._cited(asked.citations)])

    def not_checked(self) -> Iterator[RenderableType]:
        """The ledger rows that no rule checks before the start, each with its reason."""
        yield Text()
        yield heading(f"Not checked before the start: {counted(len(self.pack.not_checked), 'ledger row')}")
        for each in self.pack.not_checked:
            used = f" Used in: {each.used_in}." if each.used_in else ""
            row = self.library.ledger[each.row]
            yield Group(
                Text(f"  {each.row}", "bold"),
                labelled(
                    [("States", Text(row.statement)), ("Why not", Text(f"{each.reason}{used}"))], indent=4
                ),
            )

    def conflicts(self) -> Iterator[RenderableType]:
        """Where sources disagree, and which one binds."""
        if not self.pack.conflicts:
            return
        yield Text()
        yield heading("Where sources disagree")
        for conflict in self.pack.conflicts:
            rows = [
                (
                    "Chosen" if source == conflict.chosen else "Not",
                    Text(f"{self.words.source(self.pack.sources[source])}: {said}"),
                )
                for source, said in conflict.says.items()
            ]
            about = Text(f"  About {conflict.about}", "bold")
            yield Group(about, labelled([*rows, ("Why", Text(conflict.why))], indent=4))

    def facts(self) -> Iterator[RenderableType]:
        """The facts that any rule reads."""
        read = self.pack.facts_read
        yield Text()
        yield heading(f"Reads {counted(len(read), 'fact')}")
        vocabulary = self.pack.vocabulary
        yield labelled([(name, Text(vocabulary[name].question)) for name in read])


def _if_unknown(answer: IfUnknown | None) -> Text:
    if answer is None:
        return Text("always decided: only what is on record counts")
    word = STATUSES[answer.status]
    return Text.assemble(word.text, f"  {answer.action}")


def _tree(label: str, condition: Branch) -> Tree:
    tree = Tree(Text.assemble((f"{label}  ", "dim"), condition.line), guide_style="dim")
    _grow(tree, condition)
    return tree


def _grow(tree: Tree, condition: Branch) -> None:
    for part in condition.parts:
        _grow(tree.add(Text(part.line)), part)
