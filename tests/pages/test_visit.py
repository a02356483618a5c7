"""The page of a recorded checklist: findings answered, signatures and outcomes, by role."""

import pytest

from tests.pages.visit_forms import made, page_of
from tests.people import signed_in

pytestmark = pytest.mark.any_database


def test_smoke(app):
    nina = signed_in(app, "nurse", "nina")
    assert "Acknowledge" in page_of(nina, made(app, "resolved"))
