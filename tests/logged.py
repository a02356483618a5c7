"""What the service logged while a test watched."""

import logging
from contextlib import contextmanager

from service import logs


def logged(caplog, name):
    """Each event of this name: its fields."""
    events = [record.msg for record in caplog.records if record.name == "dosegate"]
    return [event for event in events if event["event"] == name]


@contextmanager
def on_standard_error():
    """Lines go there meanwhile, as where the service runs, with all that its libraries say of themselves."""
    logs.configure("debug")
    root, before = logging.getLogger(), logging.getLogger().level
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.setLevel(before)
        for logger in (root, logging.getLogger("gunicorn.error")):
            logger.handlers = [each for each in logger.handlers if type(each).__module__ != logs.__name__]
