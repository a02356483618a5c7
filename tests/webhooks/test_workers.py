"""Workers that are killed, and several at once: each event arrives, in the order of its thread."""

import random
import threading
import time
from contextlib import closing

import pytest

from service.app import records_of
from service.webhooks.courier import Courier
from tests.faults.chain import verified
from tests.faults.serving import until
from tests.webhooks import receiver as answers
from tests.webhooks.telling import EVENTS
from tests.webhooks.worker import fast, working

PATIENTS = 5
KILLED = {"sqlite": 3, "postgresql": 9}  # the courier is the same, and a claim is held by each in its way


def all_arrived(site):
    return set(site.deliveries("state")) == {"delivered"}


def in_order(site, receiver):
    """Every message arrived; in each thread first in order; a second time only as the same bytes."""
    told = site.deliveries("message", "thread")
    arrived = receiver.ids()
    assert sorted(arrived) == sorted(message for message, _ in told)
    for thread in {thread for _, thread in told}:
        wanted = [message for message, of in told if of == thread]
        assert [id for id in arrived if id in wanted] == wanted
    assert len({(each.id, each.body) for each in receiver.got}) == len(arrived)


def test_a_worker_is_killed_again_and_again_and_every_event_arrives_in_order(
    *, site, known, receiver, settings, clock, database_kind
):
    began = time.time()
    _, receiver.secret = known.add(receiver.url, EVENTS, full=False, act=site.act())
    for round in range(KILLED[database_kind]):
        # The first one is killed for certain after a message was taken and before that was known.
        receiver.mode = answers.SLOW if round else answers.WAITS
        site.clock.now = fast(began)()
        for number in range(PATIENTS):
            id = site.checklist(f"MRN-{number}", status=random.choice(["pass", "warn", "block"]))
            if not round % 3:
                site.outcome(id)
        before = len(receiver.got)
        with working(settings, receiver.host, began):
            until(lambda n=before: len(receiver.got) > n, "nothing is sent")
            time.sleep(random.uniform(0, 0.1))  # so that it is killed while it sends, settles and claims
        receiver.may_go_on.set()
        until(lambda: receiver.idle, "what was taken is not answered")
    with working(settings, receiver.host, began):
        until(lambda: all_arrived(site), "not everything arrives")
    in_order(site, receiver)
    again = len(receiver.arrived) - len(receiver.ids())
    assert again > 0
    assert verified(settings.database).faults == []


def test_several_workers_at_once_send_nothing_twice(*, site, endpoint, receiver, settings, clock, outbound):
    receiver.mode = answers.SLOW
    for number in range(60):
        site.checklist(f"MRN-{number % 12}", status=random.choice(["pass", "block"]))
    together = threading.Barrier(3)
    broken = []

    def work():
        with closing(records_of(settings, clock())) as records:
            courier = Courier(records, outbound, None, clock, random.random)
            together.wait()
            try:
                while not (site.deliveries("state") and all_arrived(site)):
                    courier.drain()
            except Exception as error:
                broken.append(error)

    workers = [threading.Thread(target=work) for _ in range(3)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert broken == []
    in_order(site, receiver)
    assert len(receiver.got) == len(receiver.ids())  # and the receiver saw none twice at the same time
    assert receiver.at_once > 1


@pytest.mark.any_database
def test_a_database_that_fails_for_a_while_is_waited_for(
    *, site, endpoint, receiver, outbound, clock, caplog, sql
):
    site.checklist("MRN-1")
    sql("ALTER TABLE deliveries RENAME TO elsewhere")
    courier, stop = Courier(site.records, outbound, None, clock, random.random), threading.Event()
    worker = threading.Thread(target=courier.run, args=(stop,))
    worker.start()
    try:
        until(lambda: "store_failed" in caplog.text, "it says nothing")
        sql("ALTER TABLE elsewhere RENAME TO deliveries")
        until(lambda: receiver.arrived, "it does not go on by itself")
    finally:
        stop.set()
        worker.join()
    assert all_arrived(site)
    assert "MRN-1" not in caplog.text
