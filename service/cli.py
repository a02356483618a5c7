"""The command line. Commands import what they need when they run, so that `dosegate check` starts fast."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from service.terminal.failures import CarefulGroup, reason, refuse
from service.terminal.rules import rules_options, with_rules

if TYPE_CHECKING:
    from service.intake.answers import Answer
    from service.knowledge.library import Library

EXAMPLES = ("blocked", "inebilizumab", "ibalizumab", "inotuzumab_ozogamicin")

_EXITS = (
    "Exit status: 0 pass, 3 warn, 4 block, 2 bad input, 1 internal error. Of several requests the worst one"
    " counts, in the order 0, 3, 4, 2, 1."
)


# Commands that most runs have no use for.
_LATER = {
    "checklists": "service.commands.finding:checklists",
    "db": "service.commands.database:db",
    "deliver": "service.commands.webhooks:deliver",
    "doctor": "service.commands.doctor:doctor",
    "ehr": "service.commands.ehr:ehr",
    "facts": "service.commands.facts:facts",
    "forecast": "service.commands.forecast:show_forecast",
    "impact": "service.commands.impact:impact",
    "infusions": "service.commands.infusions:infusions",
    "journal": "service.commands.journal:journal",
    "keys": "service.commands.keys:keys",
    "patients": "service.commands.patients:patients",
    "quality": "service.commands.finding:quality",
    "replay": "service.commands.replay:replay",
    "roles": "service.commands.keys:roles",
    "senders": "service.commands.senders:senders",
    "settings": "service.commands.settings:settings",
    "users": "service.commands.people:users",
    "verify": "service.commands.journal:verify",
    "webhooks": "service.commands.webhooks:webhooks",
}


@click.group(
    cls=CarefulGroup,
    later=_LATER,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="dosegate", message="dosegate %(version)s")
def main() -> None:
    """Pre-infusion checklist for monoclonal antibodies: every item answered, cited and replayable.

    It supports clinical judgement and does not replace it. To see it work: dosegate demo
    """


@main.command(short_help="Answer a request, or one a line.", epilog=_EXITS)
@click.argument("file", metavar="FILE")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--trace", is_flag=True, help="Show why each rule fired, did not fire or could not be decided.")
@click.option("--lines", is_flag=True, help="Read one request a line, answer each with one line of JSON.")
@with_rules
def check(file: str, library: "Library", *, as_json: bool, trace: bool, lines: bool) -> None:
    """Answer the request in FILE, or on standard input where FILE is -.

    A request is a JSON object with drug, infusion_at, patient and facts; dosegate demo --request prints one.
    A FILE that ends in .jsonl holds one request a line. Nothing is recorded.
    """
    with _opened(file) as stream:
        if lines or file.lower().endswith(".jsonl"):
            sys.exit(_check_lines(stream, file, library, trace=trace))
        sys.exit(_check_one(stream, file, library, as_json=as_json, trace=trace))


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    try:
        stream = open(0 if file == "-" else file, "rb", closefd=file != "-")  # noqa: SIM115  closed below
        stream.peek(1)  # a folder, or a device that cannot be read, says so now
    except OSError as error:
        refuse([f"{_name(file)}: cannot be read: {reason(error).lower()}"])
    with stream:
        yield stream


def _name(file: str) -> str:
    return "standard input" if file == "-" else file


def _check_one(stream: BinaryIO, file: str, library: "Library", *, as_json: bool, trace: bool) -> int:
    from service.intake.errors import BadInput  # noqa: PLC0415
    from service.intake.json_text import MOST_WITH_BUNDLE  # noqa: PLC0415
    from service.terminal.batch import EXITS, document_of, respond  # noqa: PLC0415

    try:
        answer = respond(stream.read(MOST_WITH_BUNDLE + 1), library, datetime.now(UTC))
    except BadInput as bad:
        refuse([f"{each.path or _name(file)}: {each.message}" for each in bad.errors])
    if as_json:
        _print_json(document_of(answer, trace=trace), indent=2)
    else:
        _print_checklist(answer, library, trace=trace)
    return EXITS[answer.checklist.status]


def _print_checklist(answer: "Answer", library: "Library", *, trace: bool = False) -> None:
    from service.terminal.checklist import Page  # noqa: PLC0415  rich is slow to import, and JSON needs none
    from service.terminal.console import standard_output  # noqa: PLC0415
    from service.terminal.trace import print_trace  # noqa: PLC0415

    page, console = Page(answer, library), standard_output()
    page.print(console)
    if trace:
        print_trace(page, console)


def _check_lines(stream: BinaryIO, file: str, library: "Library", *, trace: bool) -> int:
    from service.terminal.batch import Exit, answer_line, lines_of, worst  # noqa: PLC0415

    status: Exit | None = None
    with _progress(stream) as advance:
        for line in lines_of(stream):
            answered, document = answer_line(line, library, datetime.now(UTC), trace=trace)
            status = answered if status is None else worst(status, answered)
            _print_json(document)
            advance(line.size)
    if status is None:
        refuse([f"{_name(file)}: holds no request"])
    return status


@contextmanager
def _progress(stream: BinaryIO) -> Iterator[Callable[[int], None]]:
    """How far a file has been read, on a terminal where no answers run past."""
    if not sys.stderr.isatty() or sys.stdout.isatty():
        yield lambda _: None
        return
    from service.terminal.progress import bar  # noqa: PLC0415

    size = os.fstat(stream.fileno()).st_size
    with bar(size or None) as advance:
        yield advance


def _print_json(document: Any, indent: int | None = None) -> None:
    separators = None if indent else (",", ":")
    text = json.dumps(document, ensure_ascii=False, indent=indent, separators=separators)
    sys.stdout.buffer.write(text.encode() + b"\n")
    sys.stdout.buffer.flush()


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_rules
def drugs(library: "Library", *, as_json: bool) -> None:
    """List the drugs that have rules."""
    from service.terminal import shelf  # noqa: PLC0415

    if as_json:
        _print_json(shelf.shelf_document(library), indent=2)
        return
    from service.terminal.console import standard_output  # noqa: PLC0415
    from service.terminal.tables import shelf_table  # noqa: PLC0415

    standard_output().print(shelf_table(library))


@main.command(short_help="Print a drug's rules in words.")
@click.argument("drug")
@click.option("--check", "only", metavar="CHECK", help="Only this check, such as hepatitis_b.")
@click.option(
    "--source-attributes", is_flag=True, help="Its rules' source attributes (45 CFR 170.315(b)(11)), as CSV."
)
@with_rules
def explain(drug: str, library: "Library", *, only: str | None, source_attributes: bool) -> None:
    """Print the rules of DRUG as a pharmacist reads them, with sources and what is not checked."""
    from service.knowledge.library import UnknownDrug  # noqa: PLC0415
    from service.knowledge.problems import did_you_mean  # noqa: PLC0415
    from service.terminal.console import standard_output  # noqa: PLC0415
    from service.terminal.pack import print_pack  # noqa: PLC0415

    try:
        pack = library.find(drug)
    except UnknownDrug as unknown:
        near = "; ".join(f"{each.id} ({', '.join(each.brands)})" for each in unknown.near)
        also = (
            f". Names that look like it: {near}" if near else "; `dosegate drugs` lists those that there are"
        )
        refuse([f"{drug}: no drug here has this name{also}"])
    known = [each.id for each in pack.checks]
    if only is not None and only not in known:
        refuse([f"{only}: {pack.id} has no such check.{did_you_mean(only, known)} It has {', '.join(known)}"])
    if source_attributes:
        from service.web.source_attributes import source_attributes_csv  # noqa: PLC0415

        sys.stdout.buffer.write(source_attributes_csv(pack, only))
        return
    print_pack(pack, library, standard_output(), only)


@main.command(short_help="Say whether every pack is sound.")
@with_rules
def lint(library: "Library") -> None:
    """Read every pack and say whether it is sound: schema, sources, ledger, contradictions, review dates."""
    from service.knowledge.problems import KnowledgeError  # noqa: PLC0415
    from service.terminal import shelf  # noqa: PLC0415

    problems = shelf.unused(library)
    try:
        library.code_maps  # noqa: B018  they are read when first asked for
    except KnowledgeError as error:
        problems = [*problems, *error.problems]
    if problems:
        refuse([str(problem) for problem in problems])
    for line in shelf.report(library, datetime.now(UTC).date()):
        click.echo(line)


@main.command(short_help="Print one worked checklist.")
@click.argument("example", metavar="[EXAMPLE]", type=click.Choice(EXAMPLES), default=EXAMPLES[0])
@click.option("--request", is_flag=True, help="Print the request itself, to start one of your own from.")
@with_rules
def demo(example: str, library: "Library", *, request: bool) -> None:
    """Print one worked checklist of a made-up patient: EXAMPLE is blocked (the default) or a drug."""
    text = files("service").joinpath("examples", f"{example}.json").read_bytes()
    if request:
        sys.stdout.buffer.write(text)
        return
    from service.terminal.batch import respond  # noqa: PLC0415

    click.echo("A made-up patient. For the request itself: dosegate demo --request\n")
    _print_checklist(respond(text, library, datetime.now(UTC)), library)


@main.command(short_help="Answer over HTTP.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True)
@click.option(
    "--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes that answer; 2 a core."
)
@click.option("--demonstration", is_flag=True, help="Serve a made-up clinic with records of its own.")
@rules_options
def serve(
    host: str, port: int, workers: int, rules: Path | None, policy: Path | None, *, demonstration: bool
) -> None:
    """Answer over HTTP: the JSON interface and its documentation.

    The demonstration is marked as such everywhere, listens on loopback only, and keeps its records in
    demonstration.db in the working folder.
    """
    from service.server import serve as run  # noqa: PLC0415
    from service.settings import BadSetting, Settings  # noqa: PLC0415

    try:
        settings = Settings.from_environment()
    except BadSetting as bad:
        refuse(list(bad.problems))
    rules, policy = rules or settings.rules, policy or settings.policy
    run(host, port, workers, replace(settings, rules=rules, policy=policy, demonstration=demonstration))
