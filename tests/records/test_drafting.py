"""A checklist in the making: each answer is kept, evaluated and entered, and it becomes one checklist."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from service.intake.errors import BadInput
from service.records.canonical import canonical
from service.records.drafting import Drafting, NotADraftOfOurs
from service.records.drafts import DraftChanged, Drafts, NoSuchDraft
from service.records.journal import Event
from service.records.making import Making
from service.records.stored import Basis
from service.records.visits import Person
from service.web.metrics import Metrics
from tests.builders import shipped
from tests.records.conftest import NOW

REQUEST = {
    "drug": "inebilizumab",
    "infusion_at": "2026-10-06T14:00:00-05:00",
    "patient": {"id": "MRN-1001"},
    "facts": {"dose_number": 4},
}


@pytest.fixture
def drafts(records):
    return Drafts(records)


@pytest.fixture
def making(store):
    library = shipped()
    bases = {pack.id: Basis.of(library, pack) for pack in library.packs.values()}
    return Making(library, bases, store, Metrics())


@pytest.fixture
def drafting(making, drafts):
    return Drafting(making, drafts)


@pytest.fixture
def nina(act):
    return Person("Nina Quill", act)


@pytest.fixture
def omar(act):
    return Person("Omar Reyes", replace(act, actor="user:omar", at=NOW + timedelta(minutes=7)))


def events(sql, event):
    found = sql("SELECT details FROM journal WHERE event = ? ORDER BY sequence", str(event))
    return [json.loads(row[0]) if isinstance(row[0], str) else row[0] for row in found]


def made(sql):
    return len(sql("SELECT id FROM checklists"))


def test_an_answer_is_kept_with_who_gave_it_and_when_and_evaluated(drafting, nina, omar, act):
    draft = drafting.begin(REQUEST, nina)
    assert "hbsag" in draft.evaluated.result["needs"]
    given = {"value": "negative", "at": "2026-10-01", "source": "Nina Quill at the chair"}
    drafting.answer(draft.id, {"hbsag": given}, nina)
    now = drafting.answer(draft.id, {"pml_signs": "yes"}, omar)
    assert now.facts == {"dose_number": 4, "hbsag": given, "pml_signs": "yes"}
    assert "hbsag" not in now.evaluated.result["needs"]
    assert [(name, who.name, who.at) for name, who in now.answers.items()] == [
        ("hbsag", "Nina Quill", nina.act.at),
        ("pml_signs", "Omar Reyes", omar.act.at),
    ]
    again = drafting.read(draft.id, act)
    assert (again.facts, again.answers, again.kept_by) == (now.facts, now.answers, "Omar Reyes")


def test_a_refused_answer_changes_nothing(drafting, nina, act):
    draft = drafting.begin(REQUEST, nina)
    with pytest.raises(BadInput) as refused:
        drafting.answer(draft.id, {"dose_number": "five"}, nina)
    assert [error.path for error in refused.value.errors] == ["facts.dose_number"]
    assert drafting.read(draft.id, act).facts == {"dose_number": 4}


def test_the_planned_start_moves(drafting, nina):
    draft = drafting.begin(REQUEST, nina)
    later = datetime(2026, 10, 6, 20, 30, tzinfo=UTC)
    assert drafting.plan(draft.id, later, nina).evaluated.result["infusion_at"] == later.isoformat()


def test_a_draft_becomes_one_checklist_however_often_it_is_asked_for(drafting, nina, omar, act, sql):
    draft = drafting.begin(REQUEST, nina)
    first = drafting.record(draft.id, nina.act)
    assert drafting.record(draft.id, nina.act).id == first.id
    assert drafting.record(draft.id, omar.act).id == first.id
    assert json.loads(first.request) == REQUEST
    assert made(sql) == 1
    assert events(sql, Event.DRAFT_DISCARDED) == [{"checklist": first.id}]
    with pytest.raises(NoSuchDraft):
        drafting.read(draft.id, act)


def test_two_taps_at_once_make_one_checklist(drafting, nina, sql):
    draft = drafting.begin(REQUEST, nina)
    with ThreadPoolExecutor(4) as pool:
        kept = list(pool.map(lambda _: drafting.record(draft.id, nina.act).id, range(4)))
    assert len(set(kept)) == made(sql) == 1


@pytest.mark.any_database
def test_what_is_recorded_is_what_was_looked_at(drafting, making, nina, omar, monkeypatch):
    draft = drafting.begin(REQUEST, nina)
    make = making.make

    def make_late(*args, **options):
        drafting.answer(draft.id, {"pml_signs": "yes"}, omar)
        return make(*args, **options)

    monkeypatch.setattr(making, "make", make_late)
    with pytest.raises(DraftChanged):
        drafting.record(draft.id, nina.act)
    monkeypatch.undo()
    assert json.loads(drafting.record(draft.id, nina.act).request)["facts"]["pml_signs"] == "yes"


@pytest.mark.any_database
def test_a_discarded_draft_becomes_nothing(drafting, nina, sql):
    draft = drafting.begin(REQUEST, nina)
    drafting.discard(draft.id, nina.act)
    for again in (drafting.discard, drafting.record):
        with pytest.raises(NoSuchDraft):
            again(draft.id, nina.act)
    assert made(sql) == 0


@pytest.mark.any_database
def test_unfinished_drafts_are_offered_with_who_left_them(drafting, drafts, nina, omar, act):
    first = drafting.begin(REQUEST, nina)
    drafting.answer(first.id, {"pml_signs": "no"}, omar)
    drafting.begin({**REQUEST, "patient": {"id": "MRN-2002"}}, nina)
    foreign = "7e5bd0d6-2a44-4ad3-a7ba-2bd2ba0a7ef5"
    drafts.keep(foreign, canonical({"drug": "inebilizumab", "answers": {}}), "MRN-1001", act)
    (found,) = drafting.unfinished("MRN-1001", act)
    assert (found.id, found.drug, found.kept_by, found.kept_at, found.corrects) == (
        first.id,
        "inebilizumab",
        "Omar Reyes",
        omar.act.at,
        None,
    )
    for ask in (drafting.read, drafting.record):
        with pytest.raises(NotADraftOfOurs):
            ask(foreign, act)
    assert drafts.read(foreign, act).body == canonical({"drug": "inebilizumab", "answers": {}})
