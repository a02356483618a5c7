"""Why somebody goes on in spite of a finding, and why a visit ended as it did: coded, so that it is counted.

The reasons for an answer to a finding are codes of HL7's non-adherence-reason code system: its clinical value
set, and those of the codes below it that fit an infusion. The words are our own.
"""

from enum import StrEnum
from typing import Self


class _Worded(StrEnum):
    """A stored code with its words."""

    words: str

    def __new__(cls, code: str, words: str) -> Self:
        """The member of a code."""
        made = str.__new__(cls, code)
        made._value_, made.words = code, words
        return made

    @classmethod
    def coded(cls, code: str) -> Self:
        """The one that a stored code means."""
        return next(each for each in cls if each.value == code)


class Reason(_Worded):
    """Why a finding is answered rather than followed. The codes are stored: never rename one."""

    NOT_APPLICABLE = "cds-not-applicable", "The finding does not apply to this patient"
    SUBOPTIMAL_CONTEXT = "cds-suboptimal-context", "The finding rests on incomplete or wrong data"
    DISAGREES_WITH_EVIDENCE = "recipient-disagrees-evidence", "The evidence is judged differently"
    CONCERNED_ABOUT_OUTCOME = "recipient-concerns-outcomes", "Waiting is expected to harm this patient"
    AGAINST_PREFERENCES = "does-not-align-preferences", "It is not what the patient prefers"
    NOT_FEASIBLE = "not-convenient-feasible", "It cannot be done here and now"
    ALREADY_DONE = "action-completed", "What is asked for has been done"
    CONTRAINDICATED = "patient-contraindication", "What is asked for is contraindicated for this patient"
    PATIENT_REFUSES = "patient-refuses", "The patient refuses what is asked for"
    TOO_COSTLY = "too-costly-uncovered", "What is asked for is not covered"
    NOT_AVAILABLE = "service-not-available", "What is asked for is not available"
    NOT_UNDERSTOOD = "recipient-does-not-understand", "It is not clear what is asked for"
    MORE_INFORMATION_NEEDED = "need-more-info", "A result or consultation is awaited"
    BENEFIT_OUTWEIGHS_RISK = "risk-benefit-ratio", "The benefit outweighs the risk"
    EXPERT_DISAGREES = "expert-contradicts", "A specialist advises otherwise"
    POLICY_DISAGREES = "policy-contradicts", "A policy of the site says otherwise"
    RISK_MITIGATED = "mitigate-risk-negative-outcome", "The risk is met by other measures"
    PATIENT_INELIGIBLE = "patient-ineligible", "The patient is not eligible for what is asked for"


# Reasons that point to something else: an acknowledgement says in a comment to what.
SAYS_NOTHING_ALONE = frozenset(
    {
        Reason.SUBOPTIMAL_CONTEXT,
        Reason.DISAGREES_WITH_EVIDENCE,
        Reason.NOT_UNDERSTOOD,
        Reason.MORE_INFORMATION_NEEDED,
        Reason.EXPERT_DISAGREES,
        Reason.POLICY_DISAGREES,
    }
)


class OutcomeReason(_Worded):
    """Why a visit ended as it did, or went on with something open. Stored: never rename one."""

    FINDING_STANDS = "finding-stands", "A finding of the checklist stands"
    RESULT_AWAITED = "result-awaited", "A result or consultation is awaited"
    PATIENT_UNWELL = "patient-unwell", "The patient is unwell today"
    REACTION = "reaction", "The patient reacted to the infusion"
    PATIENT_DECLINED = "patient-declined", "The patient declined"
    PATIENT_ABSENT = "patient-absent", "The patient did not come"
    PRESCRIBER_DECIDED = "prescriber-decided", "The prescriber decided so"
    ACCESS_OR_EQUIPMENT = "access-or-equipment", "Venous access or equipment failed"
    PRODUCT = "product", "The product was missing or could not be used"
    URGENT = "urgent", "It could not wait"
    RECORDED_WRONGLY = "recorded-wrongly", "The outcome before was recorded wrongly"
    OTHER = "other", "Another reason, given in the comment"


def listed(reasons: type[_Worded]) -> str:
    """All codes with their words, for a description."""
    return "; ".join(f"`{each.value}`: {each.words}" for each in reasons)
