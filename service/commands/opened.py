"""What every command on the records stands on: the records opened, and who types the command."""

import getpass
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from service.app import now, records_of
from service.records.database import StoreUnavailable
from service.records.journal import Act
from service.records.signing import BadKeyFile
from service.records.site import SiteRecords
from service.settings import BadSetting, Settings
from service.terminal.failures import refuse


def settings() -> Settings:
    """The settings of this process; a bad one ends the command."""
    try:
        return Settings.from_environment()
    except BadSetting as bad:
        refuse([str(bad)])


@contextmanager
def opened() -> Iterator[SiteRecords]:
    """The records of the site; a failure of theirs ends the command with one line."""
    try:
        records = records_of(settings(), now())
        try:
            yield records
        finally:
            records.close()
    except (StoreUnavailable, BadKeyFile) as error:
        refuse([str(error)])


def act() -> Act:
    """Who types a command, as the journal has it: the operating system's name of them."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = "unknown"
    return Act(f"cli:{name}", "operator", f"cli-{uuid.uuid4().hex}", now())
