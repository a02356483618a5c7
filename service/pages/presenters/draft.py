"""The checklist in the making as a nurse goes through it: what hangs on what, and each question once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from service.checklist.facts import FactDefinition
from service.intake.values import is_unknown
from service.pages.answers import Asked, control_of
from service.pages.answers.given import Known, is_list_known, known_of, readings_in
from service.pages.moments import near
from service.pages.presenters.draft_parts import Card, DraftView, Group, Question, Refused, Said
from service.pages.presenters.findings import FindingView, result_view
from service.pages.presenters.windows import FACT as PREMEDICATIONS
from service.pages.presenters.windows import windows_of
from service.pages.texts import gettext, in_english
from service.records.drafting import Answered, Drafted

_PATIENT, _PREMEDICATION = "patient", "premedication"  # who answers; the check
_MISSING = "missing"  # the kind of a finding


def draft_view(
    drafted: Drafted,
    asked: Asked,
    *,
    change: str | None = None,
    refused: Refused | None = None,
    after: tuple[tuple[str, ...], int] | None = None,
    notice: str = "",
) -> DraftView:
    """The page of a draft.

    `change` is a fact that somebody wants to give anew. `after` are the facts that were just answered and the
    place at which the first of them was asked: the page goes on from there.
    """
    return _Page(drafted, asked, change, refused).view(after, notice)


@dataclass
class _Page:
    """One page in the making."""

    drafted: Drafted
    asked: Asked
    change: str | None
    refused: Refused | None
    questions: list[Question] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.vocabulary = self.asked.vocabulary
        if self.change is not None and self.change not in self.vocabulary:
            self.change = None
        if self.refused is not None and self.change is None:
            self.change = self.refused.fact
        facts = self.drafted.facts
        self.result = result_view(
            self.drafted.evaluated.result, self.vocabulary, self.asked.zone, _dose(facts.get("dose_number"))
        )
        # The facts that are asked, the most decisive first.
        self.decisive = {name: place for place, name in enumerate(dict.fromkeys(self._needed()))}
        self.taken: set[str] = set()

    def view(self, after: tuple[tuple[str, ...], int] | None, notice: str) -> DraftView:
        """All of it."""
        groups = tuple(self._groups())
        beside = tuple(self._question(name) for name in self.decisive if name not in self.taken)
        answered = [each for name in self.drafted.answers if (each := self._said(name)) is not None]
        known = [
            each
            for name in self.drafted.facts
            if name not in self.drafted.answers and (each := self._said(name)) is not None
        ]
        change = None
        if self.change is not None and self.change not in self.taken:
            change = self._question(self.change)
        return DraftView(
            id=self.drafted.id,
            result=self.result,
            groups=groups,
            beside=beside,
            answered=tuple(answered),
            known=tuple(known),
            change=change,
            windows=windows_of(
                self.drafted.evaluated.checklist.trace.case, self.asked.windows, self.asked.zone
            ),
            planned=self.asked.infusion_at.astimezone(self.asked.zone),
            now=self.asked.minute,
            kept_by=self.drafted.kept_by,
            kept_at=self.drafted.kept_at.astimezone(self.asked.zone),
            questions=tuple(self.questions),
            focus=self._focus(after),
            notice=notice,
        )

    def _needed(self) -> Iterator[str]:
        """The facts that are asked: those needed, each after what it is a judgement on."""
        for name in self.result.needs:
            if name in self.vocabulary:
                yield name
                yield from (each for each in self.vocabulary[name].asked_after if not self._is_said(each))

    def _is_said(self, name: str) -> bool:
        """Whether anything was said of a fact, even that it is not known."""
        return name in self.drafted.answers or self._is_given(name)

    def _is_given(self, name: str) -> bool:
        """Whether a fact has a value."""
        return _is_known(self.vocabulary[name], self.drafted.facts.get(name))

    def _groups(self) -> Iterator[Group]:
        """Blocks, then what the patient can say, then the rest: the worst status first."""
        self.homes = dict(self._homes())
        found = sorted(self.result.needs_her, key=self._urgency)
        of_patient = [each for each in found if self._is_for_patient(each)]
        others = [each for each in found if each not in of_patient]
        parts = (
            ("now", gettext("What needs you now"), [each for each in others if each.status == "block"]),
            (_PATIENT, gettext("Questions for the patient"), of_patient),
            ("look", gettext("Look at these too"), [each for each in others if each.status != "block"]),
        )
        for name, heading, findings in parts:
            if findings:
                yield Group(name, heading, tuple(self._card(each) for each in findings))

    def _homes(self) -> Iterator[tuple[str, str]]:
        """Where each fact is asked: at the worst finding that misses it, the one that misses least else."""
        for name in self.decisive:
            missing = [each for each in self.result.needs_her if name in dict(each.missing)]
            if missing:
                home = min(missing, key=lambda each: (each.status != "block", len(each.missing)))
                yield name, home.anchor

    def _asked_at(self, finding: FindingView) -> list[str]:
        """The facts that are asked at a finding, the most decisive first."""
        names = [name for name, _ in finding.missing if self.homes.get(name) == finding.anchor]
        return sorted(names, key=lambda each: self.decisive[each])

    def _urgency(self, finding: FindingView) -> tuple[bool, bool, int]:
        """Blocks, found before unknown, and of these first what the decision hangs on most."""
        places = [self.decisive[name] for name in self._asked_at(finding)]
        return finding.status != "block", finding.is_unknown, min(places, default=len(self.decisive))

    def _is_for_patient(self, finding: FindingView) -> bool:
        """Whether all that is open at a finding is for the patient to say."""
        wanted = [name for name, _ in finding.missing if name in self.decisive]
        here = self._asked_at(finding) or wanted
        return finding.is_unknown and bool(here) and all(map(self._of_patient, here))

    def _of_patient(self, name: str) -> bool:
        return self.vocabulary[name].answered_by == _PATIENT

    def _card(self, finding: FindingView) -> Card:
        missing = [(name, label) for name, label in finding.missing if name in self.decisive]
        here = self._asked_at(finding)
        questions = [each for name in here for each in self._with_those_before(name)]
        if finding.check == _PREMEDICATION and PREMEDICATIONS not in self.taken:
            questions.append(self._question(PREMEDICATIONS))  # charted one by one, until nothing is open
        asked_here = {each.fact for each in questions}
        correctable = [
            (name, label)
            for name, label in finding.named
            if name not in self.decisive and name not in asked_here and self._is_said(name)
        ]
        if self.change in dict(correctable) and self.change not in self.taken:
            questions.append(self._question(str(self.change)))
            correctable = [each for each in correctable if each[0] != self.change]
        elsewhere = [each for each in missing if each[0] not in asked_here]
        elsewhere += [each for each in correctable if each[0] in self.taken]
        correctable = [each for each in correctable if each[0] not in self.taken]
        return Card(
            finding,
            tuple(questions),
            tuple(elsewhere),
            tuple(correctable),
            is_only_asked=self._is_only_asked(finding),
        )

    def _is_only_asked(self, finding: FindingView) -> bool:
        """Whether it says only that things are missing that are asked, and nobody said a word of them."""
        names = [name for name, _ in finding.missing]
        return finding.kind == _MISSING and all(
            name in self.decisive and not self._is_said(name) for name in names
        )

    def _with_those_before(self, name: str) -> Iterator[Question]:
        if name in self.taken:
            return
        before = self.vocabulary[name].asked_after
        for each in before:
            if each in self.decisive and each not in self.taken:
                yield self._question(each)
        waits_for = tuple(self.vocabulary[each].label for each in before if not self._is_said(each))
        yield self._question(name, waits_for=waits_for)

    def _question(self, name: str, *, waits_for: tuple[str, ...] = ()) -> Question:
        definition = self.vocabulary[name]
        refused = self.refused if self.refused is not None and self.refused.fact == name else None
        errors, typed = (refused.errors, refused.typed) if refused is not None else ({}, {})
        control = control_of(definition, self.drafted.facts.get(name), self.asked, errors, typed)
        self.taken.add(name)
        question = Question(
            fact=name,
            label=definition.label,
            text=definition.question,
            place=len(self.questions),
            control=control,
            said=self._said(name),
            of_patient=self._of_patient(name),
            waits_for=waits_for,
        )
        self.questions.append(question)
        return question

    def _said(self, name: str) -> Said | None:
        if name not in self.vocabulary or not self._is_said(name):
            return None
        definition = self.vocabulary[name]
        answered = self.drafted.answers.get(name)
        says = _words(definition, self.drafted.facts.get(name), self.asked, answered)
        return Said(name, definition.label, says, _by(answered, self.asked))

    def _focus(self, after: tuple[tuple[str, ...], int] | None) -> str:
        """Where to go on: what was refused or is to be changed, else the next question that is open."""
        asked = {each.fact: each for each in self.questions}
        if self.change in asked:
            return asked[str(self.change)].anchor
        if after is None:
            return ""
        facts, place = after
        again = [asked[name].place for name in facts if name in asked]
        # Something was said, and more is to be: the next entry of a list, a newer result.
        unsettled = [name for name in facts if name in asked and self._is_given(name)]
        if unsettled:
            return asked[unsettled[0]].anchor
        start = max(again) + 1 if again else place
        open_ones = [each for each in self.questions if each.said is None and not each.waits_for]
        later = [each for each in open_ones if each.place >= start]
        return next((each.anchor for each in (*later, *open_ones)), "end")


def _dose(given: Any) -> int | None:
    value = given.get("value") if isinstance(given, Mapping) else given
    return value if isinstance(value, int) else None


def _is_known(definition: FactDefinition, given: Any) -> bool:
    if definition.type == "list":
        return is_list_known(given)
    return any(not is_unknown(each["value"]) for each in readings_in(given))


def _words(
    definition: FactDefinition, given: Any, asked: Asked, answered: Answered | None
) -> tuple[str, ...]:
    """What was said, each reading or entry in words, with its time and its source.

    Whoever answered it here stands beside it, and is no source of it once more.
    """
    known = known_of(definition, given, asked)
    if known:
        here = answered.name if answered is not None else None
        return tuple(in_english(" · ".join(filter(None, _parts(each, here)))) for each in known)
    if definition.type == "list" and is_list_known(given):
        return (gettext("none"),)
    return (gettext("not known"),)


def _parts(known: Known, here: str | None) -> tuple[str, ...]:
    is_told = here is not None and known.source.startswith(here)
    return known.words, known.at, "" if is_told else known.source


def _by(answered: Answered | None, asked: Asked) -> str:
    """Who answered it here, and when: the time alone where it was today."""
    if answered is None:
        return ""
    return f"{answered.name}, {near(answered.at.astimezone(asked.zone), asked.minute)}"
