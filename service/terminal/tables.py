"""The shelf of drug packs as a table."""

from rich.table import Table
from rich.text import Text

from service.knowledge.library import Library
from service.terminal.console import Indented


def shelf_table(library: Library) -> Indented:
    """Every drug that has rules, with its class, so that look-alike names are told apart."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold underline")
    table.add_column("Drug", min_width=max((len(name) for name in library.packs), default=0))
    table.add_column("Brand", no_wrap=True)
    table.add_column("Regions", no_wrap=True)
    table.add_column("Version", no_wrap=True)
    table.add_column("Checks", justify="right")
    table.add_column("Rules", justify="right")
    table.add_column("Review by", no_wrap=True)
    for pack in library.packs.values():
        table.add_row(
            Text.assemble((pack.id, "bold"), (f"\n{pack.drug_class}", "dim")),
            ", ".join(pack.brands),
            " ".join(pack.regions),
            pack.version,
            str(len(pack.checks)),
            str(len(pack.rules)),
            pack.review_by,
        )
    return Indented(table)
