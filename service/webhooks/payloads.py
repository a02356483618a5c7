"""What a message says. It is made from the record each time it is sent, and is the same bytes each time."""

import json
from typing import Any

from sqlalchemy import Connection, Row, select

from service.records.canonical import canonical
from service.records.journal import Event
from service.records.tables import checklists, contents, journal, moment_text
from service.webhooks.endpoints import EventType
from service.webhooks.threads import status_before, thread_of

MOST_BYTES = 20_000
_ANSWERS = {Event.WARN_ACKNOWLEDGED: "acknowledged", Event.BLOCK_OVERRIDDEN: "overridden"}
# What of an entry's details only a full message says; words of people are in none.
_FULLY = {
    EventType.OVERRIDE_RECORDED: ("check", "rule", "reason"),
    EventType.OUTCOME_RECORDED: ("outcome", "reason"),
}


def payload(
    connection: Connection, site: str, sequence: int, type: str, *, full: bool, public_url: str
) -> bytes | None:
    """The body of the message of this type about an entry; None where its patient was erased.

    Where not `full`, it names the checklist and says of the patient no more than the site's own reference.
    """
    wanted = select(journal).where(journal.c.site == site, journal.c.sequence == sequence)
    entry = connection.execute(wanted).one()
    if type == EventType.PACK_RELEASED:
        told = {name: entry.details[name] for name in ("version", "digest")}
        return _body(entry, type, {"site": site, "drug": entry.subject, **told})
    row = _content(connection, site, entry.subject)
    if row is None:
        return None
    data = {
        "checklist": row.id,
        "site": site,
        "drug": row.drug,
        "status": row.status,
        "patient": {"id": row.patient},
        "infusion_at": row.infusion_at,
        "link": f"{public_url}/api/v1/checklists/{row.id}",
    }
    if type == EventType.STATUS_CHANGED:
        data["previous_status"] = status_before(thread_of(connection, site, row.id), row.id)
    if type == EventType.OVERRIDE_RECORDED:
        data["answer"] = _ANSWERS[Event(entry.event)]
    if not full:
        return _body(entry, type, data)
    fully = _FULLY.get(EventType(type), ())
    data |= {name: entry.details[name] for name in fully if name in entry.details}
    whole = _body(entry, type, {**data, "result": json.loads(row.result)})
    return whole if len(whole) < MOST_BYTES else _body(entry, type, {**data, "result_too_long": True})


def _body(entry: Row[Any], type: str, data: dict[str, Any]) -> bytes:
    return canonical({"type": type, "timestamp": moment_text(entry.at), "data": data})


def _content(connection: Connection, site: str, checklist: str) -> Row[Any] | None:
    wanted = (
        select(checklists.c.id, checklists.c.drug, checklists.c.status, contents)
        .join(contents, contents.c.checklist == checklists.c.id)
        .where(checklists.c.id == checklist, checklists.c.site == site)
    )
    return connection.execute(wanted).one_or_none()
