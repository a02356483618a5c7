"""`dosegate settings`: which are in force, where each comes from, and their documentation."""

import os
from collections.abc import Iterator

import click

from service.setting_reading import Kept, Reading, Setting
from service.settings import SETTINGS, settings_in_force
from service.terminal.failures import clean, refuse

_ABOUT = """\
# Settings

Each is a variable of the environment of every command of Dosegate, `dosegate serve` and `dosegate deliver`
among them. Nothing starts with a wrong one, and all that is wrong is said at once, in a line each. A variable
that begins with `DOSEGATE_` and is not in this table is wrong too: a misspelt setting would do nothing.

`dosegate settings` shows those in force and where each comes from; `dosegate doctor` says whether an
installation works with them. What is secret is shown nowhere.

What may come from a file stands there in one line, and the variable that ends in `_FILE` names the file. To
set both it and the variable without `_FILE` is wrong.

| setting | what it is for | what it may be | default | example | from a file? |
|---|---|---|---|---|---|
"""
_MADE = "\nThis page is made by `dosegate settings --markdown`.\n"
_FROM_A_FILE = {
    Kept.IN_VARIABLE: "no",
    Kept.IN_EITHER: "yes: it is secret",
    Kept.IN_FILE: "only: it is secret",
}


@click.command(short_help="Show the settings in force, and where each comes from.")
@click.option("--markdown", is_flag=True, help="Print what every setting is for, as docs/settings.md has it.")
def settings(*, markdown: bool) -> None:
    """Show the settings in force, and where each comes from; a secret is shown as set.

    Exit status: 0 they can be used, 2 some cannot: each is told in a line of its own.
    """
    if markdown:
        click.echo(documentation(), nl=False)
        return
    reading = settings_in_force()
    rows = [
        (each.variables[0], _shown(each, reading), reading.origins.get(each.name, "default"))
        for each in SETTINGS
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(map(str.ljust, row, widths)).rstrip())
    if reading.problems:
        refuse(list(reading.problems))


def _shown(setting: Setting, reading: Reading) -> str:
    if setting.name not in reading.given:
        return setting.default or "not set"
    if reading.values[setting.name] is None:
        return "CANNOT BE USED"
    return "set" if setting.secret else clean(os.environ[setting.name])


def documentation() -> str:
    """Every setting, as a page of Markdown."""
    return _ABOUT + "".join(f"| {' | '.join(_cells(each))} |\n" for each in SETTINGS) + _MADE


def _cells(setting: Setting) -> Iterator[str]:
    yield " or ".join(f"`{each}`" for each in setting.variables)
    yield setting.meaning
    yield setting.may_be
    yield f"`{setting.default}`" if setting.default else ""
    yield f"`{setting.example}`"
    yield _FROM_A_FILE[setting.kept]
