"""What earlier checklists of a patient still say, to begin the next one with.

Facts that last and dated results are carried, nothing else: what was true of one visit is asked again. A list
that is carried may have other entries by now, and says so. Nobody is shown anything here: whoever is shown
what was carried is entered with what they do.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select

from service.checklist.facts import FINAL_STATUSES, FactDefinition
from service.intake.documents import plain
from service.intake.errors import BadInput
from service.intake.json_text import parse_request
from service.intake.second_person import RulesChanged, facts_received
from service.intake.values import LONGEST_TEXT, Refused, is_unknown, read_moment
from service.knowledge.library import Library
from service.records.search import newer
from service.records.site import SiteRecords
from service.records.tables import checklists, contents

MOST_LOOKED_AT, MOST_READINGS = 20, 20
# A measure of the moment: a fever of another visit would contradict what is said at this one.
_OF_ONE_VISIT = frozenset({"temperature"})

Known = tuple[
    str, Mapping[str, Any]
]  # what a source is called that has no name, and the facts received there


def carried_facts(records: SiteRecords, patient: str, drug: str, library: Library) -> dict[str, Any]:
    """The facts that still hold of a patient, of those that the rules of a drug (a pack's id) read.

    They are as a request gives them. Of checklists of any drug that stand, the newest ones are looked at;
    what was erased is not there. Empty where nothing is known. Raises StoreUnavailable.
    """
    with records.reading() as connection:
        return carried_in(connection, records.site, patient, drug, library)


def carried_in(
    connection: Connection, site: str, patient: str, drug: str, library: Library
) -> dict[str, Any]:
    """The same within a transaction."""
    known = list(_known(connection, site, patient, library))
    read = (name for name in library.packs[drug].facts_read if name not in _OF_ONE_VISIT)
    found = ((name, _carried(library.vocabulary[name], known)) for name in read)
    return {name: fact for name, fact in found if fact is not None}


def _known(connection: Connection, site: str, patient: str, library: Library) -> Iterator[Known]:
    """What each of the newest checklists was told that nothing corrects, the newest first."""
    joined = contents.join(checklists, checklists.c.id == contents.c.checklist)
    wanted = (
        select(checklists.c.id, contents.c.request)
        .select_from(joined.outerjoin(newer, newer.c.supersedes == checklists.c.id))
        .where(contents.c.site == site, contents.c.patient == patient, newer.c.id.is_(None))
        .order_by(checklists.c.created_at.desc(), checklists.c.id.desc())
        .limit(MOST_LOOKED_AT)
    )
    for row in connection.execute(wanted):
        try:
            received = facts_received(parse_request(row.request), library)
        except (RulesChanged, BadInput):
            continue  # by the vocabulary of today it says nothing
        yield f"checklist {row.id}", plain(received)


def _carried(definition: FactDefinition, known: Iterable[Known]) -> Any:
    """What is carried of one fact, None for nothing."""
    given = [
        (said_by, facts[definition.name])
        for said_by, facts in known
        if not is_unknown(facts.get(definition.name))
    ]
    if definition.result:
        return _results(definition, given, _taken_back(definition, known)) or None
    if not definition.lasting:
        return None
    named = [(said_by, spec) for said_by, fact in given if not is_unknown((spec := _spec(fact))["value"])]
    if not named:
        return None
    if definition.type == "list":
        return _entries(named)
    said_by, spec = named[0]
    return {"value": spec["value"], "source": spec.get("source") or said_by}


def _taken_back(definition: FactDefinition, known: Iterable[Known]) -> frozenset[str]:
    """The checklists that are older than one which says that a fact is not known: what it had was removed."""
    said = iter(known)
    any(definition.name in facts and is_unknown(facts[definition.name]) for _, facts in said)
    return frozenset(said_by for said_by, _ in said)


def _entries(named: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """The entries of all lists, each once: what was on record once is not forgotten by being left out."""
    entries = {json.dumps(each, sort_keys=True): each for _, spec in named for each in spec["value"]}
    sources = dict.fromkeys(spec.get("source") or said_by for said_by, spec in named if spec["value"])
    source = ", ".join(sources)[:LONGEST_TEXT] or named[0][0]
    return {"value": [*entries.values()], "complete": "no", "source": source}


def _results(
    definition: FactDefinition, given: list[tuple[str, Any]], taken_back: frozenset[str]
) -> list[dict[str, Any]]:
    """The dated readings, the newest first; of what two checklists say of one and the same the newer word.

    One without a date cannot be placed, and one of a checklist in `taken_back` was removed since: these are
    carried only where they would not clear however old they are.
    """
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for said_by, fact in given:
        here: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for reading in map(_spec, fact if isinstance(fact, list) else [fact]):
            if said_by in taken_back and reading["value"] not in definition.never_stale:
                continue
            kept = {**reading, "source": reading.get("source") or said_by}
            here.setdefault((str(kept.get("at")), kept["source"]), []).append(kept)
        found = {**here, **found}
    readings = [each for several in found.values() for each in several if _still_counts(each, definition)]
    readings.sort(key=_when, reverse=True)
    never_stale = [each for each in readings[MOST_READINGS:] if each["value"] in definition.never_stale]
    return [*readings[:MOST_READINGS], *never_stale]


def _still_counts(reading: Mapping[str, Any], definition: FactDefinition) -> bool:
    if (reading.get("status") or "final") not in FINAL_STATUSES:
        return False
    if reading.get("at") is None:
        return reading["value"] in definition.never_stale
    return not is_unknown(reading["value"]) or bool(reading.get("unreadable"))


def _when(reading: Mapping[str, Any]) -> tuple[datetime, str]:
    """When it is of, to order by; and its source, so that the order is always the same."""
    try:
        at = read_moment(reading.get("at"))
    except Refused:
        return datetime.min.replace(tzinfo=UTC), reading["source"]
    moment = at if isinstance(at, datetime) else datetime(at.year, at.month, at.day, tzinfo=UTC)
    return moment.astimezone(UTC), reading["source"]


def _spec(fact: Any) -> dict[str, Any]:
    return dict(fact) if isinstance(fact, dict) else {"value": fact}
