"""Charts: what is drawn is in proportion, and told apart without colour."""

import pytest

from service.pages.charts import PATTERNS, Row, bars


def widths(chart):
    return [[piece.width for piece in bar.pieces] for bar in chart.bars]


def test_the_longest_bar_fills_the_width_and_the_others_are_in_proportion():
    chart = bars("c", "Title", "Says", [Row("a", (3, 1), "4"), Row("b", (0, 1), "1"), Row("c", (0,), "0")])
    assert widths(chart) == [[chart.track * 0.75, chart.track * 0.25], [chart.track * 0.25], []]
    assert [piece.pattern for piece in chart.bars[0].pieces] == ["solid", "stripes"]
    assert [piece.pattern for piece in chart.bars[1].pieces] == ["stripes"]
    assert chart.bars[0].pieces[1].x == chart.bars[0].pieces[0].width


def test_what_is_full_may_be_said():
    chart = bars("c", "Title", "Says", [Row("a", (0.5,), "50 %")], full=1)
    assert widths(chart) == [[chart.track / 2]]


def test_the_number_stands_behind_its_bar_within_the_drawing():
    chart = bars("c", "Title", "Says", [Row("a", (9,), "9"), Row("b", (3,), "3")])
    for bar in chart.bars:
        end = sum(piece.width for piece in bar.pieces)
        assert end < bar.number_x < chart.width
    assert chart.bars[1].label_y > chart.bars[0].y + chart.bar_height
    assert chart.bars[1].y + chart.bar_height <= chart.height


@pytest.mark.parametrize("rows", [[], [Row("a", (0,), "0")]])
def test_nothing_is_drawn_as_nothing(rows):
    assert widths(bars("c", "Title", "Says", rows)) == [[] for _ in rows]


def test_each_key_has_a_pattern_of_its_own():
    chart = bars("c", "Title", "Says", [Row("a", (1, 1, 1), "3")], keys=["x", "y", "z"])
    assert dict(chart.keys) == dict(zip(PATTERNS, "xyz", strict=True))
    assert len(set(PATTERNS)) == len(PATTERNS)
