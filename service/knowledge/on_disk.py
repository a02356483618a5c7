"""The rules as they lie on disk, while those that were read before are in force.

Whoever writes files there changes no answer. Whether what lies there now could be used is found out at once,
so that a mistake is known before anybody lets these rules take force.
"""

from collections.abc import Callable
from enum import StrEnum
from importlib.resources import files
from pathlib import Path

from service.checklist.engine import EngineFault
from service.knowledge.library import Library
from service.knowledge.problems import KnowledgeError


class State(StrEnum):
    """What lies on disk is in force, waits to be read anew, or cannot be used."""

    IN_FORCE = "in_force"
    WAITING = "waiting"
    REFUSED = "refused"


class RulesOnDisk:
    """Looks at the files, and reads them once for each change.

    `state` is what was found last, and `mistakes` say why the rules are refused.
    """

    def __init__(self, rules: Path | None, policy: Path | None, load: Callable[[], Library]) -> None:
        """`load` reads the rules, and loads the engine with them. Raises what it raises."""
        self._folder = Path(str(files("rules"))) if rules is None else rules
        self._policy, self._load = policy, load
        self._judged = self._seen = self._signature()
        self.in_force = load()
        self.state, self.mistakes = State.IN_FORCE, tuple[str, ...]()

    def look(self) -> bool:
        """Whether there is news of them. What has changed since the last look may yet be half written."""
        before, self._seen = self._seen, self._signature()
        if self._seen == self._judged or self._seen != before:
            return False
        known = self.state, self.mistakes
        library = self.read()
        if library is not None:
            _unload(library)
        return (self.state, self.mistakes) != known

    def read(self) -> Library | None:
        """What lies there now; None where it cannot be used."""
        self._judged = self._seen = self._signature()
        try:
            library = self._load()
        except (KnowledgeError, EngineFault) as error:
            self.state, self.mistakes = State.REFUSED, tuple(str(error).splitlines())
        except Exception as error:  # nothing that lies on disk ends a service that has good rules
            self.state, self.mistakes = State.REFUSED, (f"reading them failed: {type(error).__name__}",)
        else:
            same = library.texts == self.in_force.texts
            self.state, self.mistakes = State.IN_FORCE if same else State.WAITING, ()
            return library
        return None

    def adopt(self, library: Library) -> None:
        """Put what was read in force."""
        _unload(self.in_force)
        self.in_force, self.state = library, State.IN_FORCE

    def _signature(self) -> dict[str, tuple[int, int, int]]:
        """What tells a file from another of its name, of every file that may be of the rules."""
        found = [each for kind in ("*.yaml", "*.csv") for each in self._folder.rglob(kind)]
        signature = {}
        for file in (*found, *([self._policy] if self._policy is not None else [])):
            try:
                stat = file.stat()
            except OSError:
                continue  # that it has gone tells as much
            signature[str(file)] = (stat.st_ino, stat.st_size, stat.st_ctime_ns)
        return signature


def _unload(library: Library) -> None:
    for engine in library.engines.values():
        engine.close()
