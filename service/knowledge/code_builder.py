"""The files of `rules/codes/` become code maps; every mistake in them is named with its file and line."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from marshmallow import Schema

from service.checklist.facts import FactDefinition, Vocabulary
from service.checklist.rules import Pack
from service.knowledge.check_digits import CHECKS
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
    address,
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
        self.texts = texts
        systems: dict[str, dict[str, Any]] = self._of("systems", "systems", {})
        self.systems = {name: each["uri"] for name, each in systems.items()}
        self.uris = self._addresses(systems)
        self.checks = {
            name: CHECKS[each["check_digit"]] for name, each in systems.items() if "check_digit" in each
        }

    def maps(self, packs: Iterable[Pack]) -> CodeMaps:
        answers = self._answers()
        self._check_answers(answers)
        results, tests = self._results()
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

    def _addresses(self, systems: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, each in systems.items():
            for uri in (each["uri"], *each["also"]):
                other = found.setdefault(address(uri), name)
                if other != name:
                    self._wrong("systems", ("systems", name), f"{uri} is an address of {other} already")
                    break
        return found

    def _wrong(self, file: str, path: Path, message: str) -> None:
        document = self.documents[f"codes/{file}.yaml"]
        self.problems.append(document.problem(path, message, ".".join(map(str, path[:2]))))

    def _coded(
        self, file: str, groups: Iterable[Mapping[str, Any]], path: Path
    ) -> Iterator[tuple[Key, Path, Mapping[str, Any]]]:
        """Every code of these groups, where it stands, and its group."""
        for place, group in enumerate(groups):
            system = group["system"]
            if system not in self.systems:
                near = did_you_mean(system, self.systems)
                said = f'"{system}" is not in rules/codes/systems.yaml.{near}'
                self._wrong(file, (*path, place, "system"), said)
            for code in group["codes"]:
                at = (*path, place, "codes", code)
                if system in self.checks and not self.checks[system](code):
                    said = f"the check digit of {code} is wrong: it is no code of {system}"
                    self._wrong(file, at, said)
                yield (system, code), at, group

    def _fact(self, file: str, name: str, path: Path) -> FactDefinition | None:
        if name in self.vocabulary:
            return self.vocabulary[name]
        near = did_you_mean(name, self.vocabulary.facts)
        self._wrong(file, path, f'"{name}" is not a fact of the vocabulary.{near}')
        return None

    def _results(self) -> tuple[dict[Key, Result], dict[str, Concept]]:
        results: dict[Key, Result] = {}
        tests: dict[str, Concept] = {}
        for name, each in self._of("results", "results", {}).items():
            path: Path = ("results", name)
            self._fact("results", name, path)
            result = Result(name, each.get("answers", QUALITATIVE), each.get("above_zero"))
            for key, at, group in self._coded("results", each["codes"], (*path, "codes")):
                system, code = key
                if key in results:
                    self._wrong("results", at, f"{code} is a code of {results[key].fact} already")
                results[key] = result
                if code == each.get("order"):
                    tests[name] = Concept(self.systems.get(system, ""), code, group["codes"][code])
            if "order" in each and name not in tests:
                self._wrong("results", (*path, "order"), "the test to order is one of the codes of the fact")
        return results, tests

    def _check_answers(self, answers: Mapping[str, Answers]) -> None:
        """Coded results are read by lists that have answers of theirs, and no others."""
        used: dict[str, set[str]] = {}
        for name, each in self._of("results", "results", {}).items():
            fact = self.vocabulary.facts.get(name)
            if fact is None or fact.type != "code":
                continue
            path, values = ("results", name), {*fact.values}
            by = each.get("answers", QUALITATIVE)
            used.setdefault(by, set()).update(values)
            if by not in answers:
                self._wrong("results", (*path, "answers"), f'"{by}" is not in rules/codes/answers.yaml')
            elif not values & answers[by].meanings:
                self._wrong("results", path, f"{name} has no answer of {by}")
            if each.get("above_zero", next(iter(values))) not in values:
                self._wrong("results", (*path, "above_zero"), f"{name} is never {each['above_zero']}")
        for by in used.keys() & answers.keys():
            for odd in sorted(answers[by].meanings - used[by]):
                self._wrong("answers", ("answers", by), f"nothing that is read by this list is ever {odd}")

    def _never_read(self, results: Mapping[Key, Result]) -> dict[Key, str]:
        found = {}
        for key, at, group in self._coded("results", self._of("results", "never_read", []), ("never_read",)):
            if key in results:
                self._wrong("results", at, f"{key[1]} is read as {results[key].fact}")
            found[key] = group["why"]
        return found

    def _answers(self) -> dict[str, Answers]:
        found = {}
        for name, each in self._of("answers", "answers", {}).items():
            codes: dict[Key, str] = {}
            for key, at, group in self._coded("answers", each["codes"], ("answers", name, "codes")):
                if codes.setdefault(key, group["means"]) != group["means"]:
                    self._wrong("answers", at, f"{key[1]} means two things")
            texts: dict[str, str] = {}
            for meaning, said in each["texts"].items():
                for text in said:
                    if texts.setdefault(folded(text), meaning) != meaning:
                        path = ("answers", name, "texts", meaning)
                        self._wrong("answers", path, f'"{text}" means two things')
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
        found: Coded[Statement] = Coded(about=lambda statement: statement.fact)
        for place, each in enumerate(self._of(file, "statements", [])):
            path: Path = ("statements", place)
            fact, value = self._fact(file, each["fact"], (*path, "fact")), each.get("value")
            if fact is not None and value is not None and value not in {*fact.values, *fact.words}:
                self._wrong(file, (*path, "value"), f"{fact.name} is never {value}")
            dated = each["date"] == "yes"
            if fact is not None and dated and fact.type != "date":
                self._wrong(file, (*path, "date"), f"{fact.name} is no date")
            said = Statement(each["fact"], each["while_"], value, dated, each.get("unreadable"))
            for key, at, group in self._coded(file, each["codes"], (*path, "codes")):
                children = group["children"] == "yes"
                others = (found.within if children else found.exact).get(key, ())
                if any((other.fact, other.period) == (said.fact, said.period) for other in others):
                    self._wrong(file, at, f"{key[1]} says something of {said.fact} already")
                found.add(key, said, children=children)
        return found

    def _medicines(self) -> tuple[Coded[Medicine], dict[str, tuple[Medicine, ...]]]:
        found: Coded[Medicine] = Coded()
        names: dict[str, tuple[Medicine, ...]] = {}
        for place, each in enumerate(self._of("medicines", "medicines", [])):
            path: Path = ("medicines", place)
            self._check_medicine(each, path)
            medicine = Medicine(each["name"], each["lists"], tuple(each["dates"]))
            for key, at, group in self._coded("medicines", each["codes"], (*path, "codes")):
                children = group["children"] == "yes"
                if other := (found.within if children else found.exact).get(key):
                    self._wrong("medicines", at, f"{key[1]} is a code of {other[0].name} already")
                found.add(key, medicine, children=children)
            for name in map(folded, each["names"]):
                names[name] = (*names.get(name, ()), medicine)
        return found, names

    def _check_medicine(self, medicine: Mapping[str, Any], path: Path) -> None:
        """Its lists are lists with such fields and values, its dates are dates."""
        for name, fields in medicine["lists"].items():
            at = (*path, "lists", name)
            fact = self._fact("medicines", name, at)
            if fact is None:
                continue
            if fact.type != "list":
                self._wrong("medicines", at, f"{name} is no list")
                continue
            for field, value in fields.items():
                if field not in fact.fields:
                    self._wrong("medicines", at, f"{name} has no field {field}")
                elif value not in fact.fields[field].values:
                    self._wrong("medicines", at, f"{field} is never {value}")
        for name in medicine["dates"]:
            fact = self._fact("medicines", name, (*path, "dates"))
            if fact is not None and fact.type != "date":
                self._wrong("medicines", (*path, "dates"), f"{name} is no date")

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
                    self.problems.append(self._in_pack(pack, code, said))
        return found

    def _in_pack(self, pack: Pack, code: str, message: str) -> Problem:
        """A mistake at a code of a pack, on the line that has the code."""
        file = f"drugs/{pack.id}.yaml"
        lines = enumerate(self.texts.get(file, "").splitlines(), 1)
        line = next((at for at, each in lines if "system:" in each and code in each), 0)
        return Problem(f"rules/{file}", line, "codes", message)
