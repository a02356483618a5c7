"""How many taps a visit takes from Today to the signature, and how many it took: they never rise."""

import json
from pathlib import Path

RECORD = Path(__file__).with_name("taps.json")


def recorded():
    """The taps of each scripted visit, by its name."""
    return json.loads(RECORD.read_text("utf-8"))


def no_more_than_recorded(visit, taps):
    """Fails where a visit takes more taps than it did, and where the record could be lower."""
    most = recorded()[visit]
    assert taps <= most, f"{visit} takes {taps} taps by now, and took {most}: spare her what was added."
    assert taps == most, (
        f'{visit} takes {taps} taps, fewer than {most}: write "{visit}": {taps} in taps.json.'
    )
