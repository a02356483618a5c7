"""Where the chain of a site stands, which is cheap to tell; and the whole of it verified, which is not."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from service.records.chain import documents
from service.records.journal import Act, Event, JournalEntry
from service.records.signing import Checkpoint
from service.records.site import SiteRecords
from service.records.tables import chains, checkpoints, journal, moment_text
from service.records.verify import Report, verify

SUBJECT = "chain"  # what the entry of a verification is about
# A longer chain takes longer than a request may: it is verified at the command line.
MOST_VERIFIED = 10_000


class ChainTooLong(Exception):
    """The chain has more entries than are verified within a request."""


@dataclass(frozen=True)
class ChainState:
    """The head of a chain and its last checkpoint, each with whether a trusted key signed it.

    `verified` is the entry of the last verification within a request.
    """

    head: Checkpoint
    head_signed: bool
    checkpoint: Checkpoint | None
    checkpoint_signed: bool
    verified: JournalEntry | None

    @property
    def is_short(self) -> bool:
        """Whether it can be verified within a request."""
        return self.head.sequence <= MOST_VERIFIED


def chain_state(records: SiteRecords) -> ChainState:
    """Where the chain stands now. Raises StoreUnavailable."""
    with records.reading() as connection:
        return _state(connection, records)


def _state(connection: Connection, records: SiteRecords) -> ChainState:
    row = connection.execute(select(chains).where(chains.c.site == records.site)).one()
    signed = connection.execute(
        select(checkpoints)
        .where(checkpoints.c.site == records.site)
        .order_by(checkpoints.c.sequence.desc())
        .limit(1)
    ).first()
    verified = connection.execute(
        select(journal)
        .where(journal.c.site == records.site, journal.c.subject == SUBJECT)
        .order_by(journal.c.sequence.desc())
        .limit(1)
    ).first()
    head = Checkpoint(**row._mapping)
    checkpoint = Checkpoint(**signed._mapping) if signed else None
    return ChainState(
        head=head,
        head_signed=records.keys.signed_head(head),
        checkpoint=checkpoint,
        checkpoint_signed=checkpoint is not None and records.keys.verifies(checkpoint.document()),
        verified=JournalEntry(**verified._mapping) if verified else None,
    )


def verify_chain(records: SiteRecords, act: Act) -> Report:
    """The whole chain verified, with all that it commits to; entered with what was found.

    Raises ChainTooLong, StoreUnavailable.
    """
    if not chain_state(records).is_short:
        raise ChainTooLong
    with records.database.snapshot() as connection:
        report = verify(documents(connection, records.site, moment_text(act.at)), records.keys)
    found = {"through": report.last, "faults": len(report.faults) + report.unlisted, "signed": report.signed}
    records.enter(act, Event.JOURNAL_VIEWED, SUBJECT, found)
    return report
