"""Rules that cannot be used are written to disk while the service runs: it goes on with those that it has."""

import json
import signal

import pytest

from tests import databases
from tests.api.sending import CHECKLISTS
from tests.faults import chain
from tests.faults.serving import Load, body_for, kill_one, served, until
from tests.kept import rules_folder

pytestmark = pytest.mark.any_database

PACK = "drugs/inebilizumab.yaml"
OLD, NEW = "version: 1.0.0", "version: 1.1.0"
POISON = ("checks:", "cheks:")


@pytest.fixture
def rules(tmp_path):
    return rules_folder(tmp_path / "rules")


@pytest.fixture
def service(tmp_path, rules):
    with served(databases.copy_of_sqlite(tmp_path), rules) as running:
        running.comes_back()
        yield running


def answer(service):
    """A checklist without what differs from one to the next of the same request."""
    status, _, body = service.ask("POST", CHECKLISTS, body_for("same"))
    assert status == 201
    document = json.loads(body)
    differs = {name: document.pop(name) for name in ("id", "evaluated_at")}
    assert all(differs.values())
    return json.dumps(document)


def on_disk(service, state):
    """Wait until the metrics say this of the rules on disk."""
    line = f'dosegate_rules_on_disk{{state="{state}"}} 1.0'
    until(lambda: line in service.ask("GET", "/metrics")[2].decode(), f"the rules on disk are {state}")


def logged(service, event):
    """What has been logged of a kind."""
    return [line for line in map(json.loads, service.log()) if line["event"] == event]


def versions(service):
    """The version of each pack that a client is told."""
    return {
        each["id"]: each["version"] for each in json.loads(service.ask("GET", "/api/v1/drugs")[2])["drugs"]
    }


def edit(rules, old, new):
    """Change one passage of the pack."""
    file = rules / PACK
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_a_poisoned_pack_changes_no_answer_and_good_rules_take_force_without_a_request_lost(service, rules):
    before = answer(service)
    on_disk(service, "in_force")

    edit(rules, *POISON)
    on_disk(service, "refused")
    assert answer(service) == before
    [refused] = logged(service, "rules_refused")
    assert refused["level"] == "error"
    assert any(
        PACK in line["reason"] and "cheks" in line["reason"] for line in logged(service, "rules_mistaken")
    )

    for _ in service.workers():  # those that begin now find the poisoned pack on disk
        kill_one(service)
        service.comes_back()
        assert answer(service) == before

    old = sorted(until(lambda: len(found := service.workers()) == 2 and found, "two workers"))
    service.process.send_signal(signal.SIGHUP)
    until(lambda: len(logged(service, "rules_refused")) == 2, "the mistakes are not said again")
    assert answer(service) == before
    assert sorted(service.workers()) == old

    load = Load(service, "reload")
    with load.going_on():
        load.more(2)
        edit(rules, *reversed(POISON))
        edit(rules, OLD, NEW)
        on_disk(service, "waiting")
        assert versions(service)["inebilizumab"] == "1.0.0"
        service.process.send_signal(signal.SIGHUP)
        until(lambda: not set(old) & set(service.workers()), "the old workers do not end")
        load.more(2)
    assert load.broken == 0
    assert versions(service)["inebilizumab"] == "1.1.0"
    on_disk(service, "in_force")

    loaded = [
        entry
        for entry in chain.sound(service.url)
        if (entry.event, entry.subject) == ("pack.loaded", "inebilizumab")
    ]
    assert [entry.details["version"] for entry in loaded][-2:] == ["1.0.0", "1.1.0"]
    assert loaded[-1].request == "reload"
