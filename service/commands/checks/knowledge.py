"""The rules, and the engine that decides by them."""

from collections.abc import Iterator
from importlib.resources import files

from service.checklist.compiler import CannotCompile
from service.checklist.engine import EngineFault
from service.checklist.rules import Kind
from service.commands.checks.finding import CannotTell, Finding, ok, warning, wrong
from service.commands.checks.installation import Installation
from service.intake.errors import BadInput
from service.knowledge.library import Library, load_library
from service.knowledge.problems import KnowledgeError
from service.settings import POLICY, RULES
from service.terminal.batch import respond
from service.terminal.shelf import overdue, unused

_READ_AGAIN = "dosegate lint tells the same; the service goes on with its old rules until they can be used"


def rules(here: Installation) -> Iterator[Finding]:
    """Whether the rules and the policy can be used, which they are, and whether somebody has to read them."""
    try:
        library = load_library(here.value(RULES), here.value(POLICY))
        problems = unused(library)
        library.code_maps  # noqa: B018  mistakes in them are found now
    except KnowledgeError as error:
        problems = error.problems
    for problem in problems:
        yield wrong(str(problem), _READ_AGAIN)
    if problems:
        return
    packs = library.packs.values()
    in_force = ", ".join(f"{each.id} {each.version}" for each in packs)
    yield ok(f"in force: {in_force}, under {here.value(POLICY) or 'the policy among the rules'}")
    for pack in packs:
        if overdue(pack, here.clock().date()):
            yield warning(
                f"{pack.id} was to be read again by {pack.review_by}: its sources may have changed",
                f"its owner, {pack.owner}, reads it: dosegate explain {pack.id}",
            )


def engine(here: Installation) -> Iterator[Finding]:
    """Whether the rules engine takes every pack, and answers what the worked examples ask."""
    library = _library(here)
    mend = "install Dosegate anew (docs/operations.md), and type dosegate doctor again"
    try:
        for pack in library.packs.values():
            library.engine(pack)
        faulty = sorted({drug for drug, kinds in _answers(here, library) if Kind.ENGINE in kinds})
    except (EngineFault, CannotCompile) as error:
        yield wrong(f"the rules engine refuses a pack, so that the service does not start: {error}", mend)
        return
    if faulty:
        yield wrong(f"the rules engine fails, and holds every infusion of {', '.join(faulty)}", mend)
    else:
        yield ok("the rules engine answers")


def _library(here: Installation) -> Library:
    try:
        return load_library(here.value(RULES), here.value(POLICY))
    except KnowledgeError:
        raise CannotTell("the rules cannot be used") from None


def _answers(here: Installation, library: Library) -> Iterator[tuple[str, set[Kind]]]:
    """Drugs, and the kinds of what is found of the made-up patient of each worked example."""
    for example in files("service").joinpath("examples").iterdir():
        try:
            answer = respond(example.read_bytes(), library, here.clock())
        except BadInput:  # other rules may know other drugs
            continue
        yield answer.request.pack.id, {each.kind for each in answer.checklist.findings}
