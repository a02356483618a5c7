"""The real application at a public https address, behind one proxy, at a time that a test moves."""

from dataclasses import replace

import pytest

from tests.access.conftest import act, app, clock, journaled, parts  # noqa: F401  fixtures
from tests.ehr.an_ehr import PUBLIC_URL


@pytest.fixture
def settings(settings):
    """A service as a site runs it."""
    return replace(settings, public_url=PUBLIC_URL, trusted_proxies=1)
