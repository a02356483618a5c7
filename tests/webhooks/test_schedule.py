"""When what failed is tried again: for whatever chance, and however late each attempt is."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as some

from service.webhooks.schedule import next_attempt

FIRST = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
STEPS = [
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
]
CHANCES = some.floats(0, 1, exclude_max=True)


def attempts(chances, lateness=(), asked=None):
    """The times of all attempts where each one fails at once, and begins that late."""
    times, late = [FIRST], iter(lateness)
    for chance in chances:
        again = next_attempt(FIRST, times[-1], len(times), chance, asked)
        if again is None:
            return times
        times.append(again + next(late, timedelta(0)))
    raise AssertionError("it never ends")


def test_in_the_middle_it_is_the_schedule_of_the_standard_and_ends_after_72_hours():
    times = attempts(40 * [0.5])
    waits = [after - before for before, after in pairwise(times)]
    assert waits[:-1] == STEPS[:8]
    assert times[-1] - FIRST == 72 * HOUR


@given(some.lists(CHANCES, min_size=40, max_size=40))
def test_each_wait_is_its_step_more_or_less_and_the_last_attempt_is_at_72_hours(chances):
    times = attempts(chances)
    waits = [after - before for before, after in pairwise(times)]
    assert times[-1] == FIRST + 72 * HOUR
    assert 9 <= len(times) <= 16
    for number, wait in enumerate(waits[:-1]):
        step = STEPS[min(number, 8)]
        assert 0.5 * step <= wait <= 1.5 * step
    assert timedelta(0) < waits[-1] <= 1.5 * STEPS[min(len(waits) - 1, 8)]


@given(
    some.lists(CHANCES, min_size=40, max_size=40),
    some.lists(some.timedeltas(timedelta(0), 60 * HOUR), max_size=40),
)
def test_however_late_a_worker_is_it_ends_with_the_first_attempt_after_72_hours(chances, lateness):
    times = attempts(chances, lateness)
    assert times == sorted(times)
    assert times[-1] >= FIRST + 72 * HOUR
    assert all(each < FIRST + 72 * HOUR for each in times[:-1])


@given(CHANCES, some.integers(1, 20), some.timedeltas(timedelta(0), 9 * 24 * HOUR))
def test_who_asks_to_be_left_alone_is_for_a_day_at_most(chance, number, asked):
    plain = next_attempt(FIRST, FIRST, number, chance)
    again = next_attempt(FIRST, FIRST, number, chance, asked)
    assert again == max(plain, FIRST + min(asked, 24 * HOUR))


@given(CHANCES, CHANCES)
def test_two_that_failed_together_are_not_tried_together(one, other):
    again = [next_attempt(FIRST, FIRST, 2, each) for each in (one, other)]
    assert (again[0] < again[1]) == (round(one * 3e8) < round(other * 3e8)) or abs(one - other) < 1e-6
