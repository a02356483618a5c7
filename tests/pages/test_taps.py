"""The count of taps that the stories keep: it may only fall, and a fall is written down."""

import re
from pathlib import Path

import pytest

from tests.pages import taps

STORIES = Path(__file__).with_name("stories")
COUNTED = re.compile(r'taps\.no_more_than_recorded\("([^"]+)"')


def test_each_recorded_visit_is_counted_in_a_story_and_each_counted_one_is_recorded():
    counted = [
        name for story in STORIES.glob("test_*.py") for name in COUNTED.findall(story.read_text("utf-8"))
    ]
    assert sorted(counted) == sorted(taps.recorded())
    assert len(counted) == 5


def test_more_taps_fail_and_fewer_say_what_to_write_down():
    visit, most = next(iter(taps.recorded().items()))
    taps.no_more_than_recorded(visit, most)
    with pytest.raises(AssertionError, match=f"takes {most + 1} taps by now, and took {most}"):
        taps.no_more_than_recorded(visit, most + 1)
    with pytest.raises(AssertionError, match=f'write "{visit}": {most - 1} in taps.json'):
        taps.no_more_than_recorded(visit, most - 1)
