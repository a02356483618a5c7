"""Whatever people do in whatever order, a visit is what a simple model says, and refuses what it refuses."""

import json
import tempfile
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, precondition, rule

from service.app import records_of
from service.intake.errors import BadInput
from service.records.drafts import Drafts, NoSuchDraft
from service.records.journal import Act, Event
from service.records.reasons import OutcomeReason, Reason
from service.records.record import CannotAct, Meaning, Outcome
from service.records.store import CannotSupersede, Store
from service.records.stored import Basis, StoredChecklist
from service.records.visits import Answer, Ending, Person, Visits
from service.settings import Settings
from tests import databases
from tests.builders import shipped

NOW = datetime(2026, 10, 6, 13, 0, tzinfo=UTC)
PEOPLE = st.sampled_from(["nina", "omar", "paul", "olga", "petra"])
FINDINGS = {  # by check: status, kind, override
    "infection": ("block", "defer", "prescriber"),
    "vaccination": ("warn", "caution", "acknowledge"),
    "hepatitis_b": ("block", "contraindication", "never"),
    "age": ("pass", "ok", None),
}
DOSE = {"ordered_dose": {"value": 300, "unit": "mg"}}


@dataclass
class Model:
    """What should be known of one checklist."""

    id: str
    open: dict[str, str]
    asked: bool
    touched: set[str]
    answered: dict[str, str] = field(default_factory=dict)
    signed: dict[str, Meaning] = field(default_factory=dict)
    signed_at: dict[str, int] = field(default_factory=dict)
    checked: list[tuple[str, bool]] = field(default_factory=list)
    outcomes: list[dict[str, object]] = field(default_factory=list)
    corrects: "Model | None" = None
    superseded_by: str | None = None

    @property
    def changes(self):
        """How much has been done that a signature covers."""
        return len(self.answered) + len(self.checked) + len(self.outcomes)

    @property
    def double_check(self):
        last = "agrees" if self.checked and self.checked[-1][1] else "differs"
        return "not_asked" if not self.asked else last if self.checked else "needed"

    @property
    def still_open(self):
        return set(self.open) - set(self.answered)

    def knows(self, name):
        """Whether somebody has had to do with it, or with one that it corrects."""
        return name in self.touched or (self.corrects is not None and self.corrects.knows(name))


class Clinic(RuleBasedStateMachine):
    """A clinic in which everybody may do everything that a visit allows."""

    visits = Bundle("visits")
    folder = tempfile.TemporaryDirectory()
    records = None

    @initialize(target=visits, asked=st.sampled_from([True, True, False]))
    def open(self, asked):
        if Clinic.records is None:  # one database for all runs: each has its own patient
            url = databases.copy_of_sqlite(Clinic.folder.name)
            Clinic.records = records_of(Settings(database=url, keys=databases.signing_key()), NOW)
        self.store, self.about = Store(Clinic.records), Visits(Clinic.records)
        self.kept, self.drafted = Drafts(Clinic.records), {}
        self.draft_ids = [str(uuid.uuid4()), str(uuid.uuid4())]
        self.patient, self.steps = f"MRN-{uuid.uuid4()}", 0
        self.basis = Basis.of(shipped(), shipped().packs["inebilizumab"])
        return self.make("nina", sorted(FINDINGS), asked)

    def act(self, name):
        self.steps += 1
        return Act(f"user:{name}", "nurse", "a-request", NOW + timedelta(seconds=self.steps))

    def by(self, name):
        return Person(name.title(), self.act(name))

    def attempted(self, allowed, refusal, attempt):
        """What was done; None where it was refused, which is exactly where the model allows it not."""
        try:
            done = attempt()
        except refusal:
            assert not allowed
            return None
        assert allowed
        return done

    # Drafts

    @rule(which=st.integers(0, 1), name=PEOPLE, how=st.sampled_from(["keep", "keep", "read", "discard"]))
    def draft(self, which, name, how):
        id, there = self.draft_ids[which], which in self.drafted
        if how == "keep":
            body = json.dumps({"number": self.steps}).encode()
            assert self.kept.keep(id, body, self.patient, self.act(name))[1] is not there
            self.drafted[which] = (f"user:{name}", body)
        elif how == "read":
            draft = self.attempted(there, NoSuchDraft, lambda: self.kept.read(id, self.act(name)))
            assert draft is None or (draft.actor, draft.body) == self.drafted[which]
        else:
            self.attempted(there, NoSuchDraft, lambda: self.kept.discard(id, self.act(name)) or True)
            self.drafted.pop(which, None)
        listed = {each.id for each in self.kept.of_patient(self.patient, self.act(name))}
        assert listed == {self.draft_ids[each] for each in self.drafted}

    # Checklists

    def make(self, name, checks, asked, supersedes=None):
        findings = [dict(zip(("status", "kind", "override"), FINDINGS[each], strict=True)) for each in checks]
        named = [
            {"check": check, "rule": f"{check}-rule" if each["override"] else None, **each}
            for check, each in zip(checks, findings, strict=True)
        ]
        result = {"findings": named}
        if asked:
            result["independent_double_check"] = {"facts": ["ordered_dose"]}
        request = {"facts": DOSE, "supersedes": {"id": supersedes, "reason": "wrong"}}
        id, act = str(uuid.uuid4()), self.act(name)
        kept = StoredChecklist(
            id=id,
            created_at=act.at,
            patient=self.patient,
            drug="inebilizumab",
            status="block",
            infusion_at="2026-10-06T14:00:00-05:00",
            request=json.dumps(request).encode(),
            result=json.dumps(result).encode(),
            trace=b"{}",
            pack="sha256:pack",
            actor=act.actor,
            supersedes=supersedes,
        )
        self.store.add(kept, self.basis, act)
        opened = {check: FINDINGS[check][0] for check in checks if FINDINGS[check][0] != "pass"}
        return Model(id, opened, asked, {name})

    @precondition(lambda self: self.steps < 10)
    @rule(
        target=visits,
        name=st.just("nina"),
        checks=st.sampled_from(
            [["age"], ["age", "vaccination"], ["infection", "vaccination"], sorted(FINDINGS)]
        ),
        asked=st.booleans(),
    )
    def make_checklist(self, name, checks, asked):
        return self.make(name, checks, asked)

    @precondition(lambda self: self.steps > 20)
    @rule(target=visits, old=visits, name=PEOPLE)
    def correct(self, old, name):
        checks = sorted(FINDINGS)[: 1 + self.steps % len(FINDINGS)]
        allowed = old.superseded_by is None
        new = self.attempted(
            allowed, CannotSupersede, lambda: self.make(name, checks, old.asked, supersedes=old.id)
        )
        if new is None:
            return old
        old.superseded_by, new.corrects = new.id, old
        return new

    @rule(visit=visits, name=PEOPLE)
    def view(self, visit, name):
        self.store.read(visit.id, self.act(name))
        visit.touched.add(name)

    # Answers, signatures, double checks, outcomes

    @rule(visit=visits, name=PEOPLE, number=st.integers(0, 3), rightly=st.integers(0, 4))
    def answer(self, visit, name, number, rightly):
        check = sorted(FINDINGS)[number]
        how = FINDINGS[check][2]
        by_prescriber = (how == "prescriber") is (rightly > 0)
        right = how == ("prescriber" if by_prescriber else "acknowledge")
        may = visit.superseded_by is None and not visit.outcomes
        allowed = check in visit.open and right and check not in visit.answered and may
        said = Answer(check, f"{check}-rule", Reason.ALREADY_DONE, comment=f"{name} says so")
        method = self.about.override if by_prescriber else self.about.acknowledge
        if self.attempted(allowed, CannotAct, lambda: method(visit.id, said, self.by(name))):
            visit.answered[check] = name
            visit.touched.add(name)

    @rule(visit=visits, name=PEOPLE, meaning=st.sampled_from(Meaning))
    def attest(self, visit, name, meaning):
        own = [agreed for who, agreed in visit.checked if who == name]
        fits = any(own) if meaning is Meaning.DOUBLE_CHECK else not own
        allowed = visit.superseded_by is None and (
            visit.signed[name] is meaning if name in visit.signed else fits
        )
        done = self.attempted(allowed, CannotAct, lambda: self.about.attest(visit.id, meaning, self.by(name)))
        if done is not None:
            again = name in visit.signed and visit.signed_at[name] == visit.changes
            assert done[1] is again
            visit.signed[name], visit.signed_at[name] = meaning, visit.changes
            visit.touched.add(name)

    @rule(visit=visits, name=PEOPLE, agrees=st.booleans())
    def double_check(self, visit, name, agrees):
        may = visit.superseded_by is None and visit.asked and not visit.outcomes
        allowed = may and not visit.knows(name)
        facts = DOSE if agrees else {"ordered_dose": {"value": 30, "unit": "mg"}}
        library = shipped()
        done = self.attempted(
            allowed,
            CannotAct,
            lambda: self.about.double_check(visit.id, facts, library, self.by(name)),
        )
        if done is not None:
            visit.checked.append((name, agrees))
            visit.touched.add(name)

    @rule(visit=visits, name=PEOPLE, outcome=st.sampled_from(Outcome), explained=st.booleans())
    def end(self, visit, name, outcome, explained):
        last = visit.outcomes[-1] if visit.outcomes else None
        plain = outcome is Outcome.INFUSED and not visit.still_open
        plain = plain and visit.double_check in ("agrees", "not_asked") and last is None
        said = {"name": name, "outcome": outcome, "explained": explained}
        again = last is not None and said == {key: last[key] for key in said}

        ending = Ending(outcome, *((OutcomeReason.OTHER, "So it was.") if explained else (None, None)))
        stands = visit.superseded_by is None
        done = self.attempted(
            stands and (again or explained or plain),
            BadInput if stands else CannotAct,
            lambda: self.about.end(visit.id, ending, self.by(name)),
        )
        if done is not None:
            assert done[1] is again
            if not again:
                visit.outcomes.append({**said, "open": visit.still_open})
            visit.touched.add(name)

    # What the record says

    @rule(visit=visits)
    def read_record(self, visit):
        record = self.about.record(visit.id, self.act("auditor"))
        found = record.visit
        assert {finding.check for finding in found.open_findings} == visit.still_open
        assert {check for check, _ in found.answers} == set(visit.answered)
        signed = {each.actor.removeprefix("user:"): each.details["meaning"] for each in found.attestations}
        assert signed == {name: meaning.value for name, meaning in visit.signed.items()}
        assert found.double_check == visit.double_check
        assert found.superseded_by == visit.superseded_by
        ended = [each.details for each in found.entries_of(Event.OUTCOME_RECORDED)]
        assert [(each["outcome"], {open["check"] for open in each["open"]}) for each in ended] == [
            (each["outcome"], each["open"]) for each in visit.outcomes
        ]
        assert [entry.sequence for entry in found.entries] == sorted(
            entry.sequence for entry in found.entries
        )
        assert all(entry.digest == entry.computed for entry in found.entries)
        words = [record.remarks[entry.details["remark"]]["comment"] for entry in found.answers.values()]
        assert sorted(words) == sorted(f"{name} says so" for name in visit.answered.values())


TestClinic = Clinic.TestCase
TestClinic.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=HealthCheck,
)
