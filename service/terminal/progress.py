"""How far a file of requests has been read, on standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


@contextmanager
def bar(total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar of bytes read out of `total`, gone when it is done; without a total it only counts answers."""
    columns = (
        TextColumn("{task.fields[answered]} answered"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=total, answered=0)

        def advance(size: int) -> None:
            answered = progress.tasks[0].fields["answered"] + 1
            progress.update(task, advance=size, answered=answered)

        yield advance
