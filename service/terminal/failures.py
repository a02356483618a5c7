"""How the command line fails: in one line, with an exit status, and never with a traceback."""

import io
import os
import sys
import unicodedata
from collections.abc import Mapping
from importlib import import_module
from typing import Any, NoReturn

import click

BAD_INPUT, FAULT = 2, 1
INTERRUPTED, NOBODY_READS = 128 + 2, 128 + 13  # as a shell reports SIGINT and SIGPIPE
_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")


class CarefulGroup(click.Group):
    """The commands, with every failure turned into one line and an exit status.

    `later` names, for commands that most runs have no use for, where each is: `module:function`. It is
    imported when it is asked for.
    """

    def __init__(self, *args: Any, later: Mapping[str, str] | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self._later = later or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self._later})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._later:
            return super().get_command(ctx, cmd_name)
        module, _, function = self._later[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), function)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # a terminal without our shapes still shows the words
                stream.reconfigure(errors="replace")
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except (click.exceptions.Exit, click.ClickException, click.Abort):
            raise
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            # What is still buffered goes nowhere, else the interpreter would complain on its way out.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(NOBODY_READS)
        except OSError as error:
            refuse([f"{error.filename or 'the output'}: {reason(error)}"], FAULT)
        except Exception as error:  # no traceback: it could carry patient data into a log
            refuse([_fault(error)], FAULT)


def _fault(error: Exception) -> str:
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f" in {place.tb_frame.f_globals.get('__name__')}, line {place.tb_lineno}" if place else ""
    return f"internal error: {type(error).__name__}{where}. This is no answer; report it"


def refuse(messages: list[str], status: int = BAD_INPUT) -> NoReturn:
    """One line on standard error for each thing that is wrong."""
    for message in messages:
        click.echo(f"dosegate: {clean(message)}", err=True)
    sys.exit(status)


def reason(error: OSError) -> str:
    """What the system says of a failure."""
    return os.strerror(error.errno) if error.errno else type(error).__name__


def clean(text: str) -> str:
    """The text without what a terminal would obey or hide: control, direction and line characters."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(each) in _UNSEEN else each for each in text
    )
