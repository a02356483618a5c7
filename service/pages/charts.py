"""Charts as SVG that is drawn here: bars with a label above each, told apart by pattern, not colour alone.

A template draws what stands here, number by number. Units are those of the drawing, 360 wide; it grows and
shrinks with the page. Beside each chart the page shows a table with the same numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 360
_ROW, _LABEL, _BAR = 52, 18, 20
_NUMBER = 62  # room for the number behind a bar
PATTERNS = ("solid", "stripes", "dots")


@dataclass(frozen=True)
class Piece:
    """A rectangle of a bar and what it is filled with."""

    x: float
    width: float
    pattern: str


@dataclass(frozen=True)
class Bar:
    """One bar: its label above it, its pieces from left to right, and the number behind it."""

    label: str
    number: str
    label_y: int
    y: int
    number_x: float
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Chart:
    """A chart: what it is called, and what it says in a sentence, for who cannot see it.

    `id` is unique on its page. `keys` are patterns with what each stands for; none where there is only one.
    """

    id: str
    title: str
    says: str
    bars: tuple[Bar, ...]
    keys: tuple[tuple[str, str], ...] = ()

    width: int = WIDTH
    track: int = WIDTH - _NUMBER
    bar_height: int = _BAR

    @property
    def height(self) -> int:
        """How high the drawing is."""
        return _ROW * len(self.bars)


@dataclass(frozen=True)
class Row:
    """What a bar shows: amounts, one for each key, and the number as it is written behind it."""

    label: str
    amounts: tuple[float, ...]
    number: str


def bars(
    id: str,
    title: str,
    says: str,
    rows: Sequence[Row],
    *,
    keys: Sequence[str] = (),
    full: float | None = None,
) -> Chart:
    """One bar for each row, of up to three pieces, one for each of the `keys`.

    `full` is the amount that fills the width; without it the longest bar does.
    """
    most = full or max((sum(row.amounts) for row in rows), default=0) or 1
    drawn = tuple(_bar(place, row, most) for place, row in enumerate(rows))
    return Chart(id, title, says, drawn, tuple(zip(PATTERNS, keys, strict=False)))


def _bar(place: int, row: Row, most: float) -> Bar:
    scale = (WIDTH - _NUMBER) / most
    pieces, x = [], 0.0
    for pattern, amount in zip(PATTERNS, row.amounts, strict=False):
        width = round(amount * scale, 2)
        if width:
            pieces.append(Piece(round(x, 2), width, pattern))
        x += width
    top = place * _ROW
    return Bar(row.label, row.number, top + _LABEL - 4, top + _LABEL, round(x, 2) + 6, tuple(pieces))
