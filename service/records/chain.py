"""The chain of a site as documents: what `verify` reads, and what an export holds, a document a line.

First the header and the texts of rules and policies; then each entry, with what opens its commitments, the
row of the checklist that it made and the checkpoint that signs it; then what belongs to no entry; then, which
no export holds, all who are registered; last the head. Columns are read as they are stored.
"""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    String,
    Text,
    case,
    cast,
    exists,
    func,
    select,
    type_coerce,
)

from service.knowledge.library import POLICY
from service.records.journal import Event
from service.records.raw import parsed, raw
from service.records.registered_rows import registered
from service.records.tables import (
    chains,
    checklists,
    checkpoints,
    contents,
    flagged,
    journal,
    knowledge,
    policies,
    remarks,
)

FORMAT = "dosegate-journal/1"
_PAGE = 50
_PARTS = ("patient", "infusion_at", "infusion_utc", "request", "result", "trace")
_TOLD = ("id", "site", "actor", "drug", "status", "pack", "knowledge", "policy", "supersedes")
_FLAG = ("rule", "check", "verdict", "status")

Document = dict[str, Any]


def documents(
    connection: Connection,
    site: str,
    exported_at: str,
    head: Document | None = None,
    *,
    openings: bool = True,
) -> Iterator[Document]:
    """The chain of a site, read in one transaction.

    `head` is what was its head at the last entry that is wanted, where that is not the head that it has now:
    then all who are registered, as they are now, are left out. Without `openings` nothing is in it that
    may be erased.
    """
    through = head["sequence"] if head else None
    others = connection.scalars(
        select(chains.c.site).where(chains.c.site != site).order_by(chains.c.site)
    ).all()
    yield {
        "header": {
            "format": FORMAT,
            "site": site,
            "others": [*others],
            "exported_at": exported_at,
            "openings": openings,
        }
    }
    yield from _rules(connection)
    wanted = _entries(site, through).execution_options(yield_per=_PAGE)
    entries = 0
    for page in connection.execute(wanted).partitions():
        for document in _page(connection, site, [_entry(row) for row in page], openings=openings):
            entries += 1
            yield document
    yield from _left_over(connection, site, through)
    if not head:
        yield {"registered": registered(connection, site)}
    yield {"head": head or _head(connection, site), "entries": entries}


def head_of(connection: Connection, site: str) -> int:
    """The number of the last entry of a site, as its head has it; 0 where there is none."""
    found: int = _head(connection, site)["sequence"]
    return found


def entries_of(connection: Connection, site: str, through: int) -> Iterator[Document]:
    """The entries alone."""
    wanted = _entries(site, through).execution_options(yield_per=_PAGE)
    yield from map(_entry, connection.execute(wanted))


def _head(connection: Connection, site: str) -> Document:
    row = connection.execute(select(*map(raw, chains.c)).where(chains.c.site == site)).first()
    return dict(row._mapping) if row else {**dict.fromkeys(chains.c.keys(), ""), "site": site, "sequence": 0}


def _rules(connection: Connection) -> Iterator[Document]:
    """The texts that digests are of: canonical JSON of the files by name."""
    for row in connection.execute(select(knowledge).execution_options(yield_per=1)):
        yield {"rules": {row.digest: _canonical(parsed(row.files))}}
    for row in connection.execute(select(policies).execution_options(yield_per=1)):
        yield {"rules": {row.digest: _canonical({POLICY: row.text})}}


def _canonical(files: Any) -> str:
    return json.dumps(files, sort_keys=True, separators=(",", ":"))


def _entries(site: str, through: int | None) -> Select[Any]:
    wanted = select(*map(raw, journal.c)).where(journal.c.site == site).order_by(journal.c.sequence)
    return wanted if through is None else wanted.where(journal.c.sequence <= through)


def _entry(row: Row[Any]) -> Document:
    # SQLite keeps bytes in any column, and JSON has none.
    entry = {name: repr(each) if isinstance(each, bytes) else each for name, each in row._mapping.items()}
    return {**entry, **{name: parsed(entry[name]) for name in ("details", "commitments")}}


def _page(
    connection: Connection, site: str, entries: list[Document], *, openings: bool
) -> Iterator[Document]:
    """These entries with what goes with them."""
    made = [entry["subject"] for entry in entries if entry["event"] == Event.CHECKLIST_MADE]
    named = [remark for entry in entries if isinstance(remark := _remark(entry), str)]
    stored = _stored(connection, site, made)
    signed = {each["sequence"]: each for each in _signed(connection, site, entries)}
    opens = {**_contents(connection, site, made), **_remarks(connection, site, named)} if openings else {}
    for entry in entries:
        of = entry["subject"] if entry["event"] == Event.CHECKLIST_MADE else _remark(entry)
        beside = {
            "opens": opens.get(of) if isinstance(of, str) else None,
            "checklist": stored.get(entry["subject"]) if entry["event"] == Event.CHECKLIST_MADE else None,
            "checkpoint": signed.get(entry["sequence"]),
        }
        yield {"entry": entry, **{name: each for name, each in beside.items() if each is not None}}


def _remark(entry: Document) -> Any:
    return entry["details"].get("remark") if isinstance(entry["details"], dict) else None


def _stored(connection: Connection, site: str, made: list[str]) -> Mapping[str, Document]:
    columns = [checklists.c[name] for name in _TOLD]
    wanted = select(*columns, type_coerce(checklists.c.created_at, String).label("evaluated_at"))
    rows = connection.execute(wanted.where(checklists.c.id.in_(made), checklists.c.site == site))
    found = {row.id: {**row._mapping, "flags": []} for row in rows}
    flags = select(*(flagged.c[name] for name in ("checklist", *_FLAG))).where(flagged.c.checklist.in_(found))
    for id, *flag in sorted(connection.execute(flags), key=lambda row: str(row.rule)):
        found[id]["flags"].append(flag)
    return found


def _signed(connection: Connection, site: str, entries: list[Document]) -> list[Document]:
    numbers = [entry["sequence"] for entry in entries]
    wanted = select(*map(raw, checkpoints.c)).where(
        checkpoints.c.site == site, checkpoints.c.sequence.in_(numbers)
    )
    return [dict(row._mapping) for row in connection.execute(wanted)]


def _contents(connection: Connection, site: str, made: list[str]) -> Mapping[str, Document]:
    wanted = select(*map(raw, contents.c)).where(contents.c.checklist.in_(made), contents.c.site == site)
    rows = connection.execute(wanted)
    return {row.checklist: _opens(row.salt, {part: row._mapping[part] for part in _PARTS}) for row in rows}


def _remarks(connection: Connection, site: str, named: list[str]) -> Mapping[str, Document]:
    wanted = select(*map(raw, remarks.c)).where(remarks.c.id.in_(named), remarks.c.site == site)
    found = {}
    for row in connection.execute(wanted):
        parts = parsed(row.parts)
        parts = parts if isinstance(parts, dict) and "patient" not in parts else {"": parts}
        patient = {} if row.patient is None else {"patient": row.patient}
        found[row.id] = _opens(row.salt, {**parts, **patient})
    return found


def _opens(salt: Any, parts: Mapping[str, Any]) -> Document:
    return {"salt": _base64(salt), "parts": {part: _base64(value) for part, value in parts.items()}}


def _base64(value: Any) -> str:
    return b64encode(bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()).decode()


def _left_over(connection: Connection, site: str, through: int | None) -> Iterator[Document]:
    """Checkpoints of entries that are not there, and what no entry made."""
    numbers = select(journal.c.sequence).where(journal.c.site == site)
    lost = select(*map(raw, checkpoints.c)).where(
        checkpoints.c.site == site, checkpoints.c.sequence.not_in(numbers)
    )
    lost = lost if through is None else lost.where(checkpoints.c.sequence <= through)
    for row in connection.execute(lost.order_by(checkpoints.c.sequence).execution_options(yield_per=_PAGE)):
        yield {"checkpoint": dict(row._mapping)}
    remarked = select(_remark_column(connection)).where(
        journal.c.site == site, _remark_column(connection).is_not(None)
    )
    orphans = {
        "checklist": select(checklists.c.id).where(checklists.c.site == site, ~_was_made(checklists.c.id)),
        "contents of checklist": select(contents.c.checklist).where(
            contents.c.site == site, ~_was_made(contents.c.checklist)
        ),
        "remark": select(remarks.c.id).where(remarks.c.site == site, remarks.c.id.not_in(remarked)),
    }
    for what, wanted in orphans.items():
        for id in connection.scalars(wanted.execution_options(yield_per=_PAGE)):
            yield {"orphan": {what: id}}


def _was_made(id: ColumnElement[Any]) -> ColumnElement[bool]:
    made = journal.c.event == Event.CHECKLIST_MADE.value
    site = id.table.c.site
    return exists().where(journal.c.site == site, journal.c.subject == id, made)


def _remark_column(connection: Connection) -> ColumnElement[Any]:
    """The remark that an entry names; SQLite keeps JSON as any text, and fails on what is none."""
    remark: ColumnElement[Any] = journal.c.details["remark"].as_string()
    if connection.dialect.name != "sqlite":
        return remark
    return case((func.json_valid(cast(journal.c.details, Text)) == 1, remark))
