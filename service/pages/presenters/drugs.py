"""A drug's pack as a pharmacist reads it from top to bottom: every rule in words, and what it rests on."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from service.checklist.rules import Check, Citation, IfUnknown, Kind, Pack, Rule
from service.knowledge.explained import branch, explained, policies_of
from service.knowledge.ledger import LedgerRow
from service.knowledge.library import Library
from service.knowledge.review import coverage
from service.knowledge.source_attributes import Kind as DataKind
from service.knowledge.source_attributes import source_attributes
from service.knowledge.vocabulary import Parameter
from service.knowledge.words import Words
from service.knowledge.writing import UNITS
from service.pages.presenters.drug_names import drug_name
from service.pages.presenters.drug_views import (
    AttributesView,
    CheckView,
    CitedPlace,
    ConflictView,
    DoubleCheckView,
    DrugLine,
    FactLine,
    NotCheckedView,
    NoteView,
    ObservationView,
    PackView,
    PolicyValue,
    ReviewView,
    Row,
    RuleView,
    SourceView,
    Unknown,
    UseView,
)
from service.pages.texts import Later, gettext, lazy_gettext, ngettext

SOON_DAYS = 60
STATUS_WORDS: Mapping[str, Later] = {"draft": lazy_gettext("Draft"), "approved": lazy_gettext("Approved")}
OVERRIDES: Mapping[str, Later] = {
    "never": lazy_gettext("By nobody"),
    "prescriber": lazy_gettext("Only by the prescriber, with a reason, on record"),
    "acknowledge": lazy_gettext("Whoever sees it acknowledges it and goes on"),
}
GRADES: Mapping[str, Later] = {
    "label": lazy_gettext("Label"),
    "regulator": lazy_gettext("Regulator"),
    "reference": lazy_gettext("Reference work"),
    "expert": lazy_gettext("Expert opinion"),
    "press": lazy_gettext("Press"),
    "site": lazy_gettext("This site"),
}
DATA_KINDS: Mapping[str, Later] = {
    DataKind.RACE.value: lazy_gettext("Race"),
    DataKind.ETHNICITY.value: lazy_gettext("Ethnicity"),
    DataKind.LANGUAGE.value: lazy_gettext("Language"),
    DataKind.SEXUAL_ORIENTATION.value: lazy_gettext("Sexual orientation"),
    DataKind.GENDER_IDENTITY.value: lazy_gettext("Gender identity"),
    DataKind.SEX.value: lazy_gettext("Sex"),
    DataKind.DATE_OF_BIRTH.value: lazy_gettext("Date of birth"),
    DataKind.SOCIAL_DETERMINANTS.value: lazy_gettext("Social determinants of health"),
    DataKind.HEALTH_STATUS.value: lazy_gettext("Health status assessments"),
}
ANSWERED_BY: Mapping[str, Later] = {
    "patient": lazy_gettext("The patient"),
    "nurse": lazy_gettext("The nurse"),
    "record": lazy_gettext("The record"),
    "prescriber": lazy_gettext("The prescriber"),
}


def drug_line(pack: Pack, library: Library, today: date) -> DrugLine:
    """A pack in the list of packs."""
    checks = ngettext("%(num)s check", "%(num)s checks", len(pack.checks))
    rules = ngettext("%(num)s rule", "%(num)s rules", len(pack.rules))
    return DrugLine(
        pack.id,
        pack.title,
        pack.drug_class,
        pack.brands,
        pack.aliases,
        pack.regions,
        pack.version,
        STATUS_WORDS[pack.status],
        pack.digest,
        pack.owner,
        review_of(pack.review_by, today),
        tuple(drug_name(each, library) for each in pack.look_alikes if each in library.packs),
        f"{checks}, {rules}",
    )


def review_of(review_by: str, today: date) -> ReviewView:
    """The day of review, with a badge from 60 days before it."""
    try:
        days = (date.fromisoformat(review_by) - today).days
    except ValueError:  # a 31st of June has the form of a date
        return ReviewView(review_by, gettext("No day of the calendar"), True)
    if days < 0:
        late = ngettext("Review overdue by %(num)s day", "Review overdue by %(num)s days", -days)
        return ReviewView(review_by, late, True)
    if days <= SOON_DAYS:
        soon = ngettext("Review due in %(num)s day", "Review due in %(num)s days", days)
        return ReviewView(review_by, soon if days else gettext("Review due today"), False)
    return ReviewView(review_by, None, False)


def pack_view(pack: Pack, library: Library, today: date) -> PackView:
    """Everything that a pack says."""
    return _Reader(pack, library).view(today)


def policy_view(parameter: Parameter) -> PolicyValue:
    """A parameter of the site's policy."""
    unit = UNITS.get(parameter.unit or "", parameter.unit or "")
    value = None if parameter.value is None else f"{parameter.value} {unit}".strip()
    return PolicyValue(parameter.name, value, parameter.meaning, parameter.basis)


class _Reader:
    """Reads one pack of a library."""

    def __init__(self, pack: Pack, library: Library) -> None:
        self.pack, self.library, self.words = pack, library, Words.of(pack, library)

    def view(self, today: date) -> PackView:
        pack = self.pack
        checks = tuple(map(self._check, pack.checks))
        account = coverage(pack, self.library.ledger)
        return PackView(
            line=drug_line(pack, self.library, today),
            excipients=pack.excipients,
            codes=pack.codes,
            checks=checks,
            premedication=tuple(
                rule for check in checks for rule in check.rules if rule.kind == Kind.PREMEDICATION.value
            ),
            observations=tuple(self._observations()),
            double_check=self._double_check(),
            not_checked=tuple(
                NotCheckedView(self._row(each.row), each.part, each.reason, each.used_in)
                for each in pack.not_checked
            ),
            conflicts=tuple(self._conflicts()),
            policies=self._policies(),
            facts=tuple(self._facts()),
            sources=tuple(self._sources()),
            attributes=self._attributes(),
            ledger=tuple(self._ledger(account.rows | account.site)),
            accounted=gettext(
                "%(accounted)s of %(rows)s statements about this drug are accounted for.",
                accounted=len(account.accounted),
                rows=len(account.rows),
            ),
            policy_digest=self.library.policy.digest,
        )

    def rule(self, check: Check, rule: Rule) -> RuleView:
        """One rule of a check."""
        said = explained(self.pack, check, rule, self.words)
        conditions = [rule.concern, *(note.when for note in rule.notes)]
        names = (name for condition in conditions for name in condition.facts())
        return RuleView(
            id=rule.id,
            status=rule.status.word,
            kind=rule.kind.value,
            regions=said.regions,
            everywhere=said.regions == self.pack.regions,
            unverified=rule.unverified,
            applies=said.applies,
            when=said.when,
            unless=said.unless,
            message=rule.message,
            action=rule.action,
            if_unknown=_unknown(rule.if_unknown),
            notes=tuple(NoteView(branch(note.when, self.words), note.text) for note in rule.notes),
            override=OVERRIDES[rule.override.value],
            facts=self._labels(dict.fromkeys(names)),
            policies=self._values(policies_of(conditions)),
            sources=self._cited(rule.citations),
        )

    def _check(self, check: Check) -> CheckView:
        return CheckView(
            check.id,
            check.title,
            check.nothing_found,
            branch(check.applies, self.words) if check.applies else None,
            check.not_applicable,
            tuple(self.rule(check, rule) for rule in check.rules),
        )

    def _observations(self) -> Iterator[ObservationView]:
        for plan in self.pack.observations:
            when = branch(plan.when, self.words) if plan.when else None
            yield ObservationView(plan.minutes_after, when, plan.text, self._cited(plan.citations))

    def _double_check(self) -> DoubleCheckView | None:
        asked = self.pack.double_check
        if asked is None:
            return None
        return DoubleCheckView(self._labels(asked.facts), asked.because, self._cited(asked.citations))

    def _labels(self, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(map(self.words.label, names))

    def _values(self, names: Iterable[str]) -> tuple[PolicyValue, ...]:
        return tuple(policy_view(self.library.policy.parameters[name]) for name in names)

    def _cited(self, citations: Iterable[Citation]) -> tuple[CitedPlace, ...]:
        return tuple(
            CitedPlace(
                each.source.id,
                each.source.title,
                each.at,
                each.source.revised,
                GRADES[each.source.grade],
                tuple(map(self._row, each.ledger)),
            )
            for each in citations
        )

    def _row(self, name: str, rules: Sequence[str] = (), used: str = "") -> Row:
        row: LedgerRow = self.library.ledger[name]
        return Row(
            row.row,
            row.check,
            row.statement,
            row.severity,
            row.unknown,
            row.source,
            row.verified,
            tuple(rules),
            used,
        )

    def _conflicts(self) -> Iterator[ConflictView]:
        for conflict in self.pack.conflicts:
            says = (
                (self.words.source(self.pack.sources[source]), said, source == conflict.chosen)
                for source, said in conflict.says.items()
            )
            yield ConflictView(conflict.about, tuple(says), conflict.why)

    def _policies(self) -> tuple[PolicyValue, ...]:
        conditions = [rule.concern for rule in self.pack.rules]
        conditions += [note.when for rule in self.pack.rules for note in rule.notes]
        conditions += [plan.when for plan in self.pack.observations if plan.when is not None]
        read = {"region", *policies_of(conditions)}
        return self._values(name for name in self.library.policy.parameters if name in read)

    def _facts(self) -> Iterator[FactLine]:
        for name in self.pack.facts_read:
            known = self.pack.vocabulary[name]
            yield FactLine(name, known.label, known.question, ANSWERED_BY[known.answered_by])

    def _sources(self) -> Iterator[SourceView]:
        for source in self.pack.sources.values():
            cited = sum(any(each.source is source for each in rule.citations) for rule in self.pack.rules)
            grade = GRADES[source.grade]
            yield SourceView(source.id, source.title, source.revised, grade, source.region, cited)

    def _attributes(self) -> AttributesView:
        pack, each_rule = self.pack, source_attributes(self.pack)
        using = {kind: tuple(each.rule.id for each in each_rule if each.uses(kind)) for kind in DATA_KINDS}
        uses = tuple(UseView(said, using[kind]) for kind, said in DATA_KINDS.items())
        return AttributesView(pack.developer, pack.funding, pack.released, uses)

    def _ledger(self, names: frozenset[str]) -> Iterator[Row]:
        pack = self.pack
        asked = pack.double_check.citations if pack.double_check else ()
        watched = [each for plan in pack.observations for each in plan.citations]
        for name in self.library.ledger:
            if name not in names:
                continue
            rules = [rule.id for rule in pack.rules if any(name in each.ledger for each in rule.citations)]
            used = [gettext("observation plan")] if any(name in each.ledger for each in watched) else []
            if any(name in each.ledger for each in asked):
                used.append(gettext("independent double check"))
            if any(each.row == name for each in pack.not_checked):
                used.append(gettext("not checked, with its reason"))
            yield self._row(name, rules, ", ".join(used))


def _unknown(answer: IfUnknown | None) -> Unknown | None:
    return Unknown(answer.status.word, answer.action) if answer is not None else None
