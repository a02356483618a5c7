"""Every rule of a checklist as a tree: what held, what did not, what is undecided, down to each value."""

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from service.checklist.amounts import Named
from service.checklist.conditions import Condition, Criterion
from service.checklist.rules import Check
from service.checklist.trace import Trace
from service.checklist.truth import UNKNOWN, Truth
from service.terminal.checklist import Page
from service.terminal.console import ANSWERS, STATUSES, VERDICTS, Indented, heading
from service.terminal.failures import clean
from service.terminal.words import Words


def print_trace(page: Page, console: Console) -> None:
    """Print the tree of every check."""
    trace: Trace = page.checklist.trace
    console.print()
    console.print(heading("Trace: every rule, fired or not"))
    if trace.fault is not None:
        console.print(Text(f"The rules could not be evaluated: {trace.fault}."))
        return
    branches = Branches(trace, page.words)
    for check in page.checklist.pack.checks:
        console.print(Indented(branches.check(check)))


class Branches:
    """The branches of one trace."""

    def __init__(self, trace: Trace, words: Words) -> None:
        self.trace, self.words = trace, words

    def check(self, check: Check) -> Tree:
        """A check and its rules."""
        tree = Tree(Text(check.title, "bold"), guide_style="dim")
        for rule in check.rules:
            verdict = VERDICTS[self.trace.verdicts[rule.id]]
            top = Text.assemble(verdict.text, f"  {rule.id}", (f"  ({STATUSES[rule.status].word})", "dim"))
            self._grow(tree.add(top), rule.concern)
        return tree

    def _grow(self, tree: Tree, condition: Condition) -> None:
        line, parts = self.words.condition(condition)
        truth = condition.truth(self.trace.values)
        answer = ANSWERS[truth]
        text = Text.assemble(answer.text, f"  {line}")
        if not parts:
            text.append(self._evidence(condition, truth), "dim")
        branch = tree.add(text)
        for part in parts:
            self._grow(branch, part)

    def _evidence(self, condition: Condition, truth: Truth) -> str:
        """What a criterion saw: computed values, the facts behind them, or why it is not known."""
        criteria = tuple(condition.criteria())
        subjects = {criterion.subject for criterion in criteria}  # need not be said again
        said = [value for criterion in criteria for value in self._computed(criterion)]
        for each in self.trace.because(condition):
            said.append(self.words.because(each, labelled=self.words.label(each.fact) not in subjects))
        if truth is UNKNOWN or not said:
            for unknown in self.trace.unknowns(condition):
                label = self.words.label(unknown.fact)
                said.append(clean(unknown.detail if label in subjects else f"{label}: {unknown.detail}"))
        return f"  [{'; '.join(said)}]" if said else ""

    def _computed(self, criterion: Criterion) -> Iterator[str]:
        """The amounts that no fact shows: a named quantity, a limit that depends on the patient."""
        left, right = criterion.measure.left, criterion.measure.right
        if isinstance(left, Named) and (value := left.value(self.trace.case)) is not None:
            yield self.words.value("", value, left.unit)
        if right is not None and (limit := right.value(self.trace.case)) is not None:
            yield f"compared with {self.words.value('', limit, getattr(left, 'unit', None))}"
