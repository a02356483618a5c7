"""What every page has, in a browser."""

import pytest
from jinja2 import UndefinedError

pytestmark = pytest.mark.any_database


def test_the_frame_shows_who_is_signed_in_and_loads_nothing_from_elsewhere(a_person, address):
    page, asked = a_person(), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/account")
    assert page.get_by_role("heading", level=1).inner_text() == page.account.full_name
    page.wait_for_function("document.body.classList.contains('js-enabled')")
    assert asked and all(url.startswith(address) for url in asked)


def test_a_template_that_asks_for_what_it_is_not_given_fails_and_what_it_is_given_is_text(app):
    with app.test_request_context("/"):
        template = app.jinja_env.from_string("{{ finding.reason }}")
        assert template.render(finding={"reason": "<b>"}) == "&lt;b&gt;"
        with pytest.raises(UndefinedError):
            template.render(finding={})
