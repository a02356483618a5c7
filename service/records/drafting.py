"""A checklist in the making: answers come in one by one, and each is kept, evaluated and entered at once.

The draft is the request for a checklist, with who gave which answer and when beside it. What was shown to
somebody can be made again: each state of the draft is kept as words of its journal entry, which also names
the pack, the policy and the status that came out, and is erased with the patient.
"""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.intake.answers import Answer, answer_to
from service.intake.errors import BadInput
from service.records.canonical import canonical
from service.records.drafts import Draft, Drafts
from service.records.journal import Act, Event
from service.records.making import Making
from service.records.site import Writing
from service.records.stored import StoredChecklist
from service.records.tables import moment_text
from service.records.visits import Person

ANSWERS = "answers"  # beside the request: fact to who answered it, and when


class NotADraftOfOurs(Exception):
    """The draft was kept by another program, and is no request for a checklist."""


@dataclass(frozen=True)
class Answered:
    """Who answered a question, by the printed name, and when."""

    name: str
    at: datetime


@dataclass(frozen=True)
class Drafted:
    """A draft as it is now: the request, who answered what, who kept it last and when, and what comes out."""

    id: str
    request: Mapping[str, Any]
    answers: Mapping[str, Answered]
    kept_by: str
    kept_at: datetime
    evaluated: Answer

    @property
    def facts(self) -> Mapping[str, Any]:
        """The facts as they were given."""
        found: Mapping[str, Any] = self.request.get("facts", {})
        return found


class Drafting:
    """The checklists in the making of one site. All of it raises StoreUnavailable."""

    def __init__(self, making: Making, drafts: Drafts) -> None:
        self._making, self._drafts = making, drafts

    def begin(self, request: Mapping[str, Any], by: Person) -> Drafted:
        """Begin a draft of a request as far as it is known. Raises BadInput."""
        id, document = str(uuid.uuid4()), {**request, ANSWERS: {}}
        evaluated = self._evaluated(id, document, by.act)
        with self._making.store.records.writing() as writing:
            kept = self._keep(writing, id, document, evaluated, by=by)
        return _drafted(kept, document, evaluated)

    def read(self, id: str, act: Act) -> Drafted:
        """A draft, for somebody to go on with; evaluated as of now. Raises NoSuchDraft, NotADraftOfOurs."""
        draft = self._drafts.read(id, act)
        return self._drafted(draft, act)

    def answer(self, id: str, facts: Mapping[str, Any], by: Person) -> Drafted:
        """Give facts their values, None for not known. Raises BadInput, NoSuchDraft, NotADraftOfOurs.

        Two who answer different questions at once lose neither answer.
        """

        def changed(document: dict[str, Any]) -> dict[str, Any]:
            known = {**document.get("facts", {}), **facts}
            who = {"name": by.name, "at": moment_text(by.act.at)}
            answers = {**document[ANSWERS], **dict.fromkeys(facts, who)}
            return {**document, "facts": known, ANSWERS: answers}

        return self._changed(id, changed, by, tuple(facts))

    def plan(self, id: str, infusion_at: datetime, by: Person) -> Drafted:
        """Move the planned start. Raises BadInput, NoSuchDraft, NotADraftOfOurs."""
        return self._changed(
            id, lambda document: {**document, "infusion_at": infusion_at.isoformat()}, by, ("infusion_at",)
        )

    def record(self, id: str, act: Act) -> StoredChecklist:
        """Make the checklist of a draft, which is then discarded.

        Raises BadInput, CannotSupersede, NoSuchDraft, NotADraftOfOurs.
        """
        draft = self._drafts.read(id, act)
        kept, _ = self._making.make(canonical(_request(_document(draft.body))), act)
        self._drafts.discard(id, act)
        return kept

    def discard(self, id: str, act: Act) -> None:
        """Forget a draft. Raises NoSuchDraft."""
        self._drafts.discard(id, act)

    def _changed(
        self,
        id: str,
        change: Callable[[dict[str, Any]], dict[str, Any]],
        by: Person,
        changed: tuple[str, ...],
    ) -> Drafted:
        with self._drafts.changing(id) as (writing, draft):
            document = change(_document(draft.body))
            evaluated = self._evaluated(id, document, by.act)
            kept = self._keep(writing, id, document, evaluated, by=by, changed=changed)
        return _drafted(kept, document, evaluated)

    def _keep(
        self,
        writing: Writing,
        id: str,
        document: Mapping[str, Any],
        evaluated: Answer,
        *,
        by: Person,
        changed: tuple[str, ...] = (),
    ) -> Draft:
        result, patient = evaluated.result, evaluated.request.patient
        kept, _ = self._drafts.put(writing, id, canonical(document), patient, by.act)
        details = {
            "drug": result["drug"],
            "status": result["status"],
            "pack": result["pack"]["digest"],
            "policy": result["policy"]["digest"],
            "changed": list(changed),
        }
        shown = {"request": canonical(_request(document)).decode()}
        writing.remark(by.act, Event.DRAFT_KEPT, id, details=details, parts=shown, patient=patient)
        return kept

    def _evaluated(self, id: str, document: Mapping[str, Any], act: Act) -> Answer:
        body, library = canonical(_request(document)), self._making.library
        return answer_to(body, library, id=id, evaluated_at=act.at, site=self._making.store.records.site)

    def _drafted(self, draft: Draft, act: Act) -> Drafted:
        document = _document(draft.body)
        try:
            return _drafted(draft, document, self._evaluated(draft.id, document, act))
        except BadInput:
            raise NotADraftOfOurs from None


def _document(body: bytes) -> dict[str, Any]:
    document = json.loads(body)
    if not isinstance(document, dict) or not isinstance(document.get(ANSWERS), dict):
        raise NotADraftOfOurs
    return document


def _request(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in document.items() if name != ANSWERS}


def _drafted(draft: Draft, document: Mapping[str, Any], evaluated: Answer) -> Drafted:
    answers = {
        name: Answered(who["name"], datetime.fromisoformat(who["at"]))
        for name, who in document[ANSWERS].items()
    }
    return Drafted(draft.id, _request(document), answers, draft.actor, draft.updated_at, evaluated)
