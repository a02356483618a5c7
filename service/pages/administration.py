"""Administration."""

from flask import Response

from service.access.roles import Permission
from service.pages.rendering import page
from service.pages.section import Section

section = Section()


@section.page("/accounts", needs=Permission.ACCOUNTS_MANAGE)
def accounts() -> Response:
    """Show it."""
    return page("account.html")


@section.page("/keys", needs=Permission.KEYS_MANAGE)
def api_keys() -> Response:
    """Show it."""
    return page("account.html")
