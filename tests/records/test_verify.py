"""Verifying a chain: whatever is altered, removed or slipped in is found and named, also by the auditor's file."""

import json

import pytest

from service.records.signing import Keys
from tests.records.chains import found_in, trusted, written_chain

SITE, OTHER = "main", "north"


@pytest.fixture
def ids(settings, a_checklist, basis):
    return written_chain(settings, SITE, a_checklist, basis)


@pytest.fixture
def found(settings, ids):
    """What `verify` says and what the file says; they say the same."""

    def look(held=()):
        report, alone = found_in(settings.database, SITE, trusted(settings.keys), held)
        assert [str(each) for each in report.faults] == alone
        return report

    return look


def test_what_nobody_touched_is_whole(found):
    report = found()
    assert report.faults == []
    assert (report.entries, report.opened, report.erased, report.checkpoints) == (13, 3, 3, 1)
    assert (report.verified, report.signed) == (13, 8)
