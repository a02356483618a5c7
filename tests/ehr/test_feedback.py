"""What EHRs tell of their cards: entered once, all of it or nothing, and no answer to a finding."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.access.roles import Role
from service.ehr.hooks import SERVICE
from service.fhir.told import REASON_SYSTEM
from service.records.chain import documents
from service.records.erasure import Reason, erase, held
from service.records.verify import verify
from tests.ehr.calls import SERVICES, an_ehr, looked_for, order_sign, patient
from tests.ehr.test_requests import is_outcome
from tests.people import signed_in
from tests.records.chains import said_alone

AT = "2026-10-06T18:05:00Z"
REASON = {"code": "risk-benefit-ratio", "system": REASON_SYSTEM}


@pytest.fixture
def ehr(app, act):
    return an_ehr(app, act)


@pytest.fixture
def card(ehr):
    """The card of what is missing, with its suggestions."""
    return next(
        each
        for each in ehr.cards(order_sign(prefetch=looked_for(patient=patient())))
        if "suggestions" in each
    )


def accepted(card, *suggestions, at=AT):
    taken = suggestions or (card["suggestions"][0]["uuid"],)
    return {
        "card": card["uuid"],
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": each} for each in taken],
        "outcomeTimestamp": at,
    }


def overridden(card, at=AT, **reason):
    said = {"overrideReason": reason} if reason else {}
    return {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": at, **said}


def told(journaled):
    """What is entered of cards: event, subject and details."""
    return [
        (event, subject, details if isinstance(details, dict) else json.loads(details))
        for event, _, subject, details in journaled()
        if event.startswith("card.")
    ]


def checklist_of(card):
    return card["extension"]["org.dosegate.checklist"]["id"]


def test_an_accepted_suggestion_is_entered_with_the_checklist(ehr, card, journaled):
    response = ehr.tell(accepted(card))
    assert (response.status_code, response.data) == (200, b"")
    assert "Content-Type" not in response.headers
    details = {
        "card": card["uuid"],
        "at": "2026-10-06T18:05:00.000000Z",
        "suggestions": [card["suggestions"][0]["uuid"]],
    }
    assert told(journaled) == [("card.accepted", checklist_of(card), details)]


@pytest.mark.parametrize(
    "reason",
    [{"reason": REASON}, dict(REASON), {"code": REASON["code"]}, {"reason": {"code": REASON["code"]}}],
)
def test_an_override_is_entered_with_its_reason_as_it_is_spelled_now_and_was_before(
    ehr, card, journaled, reason
):
    assert ehr.tell(overridden(card, **reason)).status_code == 200
    [(event, subject, details)] = told(journaled)
    assert (event, subject) == ("card.overridden", checklist_of(card))
    assert details == {
        "card": card["uuid"],
        "at": "2026-10-06T18:05:00.000000Z",
        "reason": "risk-benefit-ratio",
    }


def test_an_override_without_a_reason_is_entered_too(ehr, card, journaled):
    assert ehr.tell(overridden(card)).status_code == 200
    assert "reason" not in told(journaled)[0][2]


def test_words_of_people_and_codes_of_others_are_kept_apart_and_can_be_erased(ehr, card, journaled, sql, act):
    other = {"code": "Mrs Miller insists", "system": "https://ehr.example.org", "display": "told by phone"}
    assert ehr.tell(overridden(card, reason=other, userComment="her husband called")).status_code == 200
    [(_, _, details)] = told(journaled)
    assert details["reason"] == "another"
    assert not any(word in str(journaled()) for word in ("Miller", "husband", "phone"))
    [(words, whose)] = sql("SELECT parts, patient FROM remarks WHERE id = ?", details["remark"])
    assert whose == "pat-1"
    for word in ("Mrs Miller insists", "told by phone", "her husband called"):
        assert word in str(words)
    records = ehr.app.extensions["dosegate"].store.records
    erase(records, "pat-1", held(records, "pat-1"), Reason.PATIENT_REQUEST, act)
    assert sql("SELECT count(*) FROM remarks") == [(0,)]
    assert ehr.tell(overridden(card, at="2026-10-06T18:04:00Z", userComment="again")).status_code == 200
    assert sql("SELECT count(*) FROM remarks") == [(0,)]
    assert len(told(journaled)) == 2
    with records.reading() as connection:
        exported = list(documents(connection, records.site, "now"))
    assert verify(exported, records.keys).faults == []
    assert said_alone([json.dumps(each).encode() for each in exported], records.keys) == []


def test_what_is_told_again_is_entered_once_and_what_is_told_anew_is_entered(ehr, card, journaled):
    both = [accepted(card), overridden(card)]
    for _ in range(3):
        assert ehr.tell(*both, *both).status_code == 200
    assert len(told(journaled)) == 2
    # The same moment, said in another offset.
    assert ehr.tell(accepted(card, at="2026-10-06T20:05:00+02:00")).status_code == 200
    assert len(told(journaled)) == 2
    assert ehr.tell(accepted(card, at="2026-10-06T18:04:59Z")).status_code == 200
    assert len(told(journaled)) == 3


def test_of_what_is_told_several_times_at_once_one_is_entered(ehr, card, journaled):
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: ehr.tell(overridden(card)).status_code, range(8)))
    assert answers == [200] * 8
    assert len(told(journaled)) == 1


def test_one_entry_that_is_about_no_card_leaves_all_out_and_is_named(ehr, card, journaled):
    unknown = {**overridden(card), "card": str(uuid.uuid4())}
    response = ehr.tell(accepted(card), unknown, overridden(card))
    assert is_outcome(response, 422, "feedback[1].card")
    assert "nothing of this feedback was entered" in response.text
    assert told(journaled) == []
    assert ehr.tell(accepted(card), overridden(card)).status_code == 200


def test_a_suggestion_of_another_card_is_not_accepted(ehr, card, journaled):
    response = ehr.tell(accepted(card, card["suggestions"][0]["uuid"], str(uuid.uuid4()), "x"))
    assert is_outcome(
        response,
        422,
        "feedback[0].acceptedSuggestions[1].id",
        "feedback[0].acceptedSuggestions[2].id",
    )
    assert told(journaled) == []


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("at", "status"),
    [
        ("2026-10-06T18:05:00.2Z", 422),
        ("2026-10-06T20:05:00.2+02:00", 422),
        ("2027-10-06T18:00:00Z", 422),
        ("2026-10-06T18:05:00.1Z", 200),
        ("2026-10-06T18:00:00Z", 200),
        ("2026-10-06T17:55:01Z", 200),
        ("2026-10-06T17:55:00Z", 422),
        ("2025-10-06T18:00:00Z", 422),
    ],
)
def test_what_cannot_have_been_done_at_that_time_is_refused(ehr, card, journaled, at, status):
    response = ehr.tell(overridden(card), overridden(card, at=at))
    if status == 200:
        assert response.status_code == 200
    else:
        assert is_outcome(response, 422, "feedback[1].outcomeTimestamp")
    assert len(told(journaled)) == (2 if status == 200 else 0)


def test_only_the_ehr_that_was_given_a_card_tells_of_it(app, act, ehr, card, journaled):
    other = an_ehr(app, act, "another")
    assert is_outcome(other.tell(overridden(card)), 422, "feedback[0].card")
    assert told(journaled) == []


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"card": None}, "feedback[0].card"),
        ({"card": "x"}, "feedback[0].card"),
        ({"outcome": "ignored"}, "feedback[0].outcome"),
        ({"outcome": None}, "feedback[0].outcome"),
        ({"acceptedSuggestions": []}, "feedback[0].acceptedSuggestions"),
        ({"acceptedSuggestions": None}, "feedback[0].acceptedSuggestions"),
        ({"acceptedSuggestions": [{}]}, "feedback[0].acceptedSuggestions[0].id"),
        ({"outcomeTimestamp": "2026-10-06"}, "feedback[0].outcomeTimestamp"),
        ({"outcomeTimestamp": "2026-10-06T18:05:00"}, "feedback[0].outcomeTimestamp"),
        ({"outcomeTimestamp": None}, "feedback[0].outcomeTimestamp"),
    ],
)
def test_what_is_wrong_with_feedback_is_named(ehr, card, changes, path, journaled):
    entry = {name: each for name, each in {**accepted(card), **changes}.items() if each is not None}
    assert is_outcome(ehr.tell(entry), 400, path)
    assert told(journaled) == []


@pytest.mark.any_database
@pytest.mark.parametrize("document", [{}, {"feedback": []}, {"feedback": {}}, {"feedback": [5]}, []])
def test_feedback_that_is_none_is_refused(ehr, document):
    assert ehr.post(f"{SERVICES}/{SERVICE}/feedback", document).status_code == 400


@pytest.mark.any_database
def test_what_is_not_known_of_feedback_is_passed_over(ehr, card):
    assert ehr.tell({**accepted(card), "extension": {"org.example": {"a": 1}}}).status_code == 200


@pytest.mark.any_database
def test_a_card_that_was_overridden_leaves_the_finding_open_in_the_record(app, ehr, card):
    assert ehr.tell(overridden(card, reason=REASON)).status_code == 200
    record = signed_in(app, Role.PRESCRIBER).get(f"/api/v1/checklists/{checklist_of(card)}/record").json
    assert {each["status"] for each in record["open"]} >= {"block"}
    assert "risk-benefit-ratio" not in json.dumps(record["open"])


@pytest.mark.any_database
def test_the_figures_of_the_rules_count_how_cards_were_taken(app, ehr, card):
    assert ehr.tell(overridden(card, reason=REASON), accepted(card)).status_code == 200
    rules = signed_in(app, Role.PHARMACIST).get("/api/v1/quality").json["rules"]
    about = {each["rule"] for each in card["extension"]["org.dosegate.checklist"]["findings"]}
    for rule in rules:
        if rule["rule"] in about:
            assert rule["cards"] == {
                "shown": 1,
                "accepted": 1,
                "overridden": 1,
                "reasons": {"risk-benefit-ratio": 1},
            }
            assert rule["overridden"] == 0
    assert about <= {rule["rule"] for rule in rules}
