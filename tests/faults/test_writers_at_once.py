"""Eight processes that write to the same sites, and one that forks: no gap, one chain, all there."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import pytest

from service.app import records_of
from service.settings import Settings
from tests import databases
from tests.faults import chain
from tests.faults.writing import MIDNIGHT, SITES, write, write_around_a_fork

PROCESSES, EACH = 8, 12


@pytest.fixture(scope="module")
def processes():
    """Processes that have imported what they need."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.writing"])
    with ProcessPoolExecutor(PROCESSES, mp_context=context) as pool:
        yield pool


@pytest.fixture
def sites(database_url):
    """The database, where the chains of both sites have begun."""
    for site in SITES:
        settings = Settings(database=database_url, site=site, keys=databases.signing_key())
        records_of(settings, MIDNIGHT).close()
    return database_url


def test_eight_processes_write_one_chain_for_each_site(processes, sites):
    key = databases.signing_key()
    began = [processes.submit(write, sites, key, writer, EACH) for writer in range(PROCESSES)]
    done = [each.result() for each in began]
    for site in SITES:
        entries = chain.sound(sites, site)
        acknowledged = [each for one in done for each in one[site]]
        # Each writer made two entries a round: a checklist, or the view of one that another made first.
        assert len(entries) == PROCESSES * EACH * 2
        assert len({sequence for _, _, sequence in acknowledged}) == PROCESSES * EACH
        results = {row.checklist: row.result for row in chain.rows(sites, chain.contents, site)}
        assert {id for id, _, _ in acknowledged} == results.keys()
        assert all(results[id] == result for id, result, _ in acknowledged)
        assert len(results) == PROCESSES * (EACH - 3) + 3, "a key was used for two checklists"
        assert len(chain.by_key(sites, site)) == 3
        assert len({entry.at.date() for entry in entries}) == 2


def test_what_was_opened_before_a_fork_is_not_shared_after_it(processes, sites):
    status, count = processes.submit(write_around_a_fork, sites, databases.signing_key()).result()
    assert status == 0
    assert len(chain.sound(sites, "north")) == count
