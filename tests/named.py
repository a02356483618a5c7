"""Whether a test that is named somewhere, as in a document, is one that there is."""

import ast
from functools import cache

from tests.builders import ROOT


@cache
def _tests_in(file):
    """The tests that stand in a file, as they are named behind its path."""
    body = ast.parse((ROOT / file).read_text(encoding="utf-8")).body
    classes = {each.name: each.body for each in body if isinstance(each, ast.ClassDef)}
    inner = {f"{name}::{each}" for name, parts in classes.items() for each in _functions(parts)}
    machines = {
        f"{target.id}::runTest"
        for each in body
        if isinstance(each, ast.Assign)
        for target in each.targets
        if isinstance(target, ast.Name)
    }
    return _functions(body) | inner | machines


def _functions(body):
    return {each.name for each in body if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")}


def is_there(test):
    """Whether there is this test, or this file of tests; its path begins at the root."""
    file, _, name = test.partition("::")
    return (ROOT / file).is_file() and (not name or name in _tests_in(file))
