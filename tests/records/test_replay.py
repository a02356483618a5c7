"""Replay: the same request, pack and policy give the same bytes, for ever."""

import json
import uuid
from contextlib import closing
from datetime import UTC, datetime

import pytest

from service.app import records_of, replayer_of
from service.intake.answers import answer_to
from service.knowledge.library import library_from
from service.records.canonical import canonical
from service.records.replay import CannotReplay, Difference, first_difference
from service.records.store import NoSuchChecklist, Store
from service.records.stored import Basis
from tests.builders import request_for, scenario_file, shipped

NOW = datetime(2026, 10, 6, 18, 0, 0, 123456, tzinfo=UTC)
DRUGS = ("ibalizumab", "inebilizumab", "inotuzumab_ozogamicin")
EVERY_PATIENT = [(drug, patient) for drug in DRUGS for patient in scenario_file(drug)["patients"]]


@pytest.fixture
def keep(store, a_checklist, act):
    """Answers a request and keeps it; gives the id."""

    def run(document, library=None):
        library = library or shipped()
        body, id = json.dumps(document, default=float).encode(), str(uuid.uuid4())
        answered = answer_to(body, library, id=id, evaluated_at=NOW, site="main")
        pack = answered.request.pack
        documents = {"result": canonical(answered.result), "trace": canonical(answered.trace)}
        made = a_checklist(id=id, created_at=NOW, drug=pack.id, pack=pack.digest, request=body, **documents)
        return store.add(made, Basis.of(library, pack), act).id

    return run


@pytest.fixture
def replay(store, act):
    """Replays the checklist of an id."""
    replayer = replayer_of(store)
    return lambda id: replayer.replay(id, act)


def a_request(**changes):
    return request_for("inebilizumab", "first dose, US", **changes)


@pytest.mark.any_database
@pytest.mark.parametrize(("drug", "patient"), EVERY_PATIENT)
@pytest.mark.parametrize("facts", ["all", "none"])
def test_every_patient_is_replayed_byte_for_byte(keep, replay, drug, patient, facts):
    document = request_for(drug, patient)
    report = replay(keep(document if facts == "all" else {**document, "facts": {}}))

    assert report["identical"] is True
    assert (report["result_identical"], report["trace_identical"]) == (True, True)
    assert report["first_difference"] is None


def test_a_replay_names_the_pack_and_the_policy_it_was_made_with(keep, replay):
    report = replay(keep(a_request()))
    assert report["pack"] == shipped().packs["inebilizumab"].digest
    assert report["policy"] == shipped().policy.digest


def changed(name, old, new):
    """The shipped library with one text of one file changed."""
    assert old in shipped().texts[name]
    return library_from({**shipped().texts, name: shipped().texts[name].replace(old, new)})


@pytest.mark.parametrize(
    "change",
    [
        ("drugs/inebilizumab.yaml", "version: 1.0.0", "version: 9.9.9"),
        ("drugs/ibalizumab.yaml", "brands: [Trogarzo]", "brands: [Another Name]"),
        ("policy.yaml", "value: US", "value: EU"),
        ("shared.yaml", "\n", "\n# a comment\n"),
    ],
    ids=lambda change: change[0],
)
def test_what_was_kept_is_replayed_under_the_rules_of_its_time(keep, settings, act, change):
    document = a_request()
    del document["region"]
    kept = [keep(document), keep(document, changed(*change))]

    with closing(records_of(settings, NOW)) as reopened:
        replayer = replayer_of(Store(reopened))
        assert [replayer.replay(id, act)["identical"] for id in kept] == [True, True]


def test_the_file_of_a_look_alike_is_part_of_what_is_kept(keep, store):
    changed_brand = changed("drugs/ibalizumab.yaml", "brands: [Trogarzo]", "brands: [Another Name]")
    id = keep(a_request(), changed_brand)
    assert b"Another Name" in store.get(id).result
    assert "Another Name" in store.basis(id).files["drugs/ibalizumab.yaml"]


def tamper(unguarded, column, id, old, new):
    [(stored,)] = unguarded(f"SELECT {column} FROM contents WHERE checklist = ?", id)
    assert old in stored
    unguarded(f"UPDATE contents SET {column} = ? WHERE checklist = ?", stored.replace(old, new, 1), id)


def test_a_changed_result_is_found_and_named(keep, replay, unguarded):
    id = keep(a_request(without=["hbsag"]))
    tamper(
        unguarded,
        "result",
        id,
        b'"status":"block","title":"Inebilizumab"',
        b'"status":"pass","title":"Inebilizumab"',
    )
    report = replay(id)

    assert report["identical"] is report["result_identical"] is False
    assert report["trace_identical"] is True
    assert report["first_difference"] == {
        "in": "result",
        "path": "status",
        "stored": "pass",
        "replayed": "block",
    }


def test_a_changed_finding_is_named_by_its_place(keep, replay, unguarded):
    id = keep(a_request(without=["hbsag"]))
    tamper(unguarded, "result", id, b'"override":"prescriber"', b'"override":"acknowledge"')
    assert replay(id)["first_difference"] == {
        "in": "result",
        "path": "findings[0].override",
        "stored": "acknowledge",
        "replayed": "prescriber",
    }


def test_a_changed_trace_is_found_and_named(keep, replay, unguarded):
    id = keep(a_request())
    tamper(unguarded, "trace", id, b'"verdict":"ruled_out"', b'"verdict":"holds"')
    report = replay(id)

    assert (report["result_identical"], report["trace_identical"]) == (True, False)
    assert report["first_difference"]["in"] == "trace"
    assert report["first_difference"]["path"] == "checks[0].rules[0].verdict"


def test_a_changed_request_comes_out_different(keep, replay, unguarded):
    id = keep(a_request())
    tamper(unguarded, "request", id, b'"sex": "female"', b'"sex": "male"')
    assert replay(id)["identical"] is False


def test_a_changed_time_comes_out_different(keep, replay, unguarded):
    id = keep(a_request())
    unguarded("UPDATE checklists SET created_at = '2020-01-01T00:00:00+00:00'")
    assert replay(id)["first_difference"]["path"] == "evaluated_at"


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE contents SET request = '{'", "refused by this version"),
        ("UPDATE checklists SET created_at = 'some day'", "damaged"),
        ("UPDATE knowledge SET files = '{'", "damaged"),
        ("UPDATE knowledge SET files = replace(files, '1.0.0', '1.0.1')", "not those that were recorded"),
        ("UPDATE policies SET text = replace(text, '365', '366')", "not those that were recorded"),
    ],
)
def test_records_that_were_tampered_with_are_not_replayed(keep, replay, unguarded, statement, why):
    id = keep(a_request())
    unguarded(statement)
    with pytest.raises(CannotReplay, match=why):
        replay(id)


def test_rules_that_this_version_cannot_read_are_not_replayed(keep, replay, monkeypatch):
    id = keep(a_request())
    monkeypatch.setattr(
        "service.records.replay.library_from", lambda texts: library_from({**texts, "facts.yaml": "x"})
    )
    with pytest.raises(CannotReplay, match="cannot read"):
        replay(id)


def test_an_unknown_id_is_not_replayed(replay):
    with pytest.raises(NoSuchChecklist):
        replay(str(uuid.uuid4()))


def test_a_rebuilt_library_is_used_again_and_the_oldest_is_dropped(keep, replay, monkeypatch):
    built = []

    def counted(texts):
        built.append(library_from(texts))
        return built[-1]

    monkeypatch.setattr("service.records.replay._MOST_LIBRARIES", 1)
    monkeypatch.setattr("service.records.replay.library_from", counted)
    first = keep(a_request())
    second = keep(a_request(), changed("shared.yaml", "\n", "\n# a comment\n"))

    for id, count in ((first, 1), (first, 1), (second, 2), (first, 3)):
        assert replay(id)["identical"] is True
        assert len(built) == count


@pytest.mark.parametrize(
    ("stored", "replayed", "difference"),
    [
        (b'{"a":1}', b'{"a":2}', Difference("a", 1, 2)),
        (b'{"a":1}', b'{"a":1.0}', Difference("a", 1, 1.0)),
        (b'{"a":1}', b'{"a":true}', Difference("a", 1, True)),
        (b'{"a":1}', b"{}", Difference("a", 1, None)),
        (b"{}", b'{"a":{"b":1}}', Difference("a", None, {"b": 1})),
        (b'{"a":[1,2]}', b'{"a":[1]}', Difference("a[1]", 2, None)),
        (b'{"a":[1]}', b'{"a":[1,[2]]}', Difference("a[1]", None, [2])),
        (b'{"a":[{"b":[1]}]}', b'{"a":[{"b":[0]}]}', Difference("a[0].b[0]", 1, 0)),
        (b'{"a": 1}', b'{"a":1}', Difference("", "the same values in other bytes", "canonical JSON")),
        (b"{", b"{}", Difference("", "not a JSON document", "a JSON document")),
    ],
)
def test_the_first_difference_is_named_by_its_path(stored, replayed, difference):
    assert first_difference(stored, replayed) == difference
