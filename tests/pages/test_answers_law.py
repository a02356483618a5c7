"""A law of the answers: what is read from a form is refused, or the intake takes it as it was typed."""

from datetime import date
from decimal import Decimal

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from service.intake.errors import BadInput
from service.pages.answers import BadAnswer, input_errors
from tests.pages.answering import CLOCK, DAY, SINGLE, VOCABULARY, answer, dated, taken_in, ways

TEXTS = st.one_of(
    st.sampled_from(
        [
            "yes",
            "no",
            "negative",
            "positive",
            "never",
            "save",
            "now",
            "undated",
            "unknown",
            "kg",
            "Cel",
            "1,5",
        ]
    ),
    st.sampled_from([DAY, CLOCK, "2026-02-30", "1850-01-01", "25:00", "2026-10-06", "14:03", "none"]),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-1000, max_value=10**6, places=3).map(str),
    st.integers(-5, 10**6).map(str),
    st.text(max_size=12),
)
NAMES = ("value", "unit", "on", "time", "when", "say", "ref_low", "ref_high", "remove")


@st.composite
def forms(draw):
    """A fact with a good answer of which a few fields were typed anew, or left out."""
    fact = draw(st.sampled_from(SINGLE))
    typed, _ = draw(st.sampled_from(ways(VOCABULARY[fact])))
    changes = draw(st.dictionaries(st.sampled_from(NAMES), TEXTS, max_size=3))
    left_out = draw(st.sets(st.sampled_from(NAMES), max_size=2))
    fields = {**typed, **dated(fact), **changes}
    return fact, {name: text for name, text in fields.items() if name not in left_out}


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)  # a busy machine is no fault
@given(forms())
@example(("weight", {"value": "0.30000000000001", "unit": "kg", "when": "now"}))
@example(("temperature", {"value": "98.6", "unit": "[degF]", "when": "now"}))
def test_what_is_read_is_refused_or_taken_with_the_value_that_was_typed(form):
    fact, fields = form
    definition = VOCABULARY[fact]
    try:
        read = answer(fact, fields)
    except BadAnswer as bad:
        assert bad.errors and all(bad.errors.values())
        return
    try:
        readings = taken_in(fact, read)
    except BadInput as bad:
        assert input_errors(definition, bad)
        return
    if read is None:
        assert fields["say"].strip() == "unknown"
        return
    [reading] = readings
    assert reading.value == meaning(definition, fields)


def meaning(definition, fields):
    """What the fields mean, worked out by itself."""
    said, text = fields.get("say", "").strip(), fields.get("value", "").strip()
    if said in definition.words:
        return said
    match definition.type:
        case "code":
            return text
        case "date":
            return date.fromisoformat(text)
        case "integer":
            return int(text)
    return definition.units[fields.get("unit", "").strip()].convert(Decimal(text))
