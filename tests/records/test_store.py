"""The store: what it answers is committed, what it was given is given back."""

import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from multiprocessing import get_context

import pytest

from service.records.database import StoreUnavailable
from service.records.store import KeyReused, NoSuchChecklist, Store
from service.records.stored import Once

ONCE = Once.of("visit-17", b"a body")


def test_what_was_kept_is_given_back(store, an_entry, basis):
    entry = an_entry()
    assert store.add(entry, basis) == entry

    kept = store.get(entry.id)
    assert kept == entry
    assert kept.created_at.utcoffset().total_seconds() == 0
    assert store.result(entry.id) == entry.result
    assert store.trace(entry.id) == entry.trace


def test_the_files_of_a_pack_are_kept_once(store, an_entry, basis, sql):
    for _ in range(3):
        store.add(an_entry(), basis)
    assert sql("SELECT count(*) FROM knowledge") == [(1,)]
    assert sql("SELECT count(*) FROM policies") == [(1,)]


def test_the_files_of_a_pack_are_given_back_unchanged(store, an_entry, basis):
    entry = store.add(an_entry(), basis)
    assert store.basis(entry.id) == basis
    assert store.basis(entry.id).intact


def test_the_files_include_those_of_the_look_alikes(basis):
    assert {"drugs/inebilizumab.yaml", "drugs/ibalizumab.yaml", "facts.yaml"} <= set(basis.files)


@pytest.mark.parametrize("id", ["7c9e6679-7425-40de-944b-e07fc1f90ae7", "", "1", "' OR 1=1 --", "x" * 1000])
def test_an_unknown_id_is_no_checklist(store, id):
    for read in (store.get, store.result, store.trace, store.basis):
        with pytest.raises(NoSuchChecklist):
            read(id)


def test_an_id_is_found_however_it_is_written(store, an_entry, basis):
    entry = store.add(an_entry(), basis)
    assert store.get(entry.id.upper()).id == entry.id


def test_an_entry_without_a_valid_id_is_not_kept(store, an_entry, basis, sql):
    with pytest.raises(NoSuchChecklist):
        store.add(an_entry(id="1"), basis)
    assert sql("SELECT count(*) FROM knowledge") == [(0,)]


def test_a_second_entry_of_one_id_is_refused(store, an_entry, basis):
    entry = store.add(an_entry(), basis)
    with pytest.raises(StoreUnavailable):
        store.add(an_entry(id=entry.id, result=b"{}"), basis)
    assert store.result(entry.id) == entry.result


def test_a_key_gives_the_first_entry(store, an_entry, basis):
    assert store.by_key(ONCE) is None
    first = store.add(an_entry(), basis, ONCE)

    assert store.by_key(ONCE) == first
    assert store.add(an_entry(), basis, ONCE) == first


def test_a_key_with_another_body_is_refused(store, an_entry, basis):
    store.add(an_entry(), basis, ONCE)
    other = Once.of(ONCE.key, b"another body")
    with pytest.raises(KeyReused):
        store.by_key(other)
    with pytest.raises(KeyReused):
        store.add(an_entry(), basis, other)


def test_of_many_threads_with_one_key_one_keeps_its_entry(store, an_entry, basis, sql):
    entries = [an_entry() for _ in range(12)]
    with ThreadPoolExecutor(max_workers=12) as pool:
        kept = list(pool.map(lambda entry: store.add(entry, basis, ONCE), entries))

    assert len({entry.id for entry in kept}) == 1
    assert sql("SELECT count(*) FROM checklists") == [(1,)]


def open_and_close(url):
    with closing(Store(url)) as store:
        store.ping()


def test_many_processes_may_open_new_records_at_once(tmp_path):
    with get_context("spawn").Pool(4) as pool:
        for number in range(5):
            pool.map(open_and_close, [f"sqlite:///{tmp_path}/{number}.db"] * 4, chunksize=1)


def test_records_are_written_ahead_and_flushed_with_their_references_checked(store):
    with store._engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


def test_records_are_for_their_owner_only(store, file):
    for each in file.parent.iterdir():
        assert stat.S_IMODE(each.stat().st_mode) == 0o600, each.name


def test_records_of_an_earlier_run_are_kept(store, file, an_entry, basis):
    entry = store.add(an_entry(), basis)
    with closing(Store(f"sqlite:///{file}")) as again:
        assert again.get(entry.id) == entry


def test_a_store_without_its_tables_is_unavailable(store, an_entry, basis, sql):
    store.add(an_entry(), basis)
    sql("DROP TABLE idempotency")
    sql("DROP TABLE checklists")
    with pytest.raises(StoreUnavailable):
        store.ping()
    with pytest.raises(StoreUnavailable):
        store.add(an_entry(), basis)


def test_an_error_of_the_store_does_not_repeat_what_it_was_given(store, an_entry, basis):
    entry = store.add(an_entry(patient="CANARY"), basis)
    with pytest.raises(StoreUnavailable) as refused:
        store.add(an_entry(id=entry.id, patient="CANARY"), basis)
    assert "CANARY" not in str(refused.value)


def test_a_file_that_is_no_database_is_refused(tmp_path):
    file = tmp_path / "x.db"
    file.write_text("no database at all " * 100)
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        Store(f"sqlite:///{file}")
