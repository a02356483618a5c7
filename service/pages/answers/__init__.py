"""One fact of the vocabulary as it is asked on a page and read back; nothing here knows a single fact.

`control_of` makes what `answers/control.html` shows; its fields are named after the fact, so that a form may
hold several. `read_answer` reads the form, or raises `BadAnswer` with what to show again. What the intake
refuses afterwards is brought back to the fields by `input_errors`.
"""

from service.pages.answers.asked import Asked, own_limits, source_of
from service.pages.answers.asking import control_of
from service.pages.answers.controls import Control
from service.pages.answers.faults import input_errors
from service.pages.answers.form import BadAnswer, typed_for
from service.pages.answers.reading import read_answer

__all__ = [
    "Asked",
    "BadAnswer",
    "Control",
    "control_of",
    "input_errors",
    "own_limits",
    "read_answer",
    "source_of",
    "typed_for",
]
