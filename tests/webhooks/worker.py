"""A courier as a process of its own, in which time runs faster: a claim runs out within two seconds."""

import multiprocessing
import random
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from service.app import records_of
from service.outbound.http import Outbound
from service.webhooks.courier import Courier

FASTER = 30
# A process that has imported all of this forks each worker, since many are killed.
_starts = multiprocessing.get_context("forkserver")
_starts.set_forkserver_preload([__name__])


def fast(began):
    """A clock that began at a time of this machine, in seconds, and runs faster since."""
    start = datetime.fromtimestamp(began, UTC)
    return lambda: start + FASTER * timedelta(seconds=time.time() - began)


@contextmanager
def working(settings, host, began):
    """A worker that delivers, until it is killed at the end."""
    process = _starts.Process(target=_work, args=(settings, host, began))
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()
        process.close()


def _work(settings, host, began):
    clock = fast(began)
    courier = Courier(records_of(settings, clock()), Outbound(frozenset({host})), None, clock, random.random)
    courier.run(threading.Event())
