"""${message}."""

from alembic import op
import sqlalchemy as sa

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
# Services of this revision and later may go on with the tables as they are then: README.md says when.
oldest = revision


def upgrade() -> None:
    """Bring the tables up."""
    ${upgrades if upgrades else "pass"}
