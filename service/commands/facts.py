"""`dosegate facts`."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from service.checklist.rules import Pack
from service.fhir.chart import BadBundle, Chart, read_chart
from service.fhir.orders import TYPE, orders_in
from service.fhir.reading import facts_of
from service.intake.documents import plain
from service.intake.errors import BadInput
from service.intake.json_text import MOST_WITH_BUNDLE, parse
from service.intake.requests import find_drug
from service.intake.values import Refused, read_datetime
from service.knowledge.library import Library
from service.terminal.console import standard_output
from service.terminal.facts import print_reading
from service.terminal.failures import reason, refuse
from service.terminal.rules import with_rules


@click.command(short_help="Print what is read of a FHIR bundle.")
@click.argument("bundle", metavar="BUNDLE.json", type=click.Path(path_type=Path))
@click.option("--drug", help="The drug of the infusion; default: the one that is ordered in the bundle.")
@click.option(
    "--at", metavar="TIME", help="When it is infused, such as 2026-12-01T09:00:00-05:00; default: now."
)
@click.option("--json", "as_json", is_flag=True, help="Print the facts and the reading as JSON.")
@with_rules
def facts(bundle: Path, library: Library, *, drug: str | None, at: str | None, as_json: bool) -> None:
    """Print which facts are read from which resource of a FHIR bundle, and what is not understood.

    BUNDLE.json holds one FHIR R4 Bundle of one patient. Nothing is recorded.
    """
    infusion_at = _moment(at)
    chart = _chart(bundle)
    pack = _pack(drug, chart, library)
    try:
        reading = facts_of(chart, pack, None, infusion_at, library)
    except BadBundle as bad:
        refuse([f"{path}: {message}" for path, message in bad.errors])
    if as_json:
        lines = [vars(line) for line in reading.lines]
        document = {"drug": pack.id, "infusion_at": infusion_at.isoformat()}
        shown = {**document, "facts": plain(reading.facts), "reading": lines}
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
        return
    print_reading(reading, library.vocabulary, standard_output())


def _moment(at: str | None) -> datetime:
    if at is None:
        return datetime.now(UTC)
    try:
        return read_datetime(at)
    except Refused as error:
        refuse([f"--at {error.message}"])


def _chart(path: Path) -> Chart:
    try:
        with path.open("rb") as file:
            text = file.read(MOST_WITH_BUNDLE + 1)
        return read_chart(parse(text, MOST_WITH_BUNDLE), patient=None, searched={})
    except OSError as error:
        refuse([f"{path}: cannot be read: {reason(error).lower()}"])
    except BadInput as bad:
        refuse([f"{path}: {each.path} {each.message}".replace("  ", " ") for each in bad.errors])
    except BadBundle as bad:
        refuse([f"{path}: {where}: {message}" for where, message in bad.errors])


def _pack(drug: str | None, chart: Chart, library: Library) -> Pack:
    if drug is not None:
        try:
            return find_drug(drug, library)
        except BadInput as bad:
            refuse([f"--drug {each.message}" for each in bad.errors])
    ordered = {
        each.drug.id for each in orders_in(chart.of_type(TYPE), chart, library) if each.drug is not None
    }
    if len(ordered) != 1:
        several = "several drugs are ordered" if ordered else "no drug that has rules here is ordered"
        refuse([f"{several} in this bundle: name one with --drug"])
    return library.packs[ordered.pop()]
