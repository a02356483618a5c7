"""How far a long run has come, on standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


@contextmanager
def bar(total: int | None, done: str = "answered") -> Iterator[Callable[[int], None]]:
    """A bar that is gone when it is done, advanced by any measure of which `total` is all there is.

    Each advance counts as one more `done`; without a total it only counts these.
    """
    columns = (
        TextColumn(f"{{task.fields[count]:,}} {done}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=total, count=0)

        def advance(size: int) -> None:
            progress.update(task, advance=size, count=progress.tasks[0].fields["count"] + 1)

        yield advance
