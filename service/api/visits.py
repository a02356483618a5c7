"""Visits: findings answered, signatures, the blind double check, the outcome, and the record of it all."""

import uuid
from typing import Any

from flask import Response

from service.access.roles import Permission
from service.api.bodies import document_received
from service.api.documentation import Answers, Section, takes
from service.api.visit_schemas import (
    AcknowledgedSchema,
    AcknowledgementSchema,
    AttestationSchema,
    AttestedSchema,
    DoubleCheckedSchema,
    OutcomeRecordedSchema,
    OutcomeSchema,
    OverriddenSchema,
    OverrideSchema,
    QuestionsSchema,
    RecordSchema,
    SecondFactsSchema,
)
from service.records.journal import JournalEntry
from service.records.record import CannotAct
from service.records.visits import Answer, Ending
from service.web.drug_documents import fact_document
from service.web.guard import check_may
from service.web.parts import act, parts, someone
from service.web.responses import as_json
from service.web.signatures import SIGNS, sign
from service.web.visit_documents import (
    answer_document,
    attestation_document,
    double_check_document,
    outcome_document,
    record_document,
)

section = Section("visits", __doc__, "/api/v1/checklists")

_TAKEN = (400, 404, 409, 410, 413, 415, 422)
_SIGNED = (*_TAKEN, 429)


@section.endpoint(
    "/<uuid:checklist_id>/acknowledgements",
    Answers(201, "Acknowledged.", AcknowledgedSchema),
    needs=Permission.WARN_ACKNOWLEDGE,
    problems=_TAKEN,
    method="POST",
    requestBody=takes(AcknowledgementSchema),
)
def acknowledge(checklist_id: uuid.UUID) -> Response:
    """Acknowledge a warn: never a block.

    409 says why it cannot be: there is no such finding, it is a block, it was answered already, the outcome
    is recorded, or another checklist corrects this one.
    """
    answer = Answer(**document_received(AcknowledgementSchema()))
    entry = parts().visits.acknowledge(str(checklist_id), answer, someone())
    return _answered(answer_document(entry, _said(entry, answer)), 201)


@section.endpoint(
    "/<uuid:checklist_id>/overrides",
    Answers(201, "Overridden, for this dose only.", OverriddenSchema),
    needs=Permission.BLOCK_OVERRIDE,
    problems=_SIGNED,
    method="POST",
    requestBody=takes(OverrideSchema),
)
def override(checklist_id: uuid.UUID) -> Response:
    """Override a block, as a prescriber, signing for it.

    It belongs to this checklist and its dose: nothing of it holds for another one, a correction included. 409
    says why it cannot be, as for one that can never be overridden, or a fault of the service.
    """
    given = document_received(OverrideSchema())
    sign(given.pop("secret"))
    answer = Answer(**given)
    entry = parts().visits.override(str(checklist_id), answer, someone())
    return _answered(answer_document(entry, _said(entry, answer)), 201)


@section.endpoint(
    "/<uuid:checklist_id>/attestations",
    Answers(201, "Signed.", AttestedSchema),
    Answers(
        200, "Signed by the same person with the same meaning before: the first signature.", AttestedSchema
    ),
    needs=Permission.CHECKLIST_READ,
    problems=_SIGNED,
    method="POST",
    requestBody=takes(AttestationSchema),
)
def attest(checklist_id: uuid.UUID) -> Response:
    """Sign the record of a visit as it is now, with a meaning; nobody signs in two.

    `performed` needs attest:performed, `reviewed` attest:reviewed, and `double_check` checklist:double_check,
    and that this person's own blind double check agrees.
    """
    given = document_received(AttestationSchema())
    check_may(SIGNS[given["meaning"]])
    sign(given["secret"])
    entry, again = parts().visits.attest(str(checklist_id), given["meaning"], someone())
    return _answered(attestation_document(entry), 200 if again else 201)


@section.endpoint(
    "/<uuid:checklist_id>/double-check",
    Answers(200, "The patient, the drug and the facts asked for.", QuestionsSchema),
    needs=Permission.DOUBLE_CHECK,
    problems=(404, 409, 410),
)
def read_double_check(checklist_id: uuid.UUID) -> Response:
    """Read what a second person is asked: never what the first one answered.

    Only for somebody who has neither made nor seen nor signed this checklist, or one that it corrects.
    """
    subject, asked = parts().visits.double_check_asked(str(checklist_id), someone())
    result, vocabulary = subject.result, parts().library.vocabulary
    if any(name not in vocabulary for name in asked):
        raise CannotAct("The rules have changed since: make the checklist anew.")
    names = ("id", "patient", "drug", "title", "brands", "class", "infusion_at")
    why = result["independent_double_check"]
    return as_json(
        {
            **{name: result[name] for name in names},
            "because": why["because"],
            "sources": why["sources"],
            "facts": [fact_document(vocabulary[name]) for name in asked],
        }
    )


@section.endpoint(
    "/<uuid:checklist_id>/double-check",
    Answers(201, "Where both agree and where they differ, with both values.", DoubleCheckedSchema),
    needs=Permission.DOUBLE_CHECK,
    problems=_TAKEN,
    method="POST",
    requestBody=takes(SecondFactsSchema),
)
def double_check(checklist_id: uuid.UUID) -> Response:
    """Enter the facts asked for, without having seen the first person's. It is entered once, and stays.

    Values agree where they are the same in the rules' unit and of the same day; unknown agrees with nothing.
    One who agrees signs an attestation `double_check`.
    """
    facts = document_received(SecondFactsSchema())["facts"]
    entry, both = parts().visits.double_check(str(checklist_id), facts, parts().library, someone())
    return _answered(double_check_document(entry, both), 201)


@section.endpoint(
    "/<uuid:checklist_id>/outcomes",
    Answers(201, "Recorded, with what was open.", OutcomeRecordedSchema),
    Answers(200, "The same person recorded just this last: what was recorded then.", OutcomeRecordedSchema),
    needs=Permission.OUTCOME_RECORD,
    problems=_TAKEN,
    method="POST",
    requestBody=takes(OutcomeSchema),
)
def record_outcome(checklist_id: uuid.UUID) -> Response:
    """Record how a visit ended, also when nothing was infused. Never refused for what is open.

    A later outcome corrects an earlier one; both stay.
    """
    ending = Ending(**document_received(OutcomeSchema()))
    entry, again = parts().visits.end(str(checklist_id), ending, someone())
    return _answered(outcome_document(entry, _said(entry, ending)), 200 if again else 201)


@section.endpoint(
    "/<uuid:checklist_id>/record",
    Answers(200, "The record.", RecordSchema),
    needs=Permission.CHECKLIST_READ,
    problems=(404,),
)
def read_record(checklist_id: uuid.UUID) -> Response:
    """Read the whole visit: what was found, answered, signed and done, and what earlier visits say.

    The record of an erased patient is there too, without the words that were erased.
    """
    return as_json(record_document(parts().visits.record(str(checklist_id), act())))


def _said(entry: JournalEntry, given: Answer | Ending) -> dict[str, dict[str, str]]:
    """The words that were just kept with an entry, as a record has them."""
    remark = entry.details.get("remark")
    return {remark: given.words} if remark is not None else {}


def _answered(document: dict[str, Any], status: int) -> Response:
    response = as_json(document)
    response.status_code = status
    return response
