"""`--rules` and `--policy`: the options of every command that works with the rules on disk."""

import functools
import gc
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from service.terminal.failures import refuse

if TYPE_CHECKING:
    from service.knowledge.library import Library

Command = Callable[..., None]


def with_rules(command: Command) -> Command:
    """`--rules` and `--policy`, for a command that is given the library made of them."""

    @functools.wraps(command)
    def with_library(*args: Any, rules: Path | None, policy: Path | None, **options: Any) -> None:
        command(*args, library=_library(rules, policy), **options)

    return _options(with_library, rules_from="DOSEGATE_RULES", policy_from="DOSEGATE_POLICY")


def rules_options(command: Command) -> Command:
    """`--rules` and `--policy`, for a command that reads all settings: what is wrong is said at once."""
    return _options(command)


def _options(command: Command, rules_from: str | None = None, policy_from: str | None = None) -> Command:
    folder = click.Path(exists=True, file_okay=False, path_type=Path)
    file = click.Path(exists=True, dir_okay=False, path_type=Path)
    command = click.option(
        "--policy",
        type=file,
        envvar=policy_from,
        help="The site's policy, instead of the one among the rules.",
    )(command)
    return click.option(
        "--rules",
        type=folder,
        envvar=rules_from,
        help="A folder of rules, instead of those that are shipped.",
    )(command)


def _library(rules: Path | None, policy: Path | None) -> "Library":
    gc.disable()  # what is read now stays: to look for garbage in it would take a sixth of the start
    from service.knowledge.library import load_library  # noqa: PLC0415
    from service.knowledge.problems import KnowledgeError  # noqa: PLC0415

    try:
        return load_library(rules, policy)
    except KnowledgeError as error:
        refuse([str(problem) for problem in error.problems])
    finally:
        gc.freeze()
        gc.enable()
