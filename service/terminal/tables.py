"""The shelf of drug packs as a table."""

from rich import box
from rich.table import Table

from service.knowledge.library import Library


def shelf_table(library: Library) -> Table:
    """Every drug that has rules, one row each."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("Drug", "Brand", "Class", "Regions", "Version"):
        table.add_column(title, overflow="fold")
    for title in ("Checks", "Rules"):
        table.add_column(title, justify="right")
    table.add_column("Review by", no_wrap=True)
    for pack in library.packs.values():
        names = (pack.id, ", ".join(pack.brands), pack.drug_class, " ".join(pack.regions), pack.version)
        table.add_row(*names, str(len(pack.checks)), str(len(pack.rules)), pack.review_by)
    return table
