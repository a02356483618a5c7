"""What must hold of a pack beyond its shape: every ledger row of its drug accounted for, no contradiction."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from service.checklist.compiler import compile_pack
from service.checklist.rules import Citation, Pack, Status
from service.knowledge.ledger import SITE, LedgerRow
from service.knowledge.problems import Problem, did_you_mean
from service.knowledge.strict_yaml import Document


@dataclass(frozen=True)
class Coverage:
    """How the ledger rows of a drug are accounted for."""

    rows: frozenset[str]
    in_rules: frozenset[str]
    in_observation: frozenset[str]
    not_checked: frozenset[str]
    site: frozenset[str]

    @property
    def accounted(self) -> frozenset[str]:
        """The drug's rows that a rule, the observation plan or a stated reason takes care of."""
        return self.rows & (self.in_rules | self.in_observation | self.not_checked)


def coverage(pack: Pack, ledger: Mapping[str, LedgerRow]) -> Coverage:
    """The account of a pack's ledger rows."""
    asked = pack.double_check.citations if pack.double_check else ()
    cited = frozenset(_rows((*asked, *(each for rule in pack.rules for each in rule.citations))))
    return Coverage(
        rows=frozenset(row.row for row in ledger.values() if pack.id in row.drugs),
        in_rules=cited,
        in_observation=frozenset(
            _rows(citation for plan in pack.observations for citation in plan.citations)
        ),
        not_checked=frozenset(each.row for each in pack.not_checked if not each.part),
        site=frozenset(row for row in cited if row in ledger and SITE in ledger[row].drugs),
    )


def _rows(citations: Iterable[Citation]) -> Iterator[str]:
    for citation in citations:
        yield from citation.ledger


def alone(pack: Pack, document: Document, ledger: Mapping[str, LedgerRow]) -> list[Problem]:
    """What is wrong with one pack, against the ledger and within itself."""
    return [*_citations(pack, document, ledger), *_coverage(pack, document, ledger), *_itself(pack, document)]


def _citations(pack: Pack, document: Document, ledger: Mapping[str, LedgerRow]) -> Iterator[Problem]:
    for rule in pack.rules:
        path = ("checks", rule.check, "rules", rule.id)
        for row in _rows(rule.citations):
            stated = ledger.get(row)
            if stated is None or not {pack.id, SITE} & set(stated.drugs):
                known = [each.row for each in ledger.values() if {pack.id, SITE} & set(each.drugs)]
                message = f'the ledger has no row "{row}" for this drug.{did_you_mean(row, known)}'
                yield document.problem(path, message, rule.id)
            elif stated.only_warns and (rule.status is Status.BLOCK or not rule.unverified):
                message = f"{row} is not verified: the rule may only warn, and says unverified: yes"
                yield document.problem(path, message, rule.id)
    for row in _rows(pack.double_check.citations if pack.double_check else ()):
        if row not in ledger or not {pack.id, SITE} & set(ledger[row].drugs):
            name = "independent_double_check"
            yield document.problem((name, "cites"), f'the ledger has no row "{row}" for this drug.', name)


def _coverage(pack: Pack, document: Document, ledger: Mapping[str, LedgerRow]) -> Iterator[Problem]:
    account = coverage(pack, ledger)
    for row in sorted(account.rows - account.accounted):
        message = (
            f"the ledger row {row} is used by no rule: use it, or list it under not_checked with its reason"
        )
        yield document.problem(("checks",), message, row)
    for row in sorted(account.not_checked - account.rows):
        near = did_you_mean(row, account.rows)
        yield document.problem(("not_checked", row), f"the ledger has no such row of this drug.{near}", row)
    for row in sorted(account.not_checked & account.in_rules):
        yield document.problem(("not_checked", row), "a rule uses this row: it is checked", row)


def _itself(pack: Pack, document: Document) -> Iterator[Problem]:
    if document.file.rsplit("/", 1)[-1] != f"{pack.id}.yaml":
        yield document.problem(("drug",), f"the file of {pack.id} is called {pack.id}.yaml", "drug")
    seen: dict[str, str] = {}
    for rule in pack.rules:
        if rule.id in seen:
            path = ("checks", rule.check, "rules", rule.id)
            yield document.problem(path, f"{seen[rule.id]} has a rule of this name already", rule.id)
        seen[rule.id] = rule.check
    said: dict[tuple[object, ...], tuple[str, Status]] = {}
    for rule in pack.rules:
        same = said.setdefault(_meaning(rule.concern), (rule.id, rule.status))
        if same[0] != rule.id:
            path = ("checks", rule.check, "rules", rule.id)
            yield document.problem(path, f"{same[0]} has the very same condition", rule.id)
    for conflict in pack.conflicts:
        for source in (*conflict.says, conflict.chosen):
            if source not in pack.sources or conflict.chosen not in conflict.says:
                message = (
                    f'the conflict about "{conflict.about}" names "{source}", which is not among its sources'
                )
                yield document.problem(("conflicts",), message, "conflicts")


def _meaning(condition: object) -> tuple[object, ...]:
    parts = getattr(condition, "parts", ())
    if parts:
        return (type(condition).__name__, *(_meaning(part) for part in parts))
    criterion = condition
    return (criterion.fresh, criterion.old, criterion.operator.name, criterion.operand)  # type: ignore[attr-defined]


def across(packs: Mapping[str, Pack]) -> list[Problem]:
    """What is wrong between packs: a name that means two drugs."""
    owners: dict[str, str] = {}
    problems = []
    for pack in packs.values():
        for name in sorted(pack.names):
            if owners.setdefault(name, pack.id) != pack.id:
                message = f'the name "{name}" belongs to {owners[name]} already'
                problems.append(Problem(f"rules/drugs/{pack.id}.yaml", 1, "aliases", message))
    return problems


def compiles(pack: Pack) -> None:
    """Refuse a pack that the rules engine cannot hold. Raises CannotCompile."""
    compile_pack(pack)


def unused_site_rows(packs: Mapping[str, Pack], ledger: Mapping[str, LedgerRow]) -> tuple[str, ...]:
    """The rows of the site's own that no pack uses."""
    used = {row for pack in packs.values() for row in coverage(pack, ledger).site}
    return tuple(row.row for row in ledger.values() if SITE in row.drugs and row.row not in used)
