"""How a list is asked that is charted by class: a row a class, and the window that each time given opens."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from service.checklist.facts import FactDefinition
from service.checklist.windows import Window, common_start
from service.pages.answers.asked import Asked
from service.pages.answers.blank import Blank
from service.pages.answers.chart import CLOCK, DATE, GIVEN_AT, Chart
from service.pages.answers.controls import Button, Field, Row, english
from service.pages.answers.form import ALL, NONE, NOW, UNKNOWN
from service.pages.answers.given import (
    Known,
    entries_in,
    entry_in_words,
    is_day,
    is_list_known,
    is_open,
    key_of,
    when_in_words,
)
from service.pages.texts import gettext

Span = tuple[datetime, datetime]


def chart_buttons(given: Any, blank: Blank) -> Iterator[Button]:
    """What can be said of a chart as a whole."""
    entries = entries_in(given)
    if not entries:
        is_none = is_list_known(given) and not is_open(given)
        yield blank.say(NONE, gettext("None of these was given or ordered"), quiet=True, chosen=is_none)
        yield blank.say(UNKNOWN, gettext("Not known"), quiet=True)
    elif is_open(given):
        yield blank.say(ALL, gettext("This is the whole chart"), quiet=True)


def chart_rows(
    definition: FactDefinition, chart: Chart, given: Any, blank: Blank, asked: Asked
) -> Iterator[Row]:
    """One row a class: what is charted of it, and, until it is given, how to chart more."""
    entries = entries_in(given)
    for name, words in chart.by.values.items():
        own = [each for each in entries if each[chart.by.name] == name]
        is_given = any(chart.is_given(each) and chart.is_for(each, asked.infusion_at) for each in own)
        fields = () if is_given else tuple(_clock(name, blank))
        yield Row(
            id=blank.id(name),
            title=words[:1].upper() + words[1:],
            known=tuple(_charted(definition, chart, each, asked) for each in own),
            buttons=() if is_given else tuple(_buttons(name, chart, own, blank)),
            fields=fields,
            then=None if is_given else blank.button(name, GIVEN_AT, gettext("Given then")),
            is_open=blank.is_touched(fields),
            window=_window(chart, definition.name, name, own, asked),
            error=blank.error(name),
        )


def start_in_words(chart: Chart, fact: str, given: Any, asked: Asked) -> str:
    """When the infusion would begin in time after everything that was given; empty where nothing says."""
    spans = [
        span
        for name in chart.by.values
        if (span := _start(chart, fact, name, entries_in(given), asked)) is not None
    ]
    if len(spans) < 2:
        return ""
    both = common_start(spans)
    if both is None:
        return gettext("No start is in time after all of these.")
    return gettext("In time after all of these: a start from %(first)s to %(last)s.", **_words(both, asked))


def _charted(definition: FactDefinition, chart: Chart, entry: Any, asked: Asked) -> Known:
    """An entry without its class, which is the title of its row; the status and the time come first."""
    status, at = entry.get(chart.status.name, chart.status.default), entry.get(chart.time)
    said = {name: part for name, part in entry.items() if name not in (chart.by.name, chart.status.name)}
    rest = entry_in_words(
        definition, {name: part for name, part in said.items() if name != chart.time}, asked
    )
    words = chart.status.values[status]
    if at:
        words = f"{words} {when_in_words(at, asked)}"
    elif chart.is_given(entry):
        words = ", ".join([words, gettext("time not known")])
    words = f"{words}, {rest}" if rest else words
    return Known(key_of(entry), words[:1].upper() + words[1:], "", "")


def _buttons(name: str, chart: Chart, own: Sequence[Any], blank: Blank) -> Iterator[Button]:
    yield blank.button(name, NOW, gettext("Given now"))
    said = {each.get(chart.status.name, chart.status.default) for each in own}
    for status, words in chart.status.values.items():
        if status != chart.given and status not in said:
            yield blank.button(name, status, english(words), quiet=True)


def _clock(name: str, blank: Blank) -> Iterator[Field]:
    yield blank.time(f"{name}.{CLOCK}", gettext("Time given"))
    yield blank.date(f"{name}.{DATE}", gettext("Day, if it was not today"))


def _of_sort(chart: Chart, fact: str, name: str, asked: Asked) -> Window | None:
    item = {chart.by.name: name, chart.status.name: chart.given}
    return next((each for each in asked.windows if each.fact == fact and each.covers(item)), None)


def _start(chart: Chart, fact: str, name: str, entries: Sequence[Any], asked: Asked) -> Span | None:
    """When the infusion would begin in time after the only entry that says when this class was given."""
    window = _of_sort(chart, fact, name, asked)
    times = [
        each[chart.time]
        for each in entries
        if each[chart.by.name] == name
        and chart.is_given(each)
        and chart.is_for(each, asked.infusion_at)
        and not is_day(each.get(chart.time))
    ]
    if window is None or len(times) != 1:
        return None
    return window.starts(datetime.fromisoformat(times[0].upper()).astimezone(asked.zone))


def _window(chart: Chart, fact: str, name: str, own: Sequence[Any], asked: Asked) -> str:
    """The start that suits what was given; before that, when to give it for the planned start."""
    window, span = _of_sort(chart, fact, name, asked), _start(chart, fact, name, own, asked)
    if span is not None:
        return gettext("In time for a start from %(first)s to %(last)s.", **_words(span, asked))
    if window is None or any(chart.is_given(each) and chart.is_for(each, asked.infusion_at) for each in own):
        return ""
    begins = asked.infusion_at.astimezone(asked.zone)
    return gettext(
        "For the start planned at %(start)s, give it from %(first)s to %(last)s.",
        start=when_in_words(begins.isoformat(), asked),
        **_words(window.times(begins), asked),
    )


def _words(span: Span, asked: Asked) -> Mapping[str, str]:
    first, last = (when_in_words(each.isoformat(), asked) for each in span)
    return {"first": first, "last": last}
