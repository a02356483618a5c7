"""Impact: what the stored checklists of a drug would be under other rules. Nothing of it is recorded here."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Row, Select, func, select, tuple_

from service.checklist.rules import Pack, Status
from service.intake.answers import answer_to
from service.intake.errors import BadInput, FieldError
from service.knowledge.library import Library
from service.records.canonical import canonical
from service.records.site import SiteRecords
from service.records.tables import checklists, contents

_BATCH = 100
_NO_FINDING = Status.PASS.word
_DECISIVE = {"kind", "override", "eligible_from", "minutes_after"}
_PLACE = re.compile(r"\[\d+\]")
OBSERVATION = "observation"


@dataclass(frozen=True)
class Asked:
    """Which checklists: those of a pack's drug made from one day to another, in UTC, both inclusive.

    None is no bound; nothing that is made after `at` counts, so that a clinic at work does not move the end.
    """

    pack: Pack
    at: datetime
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class Step:
    """What one rule answers, before and after: two statuses, where pass is also said of no finding.

    `rule` is None where the check itself answers. Where both statuses are the same, `differs` names the parts
    of the finding that are not.
    """

    check: str
    rule: str | None
    before: str
    after: str
    differs: tuple[str, ...] = ()

    @property
    def only_words(self) -> bool:
        """Whether it says the same in other words, or gives other reasons for it."""
        return self.before == self.after and _DECISIVE.isdisjoint(self.differs)


@dataclass(frozen=True)
class Assessed:
    """One stored checklist under the other rules; `made_with` is the version of the pack it was made with.

    `after` is None where there is no answer: the request is refused with `errors`, or the patient was erased.
    `fault` says that the rules engine failed, which holds the infusion and says nothing of a rule.
    """

    id: str
    made_at: datetime
    patient: str | None
    before: str
    after: str | None
    made_with: str | None = None
    steps: tuple[Step, ...] = ()
    errors: tuple[FieldError, ...] = ()
    fault: bool = False

    @property
    def erased(self) -> bool:
        """Whether there is nothing left to evaluate."""
        return self.patient is None

    @property
    def changed(self) -> bool:
        """Whether its status, or what one of its findings asks of the nurse, would be another."""
        if self.after is None:
            return False
        return self.fault or self.after != self.before or not all(step.only_words for step in self.steps)

    @property
    def reworded(self) -> bool:
        """Whether it would only read differently."""
        return bool(self.steps) and not self.changed


def amount(records: SiteRecords, asked: Asked) -> tuple[int, int]:
    """How many checklists there are to assess, and how many are left out as superseded."""
    with records.reading() as connection:
        every = connection.execute(_chosen(records, asked, func.count(), superseded_too=True)).scalar_one()
        current = connection.execute(_chosen(records, asked, func.count())).scalar_one()
    return current, every - current


def assess(records: SiteRecords, asked: Asked, library: Library) -> Iterator[Assessed]:
    """Every checklist that is asked for under the pack of this library, from the first one made.

    Reads a batch at a time, so that a long run holds up nobody. Raises StoreUnavailable.
    """
    last = None
    while rows := _batch(records, asked, last):
        for row in rows:
            yield _assessed(row, asked, library, records.site)
        last = rows[-1]


def _chosen(records: SiteRecords, asked: Asked, *columns: Any, superseded_too: bool = False) -> Select[Any]:
    made = checklists.c.created_at
    wanted = select(*columns).select_from(checklists)
    wanted = wanted.where(checklists.c.site == records.site, checklists.c.drug == asked.pack.id)
    wanted = wanted.where(made <= asked.at)
    if asked.since is not None:
        wanted = wanted.where(made >= datetime.combine(asked.since, time.min, UTC))
    if asked.until is not None:
        wanted = wanted.where(made < datetime.combine(asked.until + timedelta(days=1), time.min, UTC))
    if not superseded_too:
        newer = checklists.alias()
        wanted = wanted.where(~select(newer.c.id).where(newer.c.supersedes == checklists.c.id).exists())
    return wanted


def _batch(records: SiteRecords, asked: Asked, last: Row[Any] | None) -> Sequence[Row[Any]]:
    place = (checklists.c.created_at, checklists.c.id)
    content = (contents.c.patient, contents.c.request, contents.c.result)
    wanted = _chosen(records, asked, *place, checklists.c.status, *content)
    wanted = wanted.join(contents, contents.c.checklist == checklists.c.id, isouter=True)
    if last is not None:
        wanted = wanted.where(tuple_(*place) > (last.created_at, last.id))
    with records.reading() as connection:
        return connection.execute(wanted.order_by(*place).limit(_BATCH)).all()


def _assessed(row: Row[Any], asked: Asked, library: Library, site: str) -> Assessed:
    kept = Assessed(row.id, row.created_at, row.patient, row.status, None)
    if kept.erased:
        return kept
    try:
        before = json.loads(row.result)
        kept = replace(kept, made_with=before["pack"]["version"])
        answered = answer_to(row.request, library, id=row.id, evaluated_at=row.created_at, site=site)
        if (named := answered.request.pack.id) != asked.pack.id:
            raise BadInput([FieldError("drug", f"is a name of {named} under these rules")])
        after, fault = json.loads(canonical(answered.result)), answered.checklist.trace.fault is not None
        steps = () if fault else tuple(_steps(before, after))
    except BadInput as bad:
        found = dict.fromkeys(FieldError(_any_item(each.path), each.message) for each in bad.errors)
        return replace(kept, errors=tuple(found))
    except Exception as error:  # one checklist stops nothing, and is not passed over either
        return replace(kept, errors=(FieldError("", f"cannot be evaluated ({type(error).__name__})"),))
    return replace(kept, after=after["status"], steps=steps, fault=fault)


def _any_item(path: str) -> str:
    """The path without the places of items in lists, so that one cause is one path."""
    return _PLACE.sub("[]", path)


def _steps(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Step]:
    """Where the findings of two results differ, in the order of the first and then of the second."""
    old, new = _by_rule(before), _by_rule(after)
    answered = {check for check, _ in old} & {check for check, _ in new}
    for check, rule in {**old, **new}:
        was, would_be = old.get((check, rule)), new.get((check, rule))
        # Where a rule has something to say, its check itself is silent: that is no change of its own.
        if was == would_be or (rule is None and None in (was, would_be) and check in answered):
            continue
        statuses = [each["status"] if each else _NO_FINDING for each in (was, would_be)]
        differs = () if len({*statuses}) > 1 else tuple(_differing(was or {}, would_be or {}))
        yield Step(check, rule, statuses[0], statuses[1], differs)
    watch = [json.dumps(each["observation"], sort_keys=True) for each in (before, after)]
    if watch[0] != watch[1]:
        named = tuple(_differing(before["observation"] or {}, after["observation"] or {}))
        yield Step(OBSERVATION, None, _NO_FINDING, _NO_FINDING, named)


def _by_rule(result: Mapping[str, Any]) -> dict[tuple[str, str | None], Mapping[str, Any]]:
    found = {(finding["check"], finding["rule"]): finding for finding in result["findings"]}
    # What a check that found nothing has read: every new rule adds to it.
    return {key: {**each, "because": None} if key[1] is None else each for key, each in found.items()}


def _differing(was: Mapping[str, Any], would_be: Mapping[str, Any]) -> list[str]:
    return sorted(key for key in {*was, *would_be} if was.get(key) != would_be.get(key))
