"""A checklist in the making: answers come in one by one, and each is kept, evaluated and entered at once.

The draft is the request for a checklist, with who gave which answer and when beside it. What was shown to
somebody can be made again: each state of the draft is kept as words of its journal entry, which also names
the pack, the policy and the status that came out, and is erased with the patient.
"""

import json
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.intake.answers import Answer, answer_to
from service.intake.errors import BadInput
from service.records.canonical import canonical
from service.records.drafts import Draft, Drafts, NoSuchDraft
from service.records.journal import Act, Event
from service.records.making import Making
from service.records.site import Writing
from service.records.stored import StoredChecklist
from service.records.tables import moment_text
from service.records.visits import Person

# Beside the request: fact to who answered it, and when; and the printed name of who kept it last.
ANSWERS, KEPT_BY = "answers", "kept_by"


# From a request as it is now to the facts that are given, by name.
Answers = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class NotADraftOfOurs(NoSuchDraft):
    """The draft was kept by another program, and is no request for a checklist."""


@dataclass(frozen=True)
class Answered:
    """Who answered a question, by the printed name, and when."""

    name: str
    at: datetime


@dataclass(frozen=True)
class Drafted:
    """A draft as it is now: the request, who answered what, who kept it last and when, and what comes out.

    `kept_by` is a printed name.
    """

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


@dataclass(frozen=True)
class Unfinished:
    """A draft as it is offered to go on with; `corrects` is the checklist that it corrects, if any."""

    id: str
    drug: str
    infusion_at: datetime
    kept_by: str
    kept_at: datetime
    corrects: str | None


class Drafting:
    """The checklists in the making of one site. All of it raises StoreUnavailable."""

    def __init__(self, making: Making, drafts: Drafts) -> None:
        self._making, self._drafts = making, drafts

    def begin(self, request: Mapping[str, Any], by: Person) -> Drafted:
        """Begin a draft of a request as far as it is known. Raises BadInput."""
        id, document = str(uuid.uuid4()), {**request, ANSWERS: {}, KEPT_BY: by.name}
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
        return self.answer_with(id, lambda _: facts, by)

    def answer_with(self, id: str, read: Answers, by: Person) -> Drafted:
        """The same, where the answers are read beside what is known so far: nobody changes that meanwhile.

        `read` may raise what it likes: then nothing is changed.
        """
        facts: dict[str, Any] = {}

        def changed(document: dict[str, Any]) -> dict[str, Any]:
            facts.update(read(_request(document)))
            known = {**document.get("facts", {}), **facts}
            who = {"name": by.name, "at": moment_text(by.act.at)}
            answers = {**document[ANSWERS], **dict.fromkeys(facts, who)}
            return {**document, "facts": known, ANSWERS: answers}

        return self._changed(id, changed, by, facts)

    def plan(self, id: str, infusion_at: datetime, by: Person) -> Drafted:
        """Move the planned start. Raises BadInput, NoSuchDraft, NotADraftOfOurs."""
        return self._changed(
            id, lambda document: {**document, "infusion_at": infusion_at.isoformat()}, by, ["infusion_at"]
        )

    def unfinished(self, patient: str, act: Act) -> list[Unfinished]:
        """The drafts of a patient that a checklist can come of, the one kept last first."""
        found = []
        for draft in self._drafts.of_patient(patient, act):
            try:
                found.append(_unfinished(draft))
            except NotADraftOfOurs:
                continue
        return found

    def record(self, id: str, act: Act) -> StoredChecklist:
        """Make the checklist of a draft, which is gone then. Asked again, it is the same checklist.

        Raises BadInput, CannotSupersede, DraftChanged where somebody answers meanwhile, NoSuchDraft,
        NotADraftOfOurs.
        """
        try:
            draft = self._drafts.read(id, act)
            body = canonical(_request(_document(draft.body)))
            kept, _ = self._making.make(
                body,
                act,
                also=lambda writing, made: self._drafts.became(writing, draft, made.id, act),
            )
        except NoSuchDraft:
            made = self._drafts.became_of(id)
            if made is None:
                raise
            return self._making.store.read(made, act)
        return kept

    def discard(self, id: str, act: Act) -> None:
        """Forget a draft. Raises NoSuchDraft."""
        self._drafts.discard(id, act)

    def _changed(
        self,
        id: str,
        change: Callable[[dict[str, Any]], dict[str, Any]],
        by: Person,
        changed: Collection[str],
    ) -> Drafted:
        with self._drafts.changing(id) as (writing, draft):
            document = {**change(_document(draft.body)), KEPT_BY: by.name}
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
        changed: Collection[str] = (),
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
    document: dict[str, Any] = json.loads(body)
    try:
        datetime.fromisoformat(document["infusion_at"])
        answered = [(who["name"], datetime.fromisoformat(who["at"])) for who in document[ANSWERS].values()]
        texts = [document["drug"], document[KEPT_BY], *(name for name, _ in answered)]
        objects = document, document.get("facts", {})
    except (KeyError, TypeError, AttributeError, ValueError):
        raise NotADraftOfOurs from None
    if not all(isinstance(each, str) for each in texts) or not all(
        isinstance(each, dict) for each in objects
    ):
        raise NotADraftOfOurs
    return document


def _request(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in document.items() if name not in (ANSWERS, KEPT_BY)}


def _unfinished(draft: Draft) -> Unfinished:
    document = _document(draft.body)
    try:
        corrects = document.get("supersedes", {}).get("id")
        drug, infusion_at = document["drug"], datetime.fromisoformat(document["infusion_at"])
    except (KeyError, TypeError, AttributeError, ValueError):
        raise NotADraftOfOurs from None
    return Unfinished(draft.id, drug, infusion_at, document[KEPT_BY], draft.updated_at, corrects)


def _drafted(draft: Draft, document: Mapping[str, Any], evaluated: Answer) -> Drafted:
    answers = {
        name: Answered(who["name"], datetime.fromisoformat(who["at"]))
        for name, who in document[ANSWERS].items()
    }
    return Drafted(draft.id, _request(document), answers, document[KEPT_BY], draft.updated_at, evaluated)
