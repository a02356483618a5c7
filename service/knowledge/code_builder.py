"""The files of `rules/codes/` become code maps; every mistake in them is named with its file and line."""

from collections.abc import Iterable, Mapping
from typing import Any

from marshmallow import Schema

from service.checklist.facts import FactDefinition, Vocabulary
from service.checklist.rules import Pack
from service.knowledge.code_grammar import (
    AnswerListsSchema,
    MedicinesSchema,
    ResultsSchema,
    StatementsSchema,
    SystemsSchema,
    UnitsSchema,
)
from service.knowledge.code_maps import (
    QUALITATIVE,
    Answers,
    Coded,
    CodeMaps,
    Concept,
    Key,
    Medicine,
    Result,
    Statement,
    folded,
)
from service.knowledge.language import Path
from service.knowledge.packs import validated
from service.knowledge.problems import KnowledgeError, Problem, did_you_mean
from service.knowledge.strict_yaml import Document, read

SCHEMAS: Mapping[str, type[Schema]] = {
    "codes/systems.yaml": SystemsSchema,
    "codes/results.yaml": ResultsSchema,
    "codes/answers.yaml": AnswerListsSchema,
    "codes/units.yaml": UnitsSchema,
    "codes/conditions.yaml": StatementsSchema,
    "codes/procedures.yaml": StatementsSchema,
    "codes/medicines.yaml": MedicinesSchema,
}


def build_code_maps(texts: Mapping[str, str], vocabulary: Vocabulary, packs: Iterable[Pack] = ()) -> CodeMaps:
    """The maps of these files; a missing one maps nothing. Raises KnowledgeError naming every mistake."""
    return _Builder(texts, vocabulary).maps(packs)


def check_digit_fits(code: str) -> bool:
    """Whether the digit behind the dash is the one of LOINC codes (mod 10, as of credit cards)."""
    body, dash, digit = code.rpartition("-")
    if not (dash and body.isascii() and body.isdigit() and len(digit) == 1 and digit.isdigit()):
        return False
    total = 0
    for place, each in enumerate(reversed(body)):
        doubled = int(each) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return (10 - total % 10) % 10 == int(digit)


class _Builder:
    def __init__(self, texts: Mapping[str, str], vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.problems: list[Problem] = []
        self.documents: dict[str, Document] = {}
        self.data: dict[str, dict[str, Any]] = {}
        for name, schema in SCHEMAS.items():
            if name in texts:
                document = self.documents[name] = read(texts[name], f"rules/{name}")
                self.data[name] = validated(schema(), document)
        systems: dict[str, dict[str, Any]] = self._of("systems", "systems", {})
        self.systems = {name: each["uri"] for name, each in systems.items()}
        self.uris = {
            uri: name
            for name, each in systems.items()
            for uri in (each["uri"], *each["also"], each["uri"] + "/")
        }
        self.checked = {name for name, each in systems.items() if "check_digit" in each}

    def maps(self, packs: Iterable[Pack]) -> CodeMaps:
        answers = self._answers()
        results, tests = self._results(answers)
        medicines, names = self._medicines()
        found = CodeMaps(
            systems=self.systems,
            uris=self.uris,
            results=results,
            never_read=self._never_read(results),
            tests=tests,
            answers=answers,
            spelled=self._spelled(),
            conditions=self._statements("conditions"),
            procedures=self._statements("procedures"),
            medicines=medicines,
            medicine_names=names,
            drugs=self._drugs(packs),
        )
        if self.problems:
            raise KnowledgeError(self.problems)
        return found

    def _of(self, file: str, key: str, nothing: Any) -> Any:
        return self.data.get(f"codes/{file}.yaml", {}).get(key, nothing)

    def _wrong(self, file: str, path: Path, message: str) -> None:
        document = self.documents[f"codes/{file}.yaml"]
        self.problems.append(document.problem(path, message, ".".join(map(str, path[:2]))))

    def _key(self, file: str, coded: Mapping[str, str], path: Path) -> Key:
        system, code = coded["system"], coded["code"]
        if system not in self.systems:
            near = did_you_mean(system, self.systems)
            self._wrong(file, (*path, "system"), f'"{system}" is not in rules/codes/systems.yaml.{near}')
        elif system in self.checked and not code.startswith("LA") and not check_digit_fits(code):
            self._wrong(
                file, (*path, "code"), f"the check digit of {code} is wrong: it is no code of {system}"
            )
        return system, code

    def _fact(self, file: str, name: str, path: Path) -> FactDefinition | None:
        if name in self.vocabulary:
            return self.vocabulary[name]
        near = did_you_mean(name, self.vocabulary.facts)
        self._wrong(file, path, f'"{name}" is not a fact of the vocabulary.{near}')
        return None

    def _results(self, answers: Mapping[str, Answers]) -> tuple[dict[Key, Result], dict[str, Concept]]:
        results: dict[Key, Result] = {}
        tests: dict[str, Concept] = {}
        for name, each in self._of("results", "results", {}).items():
            path: Path = ("results", name)
            fact = self._fact("results", name, path)
            result = Result(name, each.get("answers", QUALITATIVE), each.get("above_zero"))
            if fact is not None and fact.type == "code":
                self._check_answers(fact, result, answers, path)
            for place, coded in enumerate(each["codes"]):
                at = (*path, "codes", place)
                key = self._key("results", coded, at)
                if key in results:
                    self._wrong("results", at, f"{key[1]} is a code of {results[key].fact} already")
                results[key] = result
                if coded["code"] == each.get("order"):
                    tests[name] = Concept(self.systems.get(key[0], ""), key[1], coded["display"])
            if "order" in each and name not in tests:
                self._wrong("results", (*path, "order"), "the test to order is one of the codes of the fact")
        return results, tests

    def _check_answers(
        self, fact: FactDefinition, result: Result, answers: Mapping[str, Answers], path: Path
    ) -> None:
        known = answers.get(result.answers)
        if known is None:
            self._wrong("results", path, f'"{result.answers}" is not in rules/codes/answers.yaml')
            return
        meant = {*known.codes.values(), *known.texts.values()} | ({result.above_zero} - {None})
        if odd := meant - {*fact.values}:
            self._wrong("results", path, f"{fact.name} is never {' or '.join(sorted(map(str, odd)))}")

    def _never_read(self, results: Mapping[Key, Result]) -> dict[Key, str]:
        found = {}
        for place, each in enumerate(self._of("results", "never_read", [])):
            key = self._key("results", each, ("never_read", place))
            if key in results:
                self._wrong("results", ("never_read", place), f"{key[1]} is read as {results[key].fact}")
            found[key] = each["why"]
        return found

    def _answers(self) -> dict[str, Answers]:
        found = {}
        for name, each in self._of("answers", "answers", {}).items():
            codes: dict[Key, str] = {}
            for place, coded in enumerate(each["codes"]):
                path = ("answers", name, "codes", place)
                key = self._key("answers", coded, path)
                if codes.setdefault(key, coded["means"]) != coded["means"]:
                    self._wrong("answers", path, f"{key[1]} means two things")
            texts: dict[str, str] = {}
            for meaning, said in each["texts"].items():
                for text in said:
                    if texts.setdefault(folded(text), meaning) != meaning:
                        self._wrong("answers", ("answers", name, "texts"), f'"{text}" means two things')
            found[name] = Answers(codes, texts)
        return found

    def _spelled(self) -> dict[str, str]:
        known = {unit for fact in self.vocabulary.facts.values() for unit in fact.units}
        found: dict[str, str] = {}
        for unit, spellings in self._of("units", "units", {}).items():
            if unit not in known:
                self._wrong("units", ("units", unit), f'"{unit}" is not a unit of the vocabulary')
            for spelling in spellings:
                if spelling in known or found.setdefault(spelling, unit) != unit:
                    self._wrong("units", ("units", unit), f'"{spelling}" is a unit already')
        return found

    def _statements(self, file: str) -> Coded[Statement]:
        found: Coded[Statement] = Coded()
        for place, each in enumerate(self._of(file, "statements", [])):
            path: Path = ("statements", place)
            fact, value = self._fact(file, each["fact"], (*path, "fact")), each.get("value")
            if fact is not None and value is not None and value not in {*fact.values, *fact.words}:
                self._wrong(file, (*path, "value"), f"{fact.name} is never {value}")
            dated = each["date"] == "yes"
            if fact is not None and dated and fact.type != "date":
                self._wrong(file, (*path, "date"), f"{fact.name} is no date")
            said = Statement(each["fact"], each["while_"], value, dated, each.get("unreadable"))
            for number, coded in enumerate(each["codes"]):
                key = self._key(file, coded, (*path, "codes", number))
                found.add(key, said, children=coded["children"] == "yes")
        return found

    def _medicines(self) -> tuple[Coded[Medicine], dict[str, tuple[Medicine, ...]]]:
        found: Coded[Medicine] = Coded()
        names: dict[str, tuple[Medicine, ...]] = {}
        for place, each in enumerate(self._of("medicines", "medicines", [])):
            path: Path = ("medicines", place)
            for name, fields in each["lists"].items():
                fact = self._fact("medicines", name, (*path, "lists", name))
                if fact is not None and not fields.keys() <= fact.fields.keys():
                    self._wrong("medicines", (*path, "lists", name), f"{name} has no such field")
            for name in each["dates"]:
                self._fact("medicines", name, (*path, "dates"))
            medicine = Medicine(each["name"], each["lists"], tuple(each["dates"]))
            for number, coded in enumerate(each["codes"]):
                key = self._key("medicines", coded, (*path, "codes", number))
                found.add(key, medicine, children=coded["children"] == "yes")
            for name in map(folded, each["names"]):
                names[name] = (*names.get(name, ()), medicine)
        return found, names

    def _drugs(self, packs: Iterable[Pack]) -> dict[Key, str]:
        found: dict[Key, str] = {}
        for pack in packs:
            for key in pack.codes:
                system, code = key
                said = None
                if system not in self.systems:
                    said = f'"{system}" is not in rules/codes/systems.yaml'
                elif found.setdefault(key, pack.id) != pack.id:
                    said = f"{code} is a code of {found[key]} already"
                if said:
                    self.problems.append(Problem(f"rules/drugs/{pack.id}.yaml", 0, "codes", said))
        return found
