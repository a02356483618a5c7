"""Who asks: a person in a session, or a machine client with a key."""

from dataclasses import dataclass
from datetime import datetime

from service.access.roles import Permission
from service.records.journal import Act


class NotSignedIn(Exception):
    """Nobody showed who they are, or what they showed is not valid (any longer)."""


class SessionLocked(Exception):
    """The session is locked: its owner enters the PIN, and goes on where the work was left."""


class PasswordExpired(Exception):
    """Somebody else has set the password: its owner chooses another one before anything else."""


@dataclass(eq=False)
class MayNot(Exception):
    """Somebody known asked for what is not theirs to do."""

    permission: Permission


@dataclass(frozen=True)
class Principal:
    """Somebody known. `actor` is as in the journal; `account` is the id of a person's account.

    `role` is a role, or client; `name` is the person's printed name, or the name of the key. Whose password
    is expired can only choose another one.
    """

    actor: str
    role: str
    name: str
    permissions: frozenset[Permission]
    account: str | None = None
    password_expired: bool = False

    def may(self, permission: Permission) -> bool:
        """Whether this is allowed."""
        return permission in self.permissions

    def check_may(self, permission: Permission) -> None:
        """Return where this is allowed. Raises MayNot."""
        if not self.may(permission):
            raise MayNot(permission)

    def act(self, request: str, at: datetime) -> Act:
        """What this one does in a request."""
        return Act(self.actor, self.role, request, at)
