"""Rule files as plain data, with everything shared or repeated written out.

Every scalar stays the text that stands in the file; whoever needs a number makes one.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

VERBS = ("block_if", "warn_if", "block_unless", "warn_unless")
PLACEHOLDER = re.compile(r"\$([a-z_]+)")


class TextLoader(yaml.BaseLoader):
    """Mappings, lists and texts, nothing else. A key that stands twice is an error."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"a key stands twice: {node.start_mark}"
        return super().construct_mapping(node, deep=True)


def read(path: Path) -> Any:
    return yaml.load(path.read_text("utf-8"), TextLoader)


@dataclass(frozen=True)
class Rule:
    """What must hold for the rule to speak (`narrowed`), and what it speaks about (`about`)."""

    name: str
    narrowed: tuple[dict[str, Any], ...]
    about: dict[str, Any]
    unless: bool


@dataclass(frozen=True)
class RuleBook:
    """One drug's rules, and all that their words refer to."""

    rules: tuple[Rule, ...]
    facts: dict[str, Any]
    codes: dict[str, Any]
    policy: dict[str, Any]
    quantities: dict[str, Any]
    sets: dict[str, set[str]]


def open_book(folder: Path, drug: str) -> RuleBook:
    """The rules of one drug in a folder of rule files."""
    shared = read(folder / "shared.yaml") or {}
    pack = read(folder / "drugs" / f"{drug}.yaml")
    definitions = shared.get("definitions", {})
    names = [pack["drug"], pack["title"], *pack.get("aliases", []), *pack["brands"]]
    sets = {name: each["words"] for name, each in shared.get("sets", {}).items()}
    sets |= {"this_drug": names, "excipients": pack["excipients"]}
    quantities = {**shared.get("quantities", {}), **pack.get("quantities", {})}
    return RuleBook(
        rules=tuple(rules_of(pack, definitions)),
        facts=read(folder / "facts.yaml")["facts"],
        codes=dict(code_lists(folder)),
        policy=read(folder / "policy.yaml")["policy"],
        quantities={name: spelled_out(each["is"], definitions) for name, each in quantities.items()},
        sets={name: {word.casefold() for word in words} for name, words in sets.items()},
    )


def code_lists(folder):
    """The lists of codes that facts name; the other files there tell how an EHR is read."""
    for path in (folder / "codes").glob("*.yaml"):
        if "codes" in (document := read(path)):
            yield path.stem, document["codes"]


def rules_of(pack, definitions):
    for check in pack["checks"].values():
        for name, body in check["rules"].items():
            for rule, whole in repeated(name, body):
                [verb] = [verb for verb in VERBS if verb in whole]
                narrowed = [spelled_out(each, definitions) for each in (*narrowing(check), *narrowing(whole))]
                about = spelled_out(whole[verb], definitions)
                yield Rule(rule, tuple(narrowed), about, verb.endswith("unless"))


def repeated(name, body):
    """The rule itself, or one for each set of arguments, named after the first argument."""
    if "for_each" not in body:
        yield name, body
        return
    for arguments in body["for_each"]:
        first = next(iter(arguments.values()))
        rest = {key: each for key, each in body.items() if key != "for_each"}
        yield f"{name}-{first.replace('_', '-')}", filled(rest, arguments)


def narrowing(body):
    if "regions" in body:
        yield {"region": {"is_one_of": body["regions"]}}
    if "applies_if" in body:
        yield body["applies_if"]


def filled(tree, arguments):
    """The tree with every `$name` replaced by its argument."""
    if isinstance(tree, dict):
        return {key: filled(each, arguments) for key, each in tree.items()}
    if isinstance(tree, list):
        return [filled(each, arguments) for each in tree]
    whole = PLACEHOLDER.fullmatch(tree)
    if whole:
        return arguments[whole[1]]
    return PLACEHOLDER.sub(lambda found: arguments[found[1]].replace("_", " "), tree)


def spelled_out(tree, definitions):
    """The tree with every use of a definition replaced by what it means."""
    if isinstance(tree, list):
        return [spelled_out(each, definitions) for each in tree]
    if not isinstance(tree, dict):
        return tree
    if isinstance(tree.get("use"), str):
        means = definitions[tree["use"]]["means"]
        return spelled_out(filled(means, tree.get("with", {})), definitions)
    return {key: spelled_out(each, definitions) for key, each in tree.items()}
