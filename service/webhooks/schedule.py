"""When a delivery that failed is tried again: soon at first, over 72 hours, not all at one moment. Pure."""

from datetime import datetime, timedelta

LIFE = timedelta(hours=72)
LONGEST_WAIT = timedelta(hours=24)  # that an endpoint can ask for
_STEPS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)


def next_attempt(
    first: datetime, failed: datetime, attempts: int, chance: float, asked: timedelta | None = None
) -> datetime | None:
    """When to try again after so many attempts, the first of them at `first`; None after the last one.

    A wait is its step times 0.5 to 1.5, as `chance` from 0 to 1 says; or longer, where the endpoint `asked`
    for that. The last attempt is 72 hours after the first.
    """
    ends = first + LIFE
    if failed >= ends:
        return None
    step = _STEPS[min(attempts, len(_STEPS)) - 1]
    waits = max(step * (0.5 + chance), min(asked or timedelta(0), LONGEST_WAIT))
    return min(failed + waits, ends)
