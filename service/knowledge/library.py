"""The library: every pack on the shelf, the vocabulary and the policy, read once at start."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from service.checklist.compiler import CannotCompile
from service.checklist.engine import Engine
from service.checklist.facts import Code, Vocabulary
from service.checklist.rules import Pack
from service.knowledge import review
from service.knowledge.code_builder import SCHEMAS, build_code_maps
from service.knowledge.code_maps import CodeMaps
from service.knowledge.grammar import SharedSchema
from service.knowledge.ledger import LedgerRow, read_ledger
from service.knowledge.packs import build_pack, digest_of, validated
from service.knowledge.problems import KnowledgeError, Mistake, Problem
from service.knowledge.strict_yaml import read
from service.knowledge.vocabulary import SitePolicy, build_policy, build_vocabulary
from service.knowledge.vocabulary_grammar import CodeListSchema, PolicySchema, VocabularySchema

# Of 200 names of other medicines none is this near to the name of a pack, and slips of one letter are.
# A wider net would take most other antibodies for slips.
NEAR = 0.82
FACTS, POLICY, SHARED, LEDGER = "facts.yaml", "policy.yaml", "shared.yaml", "ledger.csv"


class UnknownDrug(Exception):
    """No pack has this name. `near` are the packs whose names look like it, and their look-alikes."""

    def __init__(self, name: str, near: tuple[Pack, ...]) -> None:
        self.name, self.near = name, near
        super().__init__(name)


@dataclass(frozen=True)
class _Around:
    """What every pack is read with."""

    shared: Mapping[str, Any]
    vocabulary: Vocabulary
    policy: SitePolicy
    ledger: Mapping[str, LedgerRow]


@dataclass(frozen=True)
class Library:
    """What the service knows. `texts` are the files as read, by their path under `rules/`."""

    packs: Mapping[str, Pack]
    vocabulary: Vocabulary
    policy: SitePolicy
    ledger: Mapping[str, LedgerRow]
    texts: Mapping[str, str]

    @cached_property
    def code_maps(self) -> CodeMaps:
        """What codes of an EHR mean, read when first asked for. Raises KnowledgeError."""
        return build_code_maps(self.texts, self.vocabulary, self.packs.values())

    @cached_property
    def engines(self) -> dict[str, Engine]:
        """The engine of each pack, loaded when first asked for."""
        return {}

    def engine(self, pack: Pack) -> Engine:
        """The rules engine loaded with a pack."""
        if pack.id not in self.engines:
            self.engines[pack.id] = Engine(pack)
        return self.engines[pack.id]

    def find(self, name: str) -> Pack:
        """The pack of a drug by id, alias or brand in any case. Raises UnknownDrug; never corrects."""
        folded = name.strip().casefold()
        for pack in self.packs.values():
            if folded in pack.names:
                return pack
        known = {each: pack for pack in self.packs.values() for each in pack.names}
        near = dict.fromkeys(known[each] for each in get_close_matches(folded, known, n=6, cutoff=NEAR))
        others = (self.packs[id] for pack in near for id in pack.look_alikes if id in self.packs)
        raise UnknownDrug(name, tuple(dict.fromkeys([*near, *others])))

    def texts_of(self, pack: Pack) -> dict[str, str]:
        """The files that a pack is made of, and those of its look-alikes, which every result names.

        Enough to answer again as then, for ever.
        """
        codes = {name for name in self.texts if name.startswith("codes/")}
        drugs = {f"drugs/{name}.yaml" for name in (pack.id, *pack.look_alikes) if name in self.packs}
        names = {FACTS, SHARED, LEDGER, *codes, *drugs}
        return {name: self.texts[name] for name in sorted(names)}


def load_library(root: Path | None = None, policy: Path | None = None) -> Library:
    """Read `rules/` (or another folder of the same shape). Raises KnowledgeError naming every mistake."""
    folder: Traversable = root if root is not None else files("rules")
    texts = dict(_texts(folder))
    if policy is not None:
        texts[POLICY] = _text(policy, str(policy))
    return library_from(texts)


def _texts(folder: Traversable) -> list[tuple[str, str]]:
    found = []
    for name in (FACTS, POLICY, SHARED, LEDGER):
        found.append((name, _text(folder / name, f"rules/{name}")))
    for part in ("codes", "drugs"):
        shelf = folder / part
        if not shelf.is_dir():
            raise KnowledgeError([Problem(f"rules/{part}", 0, "", "this folder is missing")])
        names = sorted(each.name for each in shelf.iterdir() if each.name.endswith(".yaml"))
        found.extend((f"{part}/{name}", _text(shelf / name, f"rules/{part}/{name}")) for name in names)
    return found


def _text(file: Traversable, name: str) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise KnowledgeError([Problem(name, 0, "", f"cannot be read ({type(error).__name__})")]) from None


def library_from(texts: Mapping[str, str]) -> Library:
    """The library made of these files. Raises KnowledgeError naming every mistake."""
    code_lists: dict[str, Mapping[str, Code]] = {}
    for name in sorted(texts):
        if name.startswith("codes/") and name not in SCHEMAS:
            codes = validated(CodeListSchema(), read(texts[name], f"rules/{name}"))["codes"]
            code_lists[name[6:-5]] = {
                code: Code(each["label"], {"kind": each["kind"]}) for code, each in codes.items()
            }
    facts = read(texts[FACTS], f"rules/{FACTS}")
    rules_policy = read(texts[POLICY], f"rules/{POLICY}")
    shared = validated(SharedSchema(), read(texts[SHARED], f"rules/{SHARED}"))
    try:
        vocabulary = build_vocabulary(
            validated(VocabularySchema(), facts), code_lists, digest_of({FACTS: texts[FACTS]})
        )
    except Mistake as mistake:
        raise facts.error(mistake) from None
    try:
        policy = build_policy(validated(PolicySchema(), rules_policy), digest_of({POLICY: texts[POLICY]}))
    except Mistake as mistake:
        raise rules_policy.error(mistake) from None
    ledger = read_ledger(texts[LEDGER])
    around = _Around(shared, vocabulary, policy, ledger)
    packs: dict[str, Pack] = {}
    problems: list[Problem] = []
    for name in sorted(texts):
        if name.startswith("drugs/"):
            try:
                pack = _pack(name, texts, around)
                packs[pack.id] = pack
            except KnowledgeError as error:
                problems.extend(error.problems)
    if not problems:
        problems = review.across(packs)
    if problems:
        raise KnowledgeError(problems)
    return Library(packs, vocabulary, policy, ledger, dict(texts))


def _pack(name: str, texts: Mapping[str, str], around: _Around) -> Pack:
    document = read(texts[name], f"rules/{name}")
    used = {each: texts[each] for each in texts if each in (FACTS, SHARED) or each.startswith("codes/")}
    digest = digest_of({**used, name: texts[name]})
    pack = build_pack(document, around.shared, around.vocabulary, around.policy, digest)
    problems = review.alone(pack, document, around.ledger)
    if problems:
        raise KnowledgeError(problems)
    try:
        review.compiles(pack)
    except CannotCompile as error:
        raise KnowledgeError([Problem(document.file, 1, pack.id, str(error))]) from None
    return pack
