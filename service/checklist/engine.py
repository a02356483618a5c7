"""The only place that knows durable-rules. It decides; whoever asks compares its verdicts with the trace's.

The C module's calls are used directly, without Host and without actions: one fact a rule set, drained to
the end, retracted. Anything out of the ordinary is an `EngineFault`, never an answer.
"""

import threading
from collections.abc import Sequence

import durable_rules_engine as durable
import orjson

from service.checklist.compiler import CERTAIN, POSSIBLE, SENTINEL, RuleSet, compile_pack
from service.checklist.measures import Scaled
from service.checklist.rules import Pack
from service.checklist.truth import FALSE, TRUE, UNKNOWN, Truth

_ONE_SESSION = "1"
_lock = threading.Lock()
_PREFIX = 2


class EngineFault(Exception):
    """The engine failed or contradicted itself; the only safe answer is to hold the infusion."""


class Engine:
    """A pack's rule sets, loaded into durable-rules for as long as this object lives."""

    def __init__(self, pack: Pack) -> None:
        """Compile and load. Raises CannotCompile, or EngineFault where the engine refuses a definition."""
        self._sets = compile_pack(pack)
        self._handles = [_load(rule_set) for rule_set in self._sets]

    def close(self) -> None:
        """Unload the rule sets."""
        with _lock:
            while self._handles:
                durable.delete_ruleset(self._handles.pop())

    def decide(self, values: Sequence[Scaled]) -> dict[str, Truth]:
        """The truth of every rule's concern by its id, given the measured values.

        Raises EngineFault when the engine fails, leaves a message unhandled or contradicts itself.
        """
        verdicts: dict[str, Truth] = {}
        with _lock:
            if len(self._handles) != len(self._sets):
                raise EngineFault("the engine is closed")
            for place, rule_set in enumerate(self._sets):
                fired = self._run(rule_set, place, values)
                certain = {rule for rule, bound in fired if bound == CERTAIN}
                possible = {rule for rule, bound in fired if bound == POSSIBLE}
                if not certain <= possible:
                    raise EngineFault("a rule that certainly holds was not found possible")
                for rule in rule_set.rules:
                    verdicts[rule.id] = (
                        TRUE if rule.id in certain else UNKNOWN if rule.id in possible else FALSE
                    )
        return verdicts

    def _run(self, rule_set: RuleSet, place: int, values: Sequence[Scaled]) -> set[tuple[str, str]]:
        message: dict[str, Scaled] = {"sid": _ONE_SESSION, "k": "f"}
        for key in rule_set.keys:
            value = values[key]
            if value is not None:
                message[f"v{key}"] = value
        handle = self._handles[place]
        text = orjson.dumps(message).decode()
        names: list[str] = []
        try:
            code, state = durable.assert_fact(handle, text)
            match = durable.start_action_for_state(handle, state)
            found = match[1] if match else None
            while found is not None:
                names.append(found[_PREFIX : found.index('"', _PREFIX)])
                found = durable.complete_and_start_action(handle, state)
            retracted, _ = durable.retract_fact(handle, text)
            if code or retracted or SENTINEL not in names:
                raise EngineFault(f"{rule_set.name}: codes {code} and {retracted}, {len(names)} matches")
        except BaseException as error:
            # What the broken session holds must not meet the next patient, and deleting it can crash the
            # process: the rules are loaded anew, the old ones left alone.
            self._handles[place] = _load(rule_set)
            if isinstance(error, durable.error):
                raise EngineFault(f"{rule_set.name}: {error}") from None
            raise
        try:
            return {rule_set.productions[name] for name in names if name != SENTINEL}
        except KeyError:
            raise EngineFault(f"{rule_set.name}: an unknown production fired") from None


def _load(rule_set: RuleSet) -> int:
    try:
        handle: int = durable.create_ruleset(rule_set.name, orjson.dumps(rule_set.definition).decode())
    except durable.error as error:
        raise EngineFault(f"{rule_set.name} was refused by the engine: {error}") from error
    return handle
