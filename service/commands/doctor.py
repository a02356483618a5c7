"""`dosegate doctor`: what of an installation is not as it should be, and how to mend it."""

import json
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import click

from service.commands.checks.finding import CannotTell, Finding, Health
from service.commands.checks.installation import Installation
from service.records.database import StoreUnavailable
from service.settings import settings_in_force
from service.terminal.failures import clean, reason

# Each is a function that is given the installation. It is imported when its turn comes, so that what is not
# installed is a finding too.
CHECKS = {
    "settings": "machine:settings",
    "python": "machine:python",
    "user": "machine:user",
    "rules": "knowledge:rules",
    "engine": "knowledge:engine",
    "database": "database:answers",
    "tables": "database:tables",
    "guards": "database:guards",
    "rights": "database:rights",
    "clock": "database:clock",
    "signing key": "journal:signing_key",
    "journal": "journal:head",
    "checkpoint": "journal:checkpoint",
    "disk space": "machine:disk_space",
    "place": "machine:lasting_place",
    "accounts": "people:accounts",
    "API keys": "people:api_keys",
    "webhooks": "people:deliveries",
    "address": "network:public_address",
    "proxies": "network:proxies",
    "request limit": "network:request_limit",
    "time zone": "machine:time_zones",
    "PDF": "machine:pdf",
    "open files": "machine:open_files",
}
_EXITS = {Health.OK: 0, Health.WARNING: 3, Health.WRONG: 4, Health.UNKNOWN: 4}
_SUM = {
    Health.OK: "All is well.",
    Health.WARNING: "It works, with warnings. A changed setting counts when the service starts again.",
    Health.UNKNOWN: "Not everything could be looked at. Mend the rest, then type dosegate doctor again.",
    Health.WRONG: "Something is wrong. Mend it, start the service again, and type dosegate doctor again.",
}
_INSTALL = "install Dosegate anew (docs/operations.md)"


@click.command(short_help="Say what of this installation is wrong, and how to mend it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(*, as_json: bool) -> None:
    """Look at this installation as the service would meet it; say what is wrong, and what to type.

    Run it as the user, and with the environment, of the service. It changes nothing, and prints nothing of a
    patient and no secret. Exit status: 0 all is well, 3 there are warnings, 4 something is wrong or cannot be
    looked at, 2 it could not begin.
    """
    worst = Health.OK
    shown: list[dict[str, Any]] = []
    with closing(Installation(settings_in_force(), lambda: datetime.now(UTC))) as here:
        for name in CHECKS:
            for found in look(name, here):
                worst = max(worst, found.health, key=list(Health).index)
                shown.append({"check": name, **vars(found)})
                if not as_json:
                    _print(name, found)
    if as_json:
        click.echo(json.dumps({"health": worst, "findings": shown}, ensure_ascii=False, indent=2))
    else:
        click.echo(_SUM[worst])
    sys.exit(_EXITS[worst])


def look(name: str, here: Installation) -> Iterator[Finding]:
    """What one check finds. One that fails is a finding itself, and says nothing of what it read."""
    module, _, function = CHECKS[name].partition(":")
    try:
        yield from getattr(import_module(f"service.commands.checks.{module}"), function)(here)
    except CannotTell as in_the_way:
        yield Finding(Health.UNKNOWN, f"not looked at: {in_the_way}")
    except StoreUnavailable as error:
        yield Finding(Health.WRONG, f"the records cannot be read: {error}", "dosegate db status")
    except OSError as error:
        says = f"{error.filename or 'something of the system'} cannot be used: {reason(error).lower()}"
        yield Finding(Health.WRONG, says, f"ls -ld {error.filename}" if error.filename else None)
    except ImportError as error:
        yield Finding(Health.WRONG, f"{error.name or 'a library'} cannot be imported", _INSTALL)
    except Exception as error:
        says = f"this could not be looked at: {type(error).__name__}"
        yield Finding(Health.WRONG, says, f"{_INSTALL}; if it stays, it is a mistake of Dosegate: report it")


def _print(name: str, found: Finding) -> None:
    click.echo(f"{found.health:<8} {name:<14} {clean(found.says)}")
    if found.mend:
        click.echo(f"{'':<23} mend: {clean(found.mend)}")
