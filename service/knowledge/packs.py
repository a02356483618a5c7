"""One drug's file becomes a pack: its rules compiled into conditions, its citations resolved."""

import functools
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import Schema, ValidationError

from service.checklist.conditions import AllOf, Condition, Not, Recorded
from service.checklist.facts import Vocabulary
from service.checklist.rules import (
    Check,
    Citation,
    Conflict,
    DoubleCheck,
    IfUnknown,
    Kind,
    NotChecked,
    Note,
    Observation,
    Override,
    Pack,
    Rule,
    Source,
    Status,
)
from service.checklist.truth import FALSE, TRUE
from service.knowledge.grammar import VERBS, PackSchema, RuleSchema
from service.knowledge.language import Path, Scope, filled_in, read_condition
from service.knowledge.problems import KnowledgeError, Mistake, did_you_mean
from service.knowledge.strict_yaml import Document
from service.knowledge.vocabulary import SitePolicy

_RULE = RuleSchema()


def validated(schema: Schema, document: Document, data: Any = None, path: Path = ()) -> dict[str, Any]:
    """The document by its schema; KnowledgeError with the line of every mistake."""
    try:
        return dict(schema.load(document.data if data is None else data))
    except ValidationError as error:
        raise KnowledgeError(
            [document.problem(at, message, _place(at)) for at, message in _flat(error.messages, path, schema)]
        ) from None


def _flat(messages: Any, path: Path, schema: Schema) -> list[tuple[Path, str]]:
    if isinstance(messages, list):
        return [(path, _clear(str(message), path, schema)) for message in messages]
    found: list[tuple[Path, str]] = []
    for key, each in messages.items():
        inner = path if key == "_schema" else (*path, key)
        if key == "value" or (key == "key" and isinstance(each, list)):
            inner = path  # marshmallow's own words for the two sides of a mapping
        found.extend(_flat(each, inner, schema))
    return found


def _clear(message: str, path: Path, schema: Schema) -> str:
    if message == "Unknown field." and "if_unknown" in path:
        return f'"{path[-1]}" is no answer to the unknown: say block or warn, and what to do; never pass'
    if message == "Unknown field.":
        known = [field.data_key or name for name, field in schema.fields.items()]
        return f'"{path[-1]}" is not a key that belongs here.{did_you_mean(str(path[-1]), known)}'
    return "this must be given" if message == "Missing data for required field." else message


def _place(path: Path) -> str:
    """The rule (or the nearest name) that a path is about."""
    words = [str(each) for each in path]
    return words[words.index("rules") + 1] if "rules" in words[:-1] else ".".join(words)


def build_pack(
    document: Document,
    shared: Mapping[str, Any],
    vocabulary: Vocabulary,
    policy: SitePolicy,
    digest: str,
) -> Pack:
    """The pack of a drug's file. Raises KnowledgeError."""
    data = validated(PackSchema(), document)
    names = [data["drug"], data["title"], *data["aliases"], *data["brands"]]
    sets = {name: frozenset(map(str.casefold, each["words"])) for name, each in shared["sets"].items()}
    sets["this_drug"] = frozenset(map(str.casefold, names))
    sets["excipients"] = frozenset(map(str.casefold, data["excipients"]))
    quantities = {name: dict(each) for name, each in {**shared["quantities"], **data["quantities"]}.items()}
    scope = Scope(vocabulary, policy, sets, quantities, shared["definitions"])
    return _Builder(document, data, scope).pack(digest)


class _Builder:
    def __init__(self, document: Document, data: dict[str, Any], scope: Scope) -> None:
        self.document, self.data, self.scope = document, data, scope
        self.sources = {
            name: Source(name, each["title"], each["revised"], each["grade"], each.get("region"))
            for name, each in data["sources"].items()
        }

    def pack(self, digest: str) -> Pack:
        data = self.data
        checks = tuple(self._check(name, each) for name, each in data["checks"].items())
        observations = tuple(
            self._observation(each, ("observation", place)) for place, each in enumerate(data["observation"])
        )
        unused = [name for name in data["quantities"] if name not in self.scope.named]
        if unused:
            raise KnowledgeError(
                [self.document.problem(("quantities", name), "no rule uses this quantity") for name in unused]
            )
        return Pack(
            id=data["drug"],
            title=data["title"],
            brands=tuple(data["brands"]),
            aliases=tuple(data["aliases"]),
            drug_class=data["class_"],
            excipients=tuple(data["excipients"]),
            regions=tuple(data["regions"]),
            version=data["version"],
            status=data["status"],
            owner=data["owner"],
            review_by=data["review_by"],
            released=data.get("released"),
            developer=data.get("developer"),
            funding=data.get("funding"),
            sources=self.sources,
            checks=checks,
            observations=observations,
            double_check=self._double_check(),
            conflicts=tuple(
                Conflict(each["about"], each["says"], each["chosen"], each["why"])
                for each in data["conflicts"]
            ),
            not_checked=tuple(
                NotChecked(row, each["reason"], each.get("used_in"), each["part"] == "yes")
                for row, each in data["not_checked"].items()
            ),
            look_alikes=tuple(data["look_alikes"]),
            codes=tuple((each["system"], each["code"]) for each in data["codes"]),
            measures=tuple(self.scope.measures.values()),
            places=self.scope.places,
            vocabulary=self.scope.vocabulary,
            digest=digest,
        )

    def _check(self, name: str, spec: dict[str, Any]) -> Check:
        path: Path = ("checks", name)
        applies = self._narrowed(spec, path)
        if applies is not None and not spec.get("not_applicable"):
            raise self.document.error(
                Mistake(path, "a check with applies_if or regions says not_applicable"), name
            )
        rules: list[Rule] = []
        for rule, raw in spec["rules"].items():
            rules.extend(self._rules(rule, raw, name, applies, (*path, "rules", rule)))
        if not rules:
            raise self.document.error(Mistake((*path, "rules"), "a check needs a rule"), name)
        return Check(
            name, spec["title"], spec["nothing_found"], tuple(rules), applies, spec.get("not_applicable", "")
        )

    def _rules(self, name: str, raw: Any, check: str, applies: Condition | None, path: Path) -> list[Rule]:
        if not isinstance(raw, dict):
            raise self.document.error(Mistake(path, "a rule is a mapping"), name)
        body = {key: each for key, each in raw.items() if key != "for_each"}
        if "for_each" not in raw:
            return [self._rule(name, body, check, applies, path)]
        rules = []
        for arguments in raw["for_each"]:
            try:
                filled = filled_in(body, arguments, path)
            except Mistake as mistake:
                raise self.document.error(mistake, name) from None
            suffix = str(next(iter(arguments.values()))).replace("_", "-")
            rules.append(self._rule(f"{name}-{suffix}", filled, check, applies, path))
        return rules

    def _rule(
        self, name: str, body: dict[str, Any], check: str, applies: Condition | None, path: Path
    ) -> Rule:
        spec = validated(_RULE, self.document, body, path)
        verb = next(verb for verb in VERBS if verb in spec)
        status = Status.BLOCK if verb.startswith("block") else Status.WARN
        unless = verb.endswith("unless")
        narrowed = self._narrowed(spec, path, name)
        core = self._condition(spec[verb], (*path, verb), name, against=FALSE if unless else TRUE)
        core = Not(core) if unless else core
        parts = [part for part in (applies, narrowed, core) if part is not None]
        concern = parts[0] if len(parts) == 1 else AllOf(tuple(parts))
        override = Override(spec["override"]) if "override" in spec else None
        return Rule(
            id=name,
            check=check,
            status=status,
            kind=Kind(spec["kind"]),
            concern=concern,
            message=spec["because"],
            action=spec["do"],
            if_unknown=self._if_unknown(spec, concern, status, path, name),
            override=override or (Override.PRESCRIBER if status is Status.BLOCK else Override.ACKNOWLEDGE),
            citations=self._citations(spec["cites"], path, name),
            unverified=spec["unverified"] == "yes",
            notes=tuple(
                Note(Recorded(self._condition(each["when"], (*path, "notes", place), name)), each["say"])
                for place, each in enumerate(spec["notes"])
            ),
            applies=narrowed,
            silent_policies=tuple(sorted(set(_silent_policies(concern)))),
        )

    def _if_unknown(
        self, spec: dict[str, Any], concern: Condition, status: Status, path: Path, name: str
    ) -> IfUnknown | None:
        answer = spec.get("if_unknown")
        if not may_be_unknown(concern):
            if answer is not None:
                mistake = Mistake(
                    (*path, "if_unknown"), "this rule can always be decided: leave if_unknown out"
                )
                raise self.document.error(mistake, name)
            return None
        if answer is None:
            raise self.document.error(
                Mistake(path, "if_unknown is missing: say block or warn, and what to do"), name
            )
        word, action = next(iter(answer.items()))
        if word == "block" and status is Status.WARN:
            mistake = Mistake((*path, "if_unknown"), "an unknown is never stricter than the rule itself")
            raise self.document.error(mistake, name)
        return IfUnknown(Status.BLOCK if word == "block" else Status.WARN, action)

    def _narrowed(self, spec: dict[str, Any], path: Path, place: str = "") -> Condition | None:
        parts = []
        if spec.get("regions"):
            tree = {"region": {"is_one_of": spec["regions"]}}
            parts.append(self._condition(tree, (*path, "regions"), place))
        if spec.get("applies_if"):
            parts.append(self._condition(spec["applies_if"], (*path, "applies_if"), place))
        return AllOf(tuple(parts)) if len(parts) > 1 else parts[0] if parts else None

    def _condition(self, tree: Any, path: Path, place: str, against: Any = TRUE) -> Condition:
        try:
            return read_condition(tree, self.scope, path, against)
        except Mistake as mistake:
            raise self.document.error(mistake, place or _place(mistake.path)) from None

    def _citations(self, cites: list[dict[str, Any]], path: Path, place: str) -> tuple[Citation, ...]:
        found = []
        for number, each in enumerate(cites):
            source = self.sources.get(each["source"])
            if source is None:
                near = did_you_mean(each["source"], self.sources)
                mistake = Mistake((*path, "cites", number), f'there is no source "{each["source"]}".{near}')
                raise self.document.error(mistake, place)
            found.append(Citation(source, each["at"], tuple(each["ledger"])))
        return tuple(found)

    def _observation(self, spec: dict[str, Any], path: Path) -> Observation:
        when = self._condition(spec["when"], (*path, "when"), "observation") if "when" in spec else None
        return Observation(
            spec["minutes_after"], when, spec["say"], self._citations(spec["cites"], path, "observation")
        )

    def _double_check(self) -> DoubleCheck | None:
        spec = self.data.get("independent_double_check")
        if spec is None:
            return None
        name, known = "independent_double_check", self.scope.vocabulary.facts
        for place, fact in enumerate(spec["facts"]):
            path: Path = (name, "facts", place)
            if fact not in known:
                said = f'the fact "{fact}" is not in rules/facts.yaml.{did_you_mean(fact, known)}'
                raise self.document.error(Mistake(path, said), name)
            if fact in spec["facts"][:place]:
                raise self.document.error(Mistake(path, "this fact stands twice"), name)
        citations = self._citations(spec["cites"], (name,), name)
        return DoubleCheck(tuple(spec["facts"]), spec["because"], citations)


def may_be_unknown(condition: Condition) -> bool:
    """Whether a condition can be undecided: not where everything in it is on record or always known."""
    if isinstance(condition, Recorded):
        return False
    if condition.parts:
        return any(may_be_unknown(part) for part in condition.parts)
    return any(True for _ in condition.facts()) or any(
        True
        for criterion in condition.criteria()
        for term in criterion.measure.terms()
        for _ in term.policies()
    )


def _silent_policies(condition: Condition, *, recorded: bool = False) -> Iterator[str]:
    recorded = recorded or isinstance(condition, Recorded)
    for part in condition.parts:
        yield from _silent_policies(part, recorded=recorded)
    if recorded and not condition.parts:
        for criterion in condition.criteria():
            for term in criterion.measure.terms():
                yield from term.policies()


def digest_of(texts: Mapping[str, str]) -> str:
    """The digest of the files that a pack is made of."""
    return _digest_of(tuple(sorted(texts.items())))


@functools.lru_cache(maxsize=16)  # the same files are asked for with every application and announcement
def _digest_of(texts: tuple[tuple[str, str], ...]) -> str:
    canonical = json.dumps(dict(texts), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()
