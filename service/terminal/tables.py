"""How tables look, and the shelf of drug packs as one."""

from rich.table import Table
from rich.text import Text

from service.knowledge.library import Library
from service.terminal.console import Indented


def plain_table(*columns: str) -> Table:
    """A table without lines, with these headings; without any it has no head."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold underline")
    table.show_header = bool(columns)
    for column in columns:
        table.add_column(column)
    return table


def shelf_table(library: Library) -> Indented:
    """Every drug that has rules, with its class, so that look-alike names are told apart."""
    table = plain_table("Drug", "Brand", "Regions", "Version", "Checks", "Rules", "Review by")
    drug, *others = table.columns
    drug.min_width = max((len(name) for name in library.packs), default=0)
    for column in others:
        column.no_wrap = True
        column.justify = "right" if column.header in ("Checks", "Rules") else "left"
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
