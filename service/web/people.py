"""What administrators do with accounts, for the API and the pages alike."""

from typing import Any

from service.access.account import Account
from service.web.parts import act, parts, principal

_OTHERS_DECIDE = {"role", "password", "disabled"}


class OwnAccount(Exception):
    """Somebody asked for what another administrator has to decide about them."""


def change_account(name: str, given: dict[str, Any]) -> Account:
    """Change an account as an administrator may: its `role`, `full_name` or `password`, or `disabled`.

    Of one's own account only the full name is changed so; a new password is expired at once. Raises
    OwnAccount, LastAdmin, NoSuchAccount, BadAccount, StoreUnavailable.
    """
    if principal().actor == f"user:{name}" and _OTHERS_DECIDE & set(given):
        raise OwnAccount
    return parts().accounts.change(name, act(), **given, expired=True, keep_an_admin=True)
