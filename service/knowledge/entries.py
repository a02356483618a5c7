"""List criteria in the rule language: `vaccinations: {any: {kind: {is: live}, on: {…}}}`."""

from typing import TYPE_CHECKING, Any

from service.checklist.facts import FieldDefinition
from service.checklist.lists import Entry, FieldTest, TimeTest
from service.checklist.operators import OPERATORS
from service.checklist.terms import Constant, Infusion, Term
from service.knowledge.phrases import say_amount
from service.knowledge.problems import Mistake, did_you_mean
from service.knowledge.quantities import is_date, read_term

if TYPE_CHECKING:
    from service.knowledge.language import Path, Scope

_MOMENTS = {"days_before": "days", "minutes_before": "minutes"}


def read_entry(fact: str, tree: Any, scope: "Scope", path: "Path") -> tuple[Entry, str]:
    """The entry looked for, and its words. Raises Mistake."""
    definition = scope.vocabulary.facts.get(fact)
    if definition is None or definition.type != "list":
        near = did_you_mean(fact, scope.vocabulary.facts)
        raise Mistake(path, f'there is no list fact "{fact}".{near}')
    if not isinstance(tree, dict):
        raise Mistake(path, "write any: {field: {operator: operand}}, or any: {} for any entry at all")
    fields = definition.fields or {
        "value": FieldDefinition("value", "code", definition.label, definition.values)
    }
    tests: list[FieldTest | TimeTest] = []
    for name, comparisons in tree.items():
        field = fields.get(name)
        if field is None:
            raise Mistake((*path, name), f'{fact} has no field "{name}".{did_you_mean(name, fields)}')
        tests.extend(_tests(field, comparisons, scope, (*path, name)))
    said = " and ".join(test.says for test in tests if test.says)
    return Entry(fact, tuple(tests)), f"entry{' whose ' + said if said else ''}"


def _tests(field: FieldDefinition, tree: Any, scope: "Scope", path: "Path") -> list[FieldTest | TimeTest]:
    if not isinstance(tree, dict) or not tree:
        raise Mistake(path, f"write {field.name}: {{operator: operand}}")
    moment = next((key for key in _MOMENTS if key in tree), None)
    if moment is not None:
        return _time_tests(field, moment, tree, scope, path)
    return [_field_test(field, key, operand, scope, (*path, key)) for key, operand in tree.items()]


def _field_test(field: FieldDefinition, key: str, operand: Any, scope: "Scope", path: "Path") -> FieldTest:
    if field.type in ("date", "time"):
        raise Mistake(path, f"{field.name} is a time: write days_before or minutes_before with a limit")
    if key in ("in", "not_in"):
        names = operand if isinstance(operand, list) else [operand]
        for name in names:
            if name not in scope.sets:
                raise Mistake(path, f'there is no set "{name}".{did_you_mean(name, scope.sets)}')
        words = frozenset(word for name in names for word in scope.sets[name])
        among = OPERATORS["is_one_of" if key == "in" else "is_none_of"]
        said = " or ".join(name.replace("_", " ") for name in names)
        return FieldTest(field.name, among, words, f"{field.label} {among.says} {said}", folded=True)
    operator = OPERATORS.get(key)
    if operator is None or operator.takes not in ("any", "codes"):
        raise Mistake(path, f'"{key}" does not compare a {field.type}.{did_you_mean(key, OPERATORS)}')
    given = operand if isinstance(operand, list) else [operand]
    for code in given:
        if field.values and code not in field.values:
            raise Mistake(path, f'"{code}" is not a value of {field.name}.{did_you_mean(code, field.values)}')
    value = frozenset(given) if isinstance(operand, list) else operand
    said = " or ".join(str(code) for code in given)
    return FieldTest(field.name, operator, value, f"{field.label} {operator.says} {said}")


def _time_tests(
    field: FieldDefinition, moment: str, tree: dict[str, Any], scope: "Scope", path: "Path"
) -> list[FieldTest | TimeTest]:
    unit = _MOMENTS[moment]
    to = read_term(tree[moment], scope, (*path, moment))
    if unit == "minutes" and not isinstance(to, Infusion):
        raise Mistake((*path, moment), "minutes are counted before the infusion")
    limits = [(key, each) for key, each in tree.items() if key != moment]
    said = _say_limits(field, limits, f"{unit} before {str(tree[moment]).replace('_', ' ')}", scope)
    if not limits:
        raise Mistake(path, f"give a limit beside {moment}, such as below: 28")
    if not is_date(to):
        raise Mistake((*path, moment), "this must be a date")
    if [key for key, _ in limits] == ["between"]:
        if not isinstance(limits[0][1], list) or len(limits[0][1]) != 2:
            raise Mistake((*path, "between"), "this takes two limits, both inclusive: [from, to]")
        limits = [("at_least", limits[0][1][0]), ("at_most", limits[0][1][1])]
    tests: list[FieldTest | TimeTest] = []
    for key, operand in limits:
        operator = OPERATORS.get(key)
        if operator is None or operator.takes == "codes" or operator.takes in ("entries", "nothing"):
            raise Mistake((*path, key), f'"{key}" does not compare a number.{did_you_mean(key, OPERATORS)}')
        limit = _whole(read_term(operand, scope, (*path, key)), (*path, key))
        tests.append(TimeTest(field.name, unit, to, operator, limit, said if not tests else ""))
    return tests


def _say_limits(field: FieldDefinition, limits: list[tuple[str, Any]], what: str, scope: "Scope") -> str:
    words = []
    for key, operand in limits:
        if key == "between" and isinstance(operand, list) and len(operand) == 2:
            words.append(f"{say_amount(operand[0], scope)} to {say_amount(operand[1], scope)} {what}")
        elif key in OPERATORS:
            words.append(f"{OPERATORS[key].says.removeprefix('is ')} {say_amount(operand, scope)} {what}")
    return f"{field.label} is {' and '.join(words)}"


def _whole(term: Term, path: "Path") -> Term:
    if isinstance(term, Constant) and not isinstance(term.amount, int):
        raise Mistake(path, "days and minutes are whole numbers")
    return term
