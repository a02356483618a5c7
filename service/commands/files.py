"""Files that commands write."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from service.terminal.failures import reason, refuse


@contextmanager
def new_file(out: Path) -> Iterator[IO[bytes]]:
    """A new file, for its owner only, that has its name when it is whole; a failure ends the command."""
    if out.exists():
        refuse([f"{out}: is there already; name a new file"])
    try:
        with tempfile.NamedTemporaryFile(dir=out.parent, prefix=f".{out.name}.", delete=False) as file:
            try:
                yield file.file
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).rename(out)
            except BaseException:
                Path(file.name).unlink()
                raise
    except OSError as error:
        refuse([f"{out}: cannot be written: {reason(error).lower()}"])
