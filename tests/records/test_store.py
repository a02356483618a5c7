"""The store: what it answers is committed, what it was given is given back."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from service.app import records_of
from service.records.database import StoreUnavailable
from service.records.journal import Event
from service.records.site import NotJournaled
from service.records.store import CannotSupersede, KeyReused, NoSuchChecklist, Store
from service.records.stored import Flag, Once
from tests.records.conftest import NOW

ONCE = Once.of("visit-17", b"a body")


def test_what_was_kept_is_given_back(store, a_checklist, basis, act):
    kept = a_checklist()
    assert store.add(kept, basis, act) == kept

    found = store.get(kept.id)
    assert found == kept
    assert found.created_at.utcoffset().total_seconds() == 0


def test_the_files_of_a_pack_are_kept_once(store, a_checklist, basis, act, sql):
    for _ in range(3):
        store.add(a_checklist(), basis, act)
    assert sql("SELECT count(*) FROM knowledge") == [(1,)]
    assert sql("SELECT count(*) FROM policies") == [(1,)]


def test_the_files_of_a_pack_are_given_back_unchanged(store, a_checklist, basis, act):
    kept = store.add(a_checklist(), basis, act)
    assert store.basis(kept.id) == basis
    assert store.basis(kept.id).intact


def test_the_rules_that_fired_are_kept_to_be_found_by(store, a_checklist, basis, act, sql):
    flags = (Flag("hbv-active", "hepatitis_b", "holds", "block"), Flag("x", "pml", "undecided", "warn"))
    store.add(a_checklist(flags=flags), basis, act)
    found = sql('SELECT rule, "check", verdict, status FROM flagged ORDER BY rule')
    assert found == [("hbv-active", "hepatitis_b", "holds", "block"), ("x", "pml", "undecided", "warn")]


@pytest.mark.any_database
def test_the_files_include_those_of_the_look_alikes(basis):
    assert {"drugs/inebilizumab.yaml", "drugs/ibalizumab.yaml", "facts.yaml"} <= set(basis.files)


@pytest.mark.parametrize("id", ["7c9e6679-7425-40de-944b-e07fc1f90ae7", "", "1", "' OR 1=1 --", "x" * 1000])
def test_an_unknown_id_is_no_checklist(store, act, sql, id):
    for read in (store.get, store.basis, lambda id: store.read(id, act)):
        with pytest.raises(NoSuchChecklist):
            read(id)
    assert sql("SELECT count(*) FROM journal") == [(0,)]


def test_an_id_is_found_however_it_is_written(store, a_checklist, basis, act):
    kept = store.add(a_checklist(), basis, act)
    assert store.get(kept.id.upper()).id == kept.id


def test_a_checklist_without_a_valid_id_is_not_kept(store, a_checklist, basis, act, sql):
    with pytest.raises(NoSuchChecklist):
        store.add(a_checklist(id="1"), basis, act)
    assert sql("SELECT count(*) FROM knowledge") == [(0,)]


def test_a_second_checklist_of_one_id_is_refused(store, a_checklist, basis, act, sql):
    kept = store.add(a_checklist(), basis, act)
    with pytest.raises(StoreUnavailable):
        store.add(a_checklist(id=kept.id, result=b"{}"), basis, act)
    assert store.get(kept.id) == kept
    assert sql("SELECT count(*) FROM journal") == [(1,)]


def test_a_key_gives_the_first_checklist(store, a_checklist, basis, act):
    assert store.by_key(ONCE, act) is None
    first = store.add(a_checklist(), basis, act, ONCE)

    assert store.by_key(ONCE, act) == first
    assert store.add(a_checklist(), basis, act, ONCE) == first


def test_a_key_with_another_body_is_refused(store, a_checklist, basis, act, sql):
    store.add(a_checklist(), basis, act, ONCE)
    other = Once.of(ONCE.key, b"another body")
    with pytest.raises(KeyReused):
        store.by_key(other, act)
    with pytest.raises(KeyReused):
        store.add(a_checklist(), basis, act, other)
    assert sql("SELECT count(*) FROM checklists") == [(1,)]


def test_of_many_threads_with_one_key_one_keeps_its_checklist(store, a_checklist, basis, act, sql):
    made = [a_checklist() for _ in range(12)]
    with ThreadPoolExecutor(max_workers=12) as pool:
        kept = list(pool.map(lambda each: store.add(each, basis, act, ONCE), made))

    assert len({each.id for each in kept}) == 1
    assert sql("SELECT count(*) FROM checklists") == [(1,)]
    assert sql("SELECT sequence FROM journal ORDER BY sequence") == [(each,) for each in range(1, 13)]


def test_a_checklist_is_superseded_once_and_stays_readable(store, a_checklist, basis, act):
    first = store.add(a_checklist(), basis, act)
    second = store.add(a_checklist(supersedes=first.id), basis, act)
    assert store.get(second.id).supersedes == first.id
    assert store.get(first.id) == first
    with pytest.raises(CannotSupersede, match=second.id):
        store.add(a_checklist(supersedes=first.id), basis, act)
    with pytest.raises(CannotSupersede, match="another patient"):
        store.add(a_checklist(supersedes=second.id, patient="MRN-1002"), basis, act)


def test_a_write_without_an_entry_leaves_nothing(records, sql):
    with pytest.raises(NotJournaled), records.writing() as writing:
        writing.connection.exec_driver_sql("INSERT INTO policies (digest, text) VALUES ('d', 't')")
    assert sql("SELECT count(*) FROM policies") == [(0,)]


def test_a_write_that_breaks_off_leaves_nothing(records, act, sql):
    with pytest.raises(RuntimeError), records.writing() as writing:
        writing.connection.exec_driver_sql("INSERT INTO policies (digest, text) VALUES ('d', 't')")
        writing.enter(act, Event.JOURNAL_VIEWED, "journal")
        raise RuntimeError
    assert sql("SELECT count(*) FROM policies") == sql("SELECT count(*) FROM journal") == [(0,)]
    records.enter(act, Event.JOURNAL_VIEWED, "journal")
    assert sql("SELECT sequence FROM journal") == [(1,)]


def test_records_of_an_earlier_run_are_kept(store, settings, a_checklist, basis, act):
    kept = store.add(a_checklist(), basis, act)
    with closing(records_of(settings, NOW)) as again:
        assert Store(again).get(kept.id) == kept


@pytest.mark.usefixtures("own_database_url")
def test_a_store_without_its_tables_is_unavailable(store, a_checklist, basis, act, sql):
    kept = store.add(a_checklist(), basis, act)
    sql("ALTER TABLE checklists RENAME TO elsewhere")
    with pytest.raises(StoreUnavailable):
        store.get(kept.id)
    with pytest.raises(StoreUnavailable):
        store.add(a_checklist(), basis, act)


def test_an_error_of_the_store_does_not_repeat_what_it_was_given(store, a_checklist, basis, act):
    kept = store.add(a_checklist(patient="CANARY"), basis, act)
    with pytest.raises(StoreUnavailable) as refused:
        store.add(a_checklist(id=kept.id, patient="CANARY"), basis, act)
    assert "CANARY" not in str(refused.value)
    assert refused.value.__cause__ is None
