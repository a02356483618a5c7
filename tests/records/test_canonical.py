"""Canonical JSON: one document, one sequence of bytes."""

import json

import pytest

from service.records.canonical import canonical


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"b": 1, "a": [1.5, None, True]}, '{"a":[1.5,null,true],"b":1}'),
        ({"é": 'µ≥ \n"'}, '{"é":"µ≥ \\n\\""}'),
        ({}, "{}"),
    ],
)
def test_keys_are_sorted_and_nothing_is_added(document, text):
    assert canonical(document) == text.encode()


def test_the_order_in_which_a_document_was_made_does_not_matter():
    assert canonical({"a": 1, "b": {"c": 2, "d": 3}}) == canonical({"b": {"d": 3, "c": 2}, "a": 1})


def test_reading_and_writing_again_changes_nothing():
    first = canonical({"number": 0.1, "text": "x", "list": [3, 2.50, 1e-7]})
    assert canonical(json.loads(first)) == first


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_json_cannot_say_is_refused(number):
    with pytest.raises(ValueError, match="JSON"):
        canonical({"x": number})
