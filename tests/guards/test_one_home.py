"""What has one home, and what the pure core must not reach for, read from the source itself."""

import ast

import pytest

from tests.builders import ROOT

SERVICE = ROOT / "service"
MODULES = sorted(SERVICE.rglob("*.py"))
CORE = sorted((SERVICE / "checklist").glob("*.py"))
ENGINE_MODULES = {"durable", "durable_rules_engine"}

# Modules that a pure function has no use for: clock, chance, environment, files, network, processes.
FORBIDDEN_IN_CORE = {
    "time",
    "random",
    "secrets",
    "uuid",
    "os",
    "sys",
    "io",
    "pathlib",
    "socket",
    "subprocess",
    "logging",
    "asyncio",
    "urllib",
    "http",
    "importlib",
}
CLOCKS = {"now", "today", "utcnow", "fromtimestamp", "localtime", "monotonic", "perf_counter"}
BUILTINS = {"open", "print", "input", "eval", "exec", "__import__", "breakpoint"}


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def tree_of(path):
    return ast.parse(path.read_text("utf-8"), path.name)


def imported(tree):
    """The top-level names of every module imported anywhere in a file, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").partition(".")[0]


def test_the_rules_engine_has_one_importer():
    importers = {name_of(path) for path in MODULES if ENGINE_MODULES & set(imported(tree_of(path)))}
    assert importers == {"service/checklist/engine.py"}


def test_the_importer_uses_the_c_module_and_never_a_host():
    tree = tree_of(SERVICE / "checklist" / "engine.py")
    assert ENGINE_MODULES & set(imported(tree)) == {"durable_rules_engine"}
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    # An event is taken by the first rule that it fires; a batch ends in silence at the first bad message.
    assert not used & {"assert_event", "assert_events", "assert_facts", "post", "Host"}


def test_no_file_imports_the_engine_by_a_name_made_at_run_time():
    for path in MODULES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                called = getattr(node.func, "attr", getattr(node.func, "id", ""))
                assert called not in ("import_module", "__import__"), name_of(path)


@pytest.mark.parametrize("path", CORE, ids=name_of)
def test_the_core_imports_no_clock_no_chance_and_no_environment(path):
    assert set(imported(tree_of(path))) & FORBIDDEN_IN_CORE == set()


@pytest.mark.parametrize("path", CORE, ids=name_of)
def test_the_core_asks_no_clock_and_touches_nothing_outside(path):
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Attribute):
            assert node.attr not in CLOCKS | {"environ", "getenv"}, f"line {node.lineno}: {node.attr}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in BUILTINS, f"line {node.lineno}: {node.func.id}"


@pytest.mark.parametrize("path", CORE, ids=name_of)
def test_the_core_imports_nothing_of_the_service_but_itself(path):
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("service"):
            assert node.module.startswith("service.checklist"), f"line {node.lineno}: {node.module}"


def test_only_the_knowledge_reads_yaml():
    importers = {name_of(path) for path in MODULES if "yaml" in set(imported(tree_of(path)))}
    assert importers == {"service/knowledge/strict_yaml.py"}


def test_no_drug_is_named_in_the_code():
    """A drug is a file under `rules/`: no branch of the code knows one by name."""
    drugs = {path.stem for path in (ROOT / "rules" / "drugs").glob("*.yaml")}
    for folder in ("checklist", "knowledge"):
        for path in sorted((SERVICE / folder).glob("*.py")):
            docstrings = set(docstrings_of(tree_of(path)))
            for node in ast.walk(tree_of(path)):
                if (
                    isinstance(node, ast.Constant)
                    and isinstance(node.value, str)
                    and node.value not in docstrings
                ):
                    assert not any(drug in node.value for drug in drugs), (
                        f"{name_of(path)}, line {node.lineno}"
                    )


def docstrings_of(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node, clean=False
        ):
            yield ast.get_docstring(node, clean=False)
