"""What Prometheus is told: all of it in names of ours, whatever was asked and by whom."""

import multiprocessing
import os
import re
import signal
from importlib.metadata import version
from pathlib import Path

import pytest

from service.access.roles import Role
from service.knowledge.on_disk import State
from service.web import metrics
from service.web.metrics import METHODS, OTHER, Metrics
from tests.api.sending import a_request, post
from tests.people import signed_in
from tests.webhooks import receiver as answers

HOOKS = {"order-select", "order-sign", "order-dispatch", "patient-view"}


def found(scrape, name, **labels):
    """The value of the one series with this name and at least these labels."""
    wanted = labels.items()
    series = scrape().items()
    [value] = [value for (each, its), value in series if each == f"dosegate_{name}" and wanted <= its]
    return value


@pytest.mark.any_database
def test_requests_and_checklists_are_counted_with_the_time_they_take(client, scrape):
    post(client, idempotency_key="visit-17")
    post(client, idempotency_key="visit-17")
    asked = {"endpoint": "/api/v1/checklists", "method": "POST"}
    assert found(scrape, "http_requests_total", **asked, status="201") == 1
    assert found(scrape, "http_request_seconds_count", **asked) == 2
    assert found(scrape, "checklists_total", drug="inebilizumab", status="pass") == 1
    assert found(scrape, "checklists_repeated_total") == 1
    assert 0 < found(scrape, "evaluation_seconds_sum") < 60


def test_the_records_tell_how_old_they_are_and_what_waits(
    *, client, scrape, clock, endpoint, receiver, courier, parts, act
):
    post(client)
    clock.pass_by(seconds=100)
    assert found(scrape, "journal_head_age_seconds") == 100
    clock.pass_by(days=1)
    client.get("/api/v1/journal")  # the first entry of a day is signed by itself
    clock.pass_by(seconds=7)
    assert found(scrape, "journal_checkpoint_age_seconds") == 7
    assert found(scrape, "couriers") == 0
    assert found(scrape, "delivery_queue_age_seconds") == 86507  # nobody has even read of it
    receiver.mode = answers.BROKEN
    courier.drain()
    assert found(scrape, "deliveries", state="waiting") == 1
    assert found(scrape, "delivery_queue_age_seconds") == 86507
    for _ in range(5):
        clock.pass_by(days=1)
        courier.drain()
    assert found(scrape, "deliveries", state="waiting") == 0
    assert found(scrape, "deliveries", state="dead") == 1
    assert found(scrape, "delivery_queue_age_seconds") == 0
    post(client)
    clock.pass_by(seconds=5)
    assert found(scrape, "delivery_queue_age_seconds") == 5
    parts.endpoints.pause(endpoint.id, act)
    assert found(scrape, "endpoints", state="paused") == 1
    assert found(scrape, "delivery_queue_age_seconds") == 0  # what is paused waits until somebody says so
    assert (found(scrape, "ready"), found(scrape, "database_up")) == (1, 1)


@pytest.mark.any_database
def test_what_is_in_force_is_told(app, scrape, parts):
    pack = parts.library.packs["inebilizumab"]
    digest = pack.digest.removeprefix("sha256:")[:12]
    assert found(scrape, "pack_info", drug=pack.id, version=pack.version, digest=digest) == 1
    assert found(scrape, "build_info") == 1


@pytest.mark.any_database
def test_every_label_is_one_of_a_set_that_is_known(app, client, scrape, parts):
    nina = signed_in(app, Role.NURSE, "nina")
    post(client, a_request(patient={"id": "MRN-1"}))
    post(client, a_request(drug="MRN-2"))
    for address in ("/MRN-3", "/api/v1/drugs/MRN-4", "/drugs/MRN-5", "/accounts/MRN-6", "/find?q=MRN-7"):
        client.get(address)
        nina.get(address)
    client.open("/MRN-8", method="MRN9")
    parts.metrics.order_without_pack("order-sign")
    parts.metrics.limited("/drugs/{drug}")

    rules = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule) for rule in app.url_map.iter_rules()}
    pack_of = parts.library.packs
    known = {
        "endpoint": rules | {"unmatched"},
        "method": METHODS | {OTHER},
        "status": {str(status) for status in range(200, 600)} | {"pass", "warn", "block"},
        "drug": set(pack_of),
        "hook": HOOKS,
        "state": {*State, "waiting", "dead", "told", "paused"},
        "version": {pack.version for pack in pack_of.values()} | {version("dosegate")},
        "digest": {pack.digest.removeprefix("sha256:")[:12] for pack in pack_of.values()},
    }
    for _, labels in scrape():
        for name, value in labels:
            assert name in ("le", "python") or value in known[name], (name, value)


def _count(dies):
    counted = Metrics()
    counted.request("/x", "GET", 200, 0.1)
    if dies:
        os.kill(os.getpid(), signal.SIGKILL)


def _together(told):
    """A service whose workers count together; what one of them is told when two before it were killed."""
    metrics.prepare_folder()
    metrics.rules_on_disk(State.REFUSED)
    folder = os.environ["PROMETHEUS_MULTIPROC_DIR"]
    forks = multiprocessing.get_context("fork")
    for dies in (True, True, False):
        worker = forks.Process(target=_count, args=(dies,))
        worker.start()
        worker.join()
    told.put((Metrics().text(), len([*Path(folder).iterdir()]), folder))


@pytest.mark.filterwarnings("ignore:This process")
def test_workers_count_together_and_one_goes_on_where_another_was_killed():
    spawns = multiprocessing.get_context("spawn")
    told = spawns.Queue()
    service = spawns.Process(target=_together, args=(told,))
    service.start()
    text, files, folder = told.get(timeout=60)
    service.join()
    assert 'dosegate_http_requests_total{endpoint="/x",method="GET",status="200"} 3.0' in text
    assert "dosegate_workers_begun_total 4.0" in text
    assert 'dosegate_rules_on_disk{state="refused"} 1.0' in text
    assert 'dosegate_rules_on_disk{state="in_force"} 0.0' in text
    assert files == 8  # of the service and of one worker: each a lock and three files, whoever died
    assert not Path(folder).exists()
