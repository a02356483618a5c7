"""Facts as they are asked at a chair in Berlin on a Tuesday afternoon, and pages that hold their controls."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from werkzeug.datastructures import MultiDict

from service.checklist.evaluate import Situation
from service.checklist.facts import Facts
from service.checklist.windows import windows
from service.intake.facts import read_facts
from service.intake.json_text import parse_request
from service.pages.answers import Asked, control_of, own_limits, read_answer
from service.pages.rendering import page
from service.records.canonical import canonical
from tests.builders import shipped

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 10, 6, 12, 3, 27, tzinfo=UTC)  # 14:03 in Berlin
START = (NOW + timedelta(hours=1)).astimezone(BERLIN)
VOCABULARY = shipped().vocabulary
EVERY_LIMIT = {fact: sides for drug in shipped().packs.values() for fact, sides in own_limits(drug).items()}
WINDOWS = windows(shipped().packs["inebilizumab"], Situation(Facts({}), START, "US"), shipped().policy.values)

SINGLE = [name for name, each in VOCABULARY.facts.items() if each.type != "list"]
DAY, CLOCK = "2026-09-30", "09:10"

HOLDS_CONTROLS = """
{% extends "base.html" %}
{% from "answers/control.html" import control with context %}
{% block title %}Every question{% endblock %}
{% block head %}<link rel="stylesheet" nonce="{{ nonce }}" href="{{ asset('answers.css') }}">{% endblock %}
{% block content %}
<h1>Every question</h1>
{% for view in views %}
<form class="dg-finding" method="post" action="/account"><div class="dg-finding__body">
{{ form_key() }}{{ control(view) }}</div></form>
{% endfor %}
{% endblock %}
"""


def asked(given=None, **changes):
    """The circumstances, with what the draft already has."""
    circumstances = {
        "now": NOW,
        "zone": BERLIN,
        "infusion_at": START,
        "person": "Nora Quill",
        "vocabulary": VOCABULARY,
        "given": given or {},
        "limits": EVERY_LIMIT,
        "windows": WINDOWS,
    }
    return Asked(**{**circumstances, **changes})


def answer(fact, fields, given=None, **changes):
    """The fact as it is read from a form with these fields, named without the fact."""
    form = MultiDict({f"{fact}.{name}": value for name, value in fields.items()})
    known = {} if given is None else {fact: given}
    return read_answer(VOCABULARY[fact], form, asked(known, **changes))


def control(fact, given=None, errors=None, typed=None, **changes):
    """The control of a fact."""
    return control_of(VOCABULARY[fact], given, asked(**changes), errors or {}, typed or {})


def shows(app, views):
    """Let the page of one's own account show these controls instead."""
    app.view_functions["pages.own_account"] = lambda: page(
        app.jinja_env.from_string(HOLDS_CONTROLS), views=views()
    )


def taken_in(fact, value):
    """The readings that the intake makes of a fact, by way of the bytes of a request."""
    return read_facts(parse_request(canonical({fact: value})), VOCABULARY, START).readings.get(fact, ())


def dated(fact):
    """When a result was taken, as it is typed; nothing for any other fact."""
    return {"on": DAY, "time": CLOCK} if VOCABULARY[fact].result else {}


def ways(definition):
    """Each sort of value as it is typed, and the value that the intake should then have."""
    match definition.type:
        case "code":
            return [({"value": code}, code) for code in definition.values]
        case "date":
            return [({"value": "2019-02-28"}, date(2019, 2, 28))]
        case "integer":
            numbers = definition.numbers or (int(definition.low), int(definition.high))
            return [({"value": str(number)}, number) for number in numbers]
    found = []
    for unit in definition.units.values():
        amount = within(definition, unit)
        found.append(({"value": amount, "unit": unit.name}, unit.convert(Decimal(amount))))
    return found


def within(definition, unit):
    """A plausible amount in a unit, as somebody types it."""
    candidates = ["1.5", "7", "36.85", "98.6", "172.5", "72.5", "250", "400", "2500"]
    return next(
        each for each in candidates if definition.low <= unit.convert(Decimal(each)) <= definition.high
    )
