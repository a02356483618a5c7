"""Reading the environment by a table of settings: every value, where it came from, and all that is wrong."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from environs import Env, EnvValidationError, ValidationError

from service.knowledge.problems import did_you_mean
from service.setting_values import line_of

_PREFIX, _FILE = "DOSEGATE_", "_FILE"
_LONGEST_LINE = 1000
# Kubernetes tells every container of each service beside it; one that is named dosegate is told of as this.
_KUBERNETES = "KUBERNETES_SERVICE_HOST"
_TOLD_BY_KUBERNETES = re.compile(
    r"DOSEGATE_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)"
)


class Kept(Enum):
    """Where a value stands: in the variable itself, in a file that a variable of its own names, or either."""

    IN_VARIABLE = "in the variable"
    IN_EITHER = "in the variable or in a file"
    IN_FILE = "in a file"


@dataclass(frozen=True)
class Setting:
    """One setting. `default` is as it would be typed, and empty where it may be left out.

    `read` makes the value of the text, or raises ValidationError with words that go on from the name.
    `longest_line` is how many characters a file of it may hold.
    """

    name: str
    meaning: str
    may_be: str
    read: Callable[[str], Any]
    default: str = ""
    example: str = ""
    secret: bool = False
    kept: Kept = Kept.IN_VARIABLE
    longest_line: int = _LONGEST_LINE

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that give it: its own, and the one that names a file."""
        own = () if self.kept is Kept.IN_FILE else (self.name,)
        return own if self.kept is Kept.IN_VARIABLE else (*own, f"{self.name}{_FILE}")

    @property
    def file_variable(self) -> str | None:
        """The variable that names a file that holds it, where there is one."""
        return None if self.kept is Kept.IN_VARIABLE else f"{self.name}{_FILE}"


@dataclass(frozen=True)
class Reading:
    """What was found: values by the settings' names, None for one that is not set or cannot be used.

    `origins` say where those that are `given` came from; `problems` are all that is wrong, a line each.
    """

    values: dict[str, Any]
    origins: dict[str, str]
    problems: tuple[str, ...]

    @property
    def given(self) -> frozenset[str]:
        """The settings that somebody has set, right or wrong."""
        return frozenset(self.origins)


def read(table: Iterable[Setting]) -> Reading:
    """The settings of this process."""
    table = tuple(table)
    env = Env(eager=False, expand_vars=False)
    env.add_parser("value", _value)
    env.add_parser("value_in_file", _value_in_file)
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for each in table:
        file = each.file_variable
        if file and (each.kept is Kept.IN_FILE or os.environ.get(file)):
            values[each.name] = env.value_in_file(file, "", setting=each)
            origin = f"the file that {file} names"
        else:
            file, origin = each.name, "the environment"
            values[each.name] = env.value(each.name, each.default, setting=each)
        if os.environ.get(file):
            origins[each.name] = origin
    problems = list(_unknown(table))
    try:
        env.seal()
    except EnvValidationError as error:
        found = error.error_messages
        assert isinstance(found, Mapping)  # it is a list where one variable is read at a time
        problems += [f"{variable} {message}" for variable, messages in found.items() for message in messages]
    return Reading(values, origins, tuple(problems))


def _value(text: str, *, setting: Setting) -> Any:
    return setting.read(text) if text or setting.default else None


def _value_in_file(name: str, *, setting: Setting) -> Any:
    if not name:
        return None
    if setting.kept is Kept.IN_EITHER and os.environ.get(setting.name):
        raise ValidationError(f"is set, and so is {setting.name}: unset one of the two")
    line = line_of(Path(name), setting.longest_line)
    try:
        return setting.read(line)
    except ValidationError as error:
        raise ValidationError(f"names {name}, whose line {error.messages[0]}") from None


def _unknown(table: tuple[Setting, ...]) -> Iterator[str]:
    """A line for each variable that looks like a setting and is none: it would be passed over in silence."""
    known = [variable for each in table for variable in each.variables]
    for name in sorted(os.environ):
        if not name.upper().startswith(_PREFIX) or name in known:
            continue
        if _KUBERNETES in os.environ and _TOLD_BY_KUBERNETES.fullmatch(name):
            continue
        near = did_you_mean(name.upper(), known)
        yield f"{name} is no setting of Dosegate; unset it, or write its name right.{near}"
