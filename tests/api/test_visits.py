"""Visits over HTTP: findings answered, signatures, the blind double check, the outcome, and the record."""

import hashlib
import json
import threading
import uuid

import pytest
from marshmallow import RAISE

from service.access.roles import SCOPES
from service.api import visit_schemas
from tests.api.conftest import with_key
from tests.api.sending import CHECKLISTS, a_request, is_problem, paths, post
from tests.double_check import asking
from tests.people import PASSWORD, PIN, signed_in

INFECTION, RESOLVED = ("infection", "infection-active"), ("infection", "infection-resolved")
HEPATITIS = ("hepatitis_b", "hbv-active")
WHY = {"reason": "risk-benefit-ratio", "comment": "Treated, afebrile for 48 h; MRN-1001 cannot wait."}
POSITIVE = {"value": "positive", "at": "2026-09-20"}


def made(client, infection="none", **changes):
    """The address of a new checklist of a patient with this infection and nothing else."""
    facts = {"active_infection": infection, **changes.pop("with_", {})}
    response = post(client, a_request(with_=facts, **changes))
    assert response.status_code == 201, response.json
    return response.headers["Location"]


def send(client, address, part, document):
    return client.post(f"{address}/{part}", json=document)


def acknowledge(client, address, finding=RESOLVED, **changes):
    named = dict(zip(("check", "rule"), finding, strict=True))
    return send(client, address, "acknowledgements", {**named, "reason": "action-completed", **changes})


def override(client, address, finding=INFECTION, **changes):
    named = dict(zip(("check", "rule"), finding, strict=True))
    return send(client, address, "overrides", {**named, **WHY, "secret": PIN, **changes})


def attest(client, address, meaning="performed", secret=PIN):
    return send(client, address, "attestations", {"meaning": meaning, "secret": secret})


def end(client, address, outcome="infused", **why):
    return send(client, address, "outcomes", {"outcome": outcome, **why})


def record(client, address):
    """The record, which is as it is documented."""
    found = client.get(f"{address}/record")
    assert found.status_code == 200, found.json
    assert visit_schemas.RecordSchema(unknown=RAISE).validate(found.json) == {}
    return found.json


def events(sql, address):
    rows = sql("SELECT event FROM journal WHERE subject = ? ORDER BY sequence", address.rpartition("/")[2])
    return [event for (event,) in rows]


def refused(response, said, status=409):
    assert is_problem(response, status)
    assert said in response.json["detail"]
    return True


@pytest.fixture
def people(app):
    """Makes people with sessions: nina, the nurse; paul, the prescriber; and others by role and name."""

    def person(name, role="nurse"):
        return signed_in(app, role, name)

    return person


@pytest.fixture
def nina(people):
    return people("nina")


@pytest.fixture
def paul(people):
    return people("paul", "prescriber")


# Warns and blocks


@pytest.mark.any_database
def test_a_warn_is_acknowledged_once_with_a_coded_reason(nina, people, sql):
    address = made(nina, "resolved")
    assert record(nina, address)["open"] == [
        {"check": "infection", "rule": "infection-resolved", "status": "warn"}
    ]

    response = acknowledge(nina, address)
    assert response.status_code == 201
    assert visit_schemas.AcknowledgedSchema(unknown=RAISE).validate(response.json) == {}
    assert (response.json["name"], response.json["role"]) == ("Nina of the Test", "nurse")
    assert response.json["reason_text"] == "What is asked for has been done"
    assert refused(acknowledge(people("petra", "pharmacist"), address), "already, by Nina of the Test")

    found = record(nina, address)
    assert (found["open"], found["acknowledgements"]) == ([], [response.json])
    assert events(sql, address).count("warn.acknowledged") == 1


@pytest.mark.any_database
def test_a_reason_that_says_too_little_by_itself_needs_a_comment(nina):
    address = made(nina, "resolved")
    response = acknowledge(nina, address, reason="expert-contradicts")
    assert is_problem(response, 422)
    assert paths(response) == ["comment"]
    said = acknowledge(nina, address, reason="expert-contradicts", comment="Dr Ono, by telephone.")
    assert (said.status_code, said.json["comment"]) == (201, "Dr Ono, by telephone.")


GOOD = {
    "acknowledgements": {"check": "infection", "rule": "infection-resolved", "reason": "action-completed"},
    "overrides": {"check": "infection", "rule": "infection-active", **WHY, "secret": PIN},
    "attestations": {"meaning": "performed", "secret": PIN},
    "outcomes": {"outcome": "infused"},
    "double-check": {"facts": {}},
}
BAD = [
    ("acknowledgements", {"reason": "because"}),
    ("acknowledgements", {"reason": None}),
    ("acknowledgements", {"check": 1}),
    ("acknowledgements", {"comment": "x" * 2001}),
    ("acknowledgements", {"comment": "\x00"}),
    ("acknowledgements", {"comment": " "}),
    ("acknowledgements", {"secret": PIN}),
    ("overrides", {"comment": None}),
    ("overrides", {"secret": 271828}),
    ("overrides", {"secret": ""}),
    ("overrides", {"order_reference": "x" * 201}),
    ("overrides", {"expires": "never"}),
    ("attestations", {"meaning": "approved"}),
    ("outcomes", {"outcome": "given"}),
    ("outcomes", {"reason": "action-completed"}),
    ("double-check", {"facts": None}),
]


@pytest.mark.any_database
def test_bad_input_is_refused_at_its_path(paul, sql):
    address = made(paul, "resolved")
    before = events(sql, address)
    for part, changes in BAD:
        response = send(paul, address, part, {**GOOD[part], **changes})
        assert is_problem(response, 422)
        assert paths(response) == list(changes), (part, changes)
    assert is_problem(paul.post(f"{address}/outcomes", data=b"{", content_type="application/json"), 400)
    assert events(sql, address) == before


def test_a_block_is_overridden_by_a_prescriber_who_signs(nina, paul, sql):
    address = made(nina, "serious")
    assert refused(acknowledge(nina, address, INFECTION), "only a prescriber can override it")
    assert is_problem(override(nina, address), 403)
    assert is_problem(override(paul, address, secret="314159"), 403)
    assert events(sql, address) == ["checklist.made"]

    response = override(paul, address, order_reference="ORD-7", secret=PASSWORD)
    assert response.status_code == 201
    assert visit_schemas.OverriddenSchema(unknown=RAISE).validate(response.json) == {}
    found = record(nina, address)
    assert (found["status"], found["open"], found["overrides"]) == ("block", [], [response.json])
    assert (response.json["comment"], response.json["order_reference"]) == (WHY["comment"], "ORD-7")
    assert refused(override(paul, address), "answered already, by Paul of the Test")


@pytest.mark.any_database
def test_what_can_never_be_overridden_is_not_nor_what_passed_or_is_not_there(nina, paul):
    address = made(nina, with_={"hbsag": POSITIVE})
    assert refused(override(paul, address, HEPATITIS), "can never be overridden")
    assert refused(override(paul, address, ("infection", None)), "This check passed")
    assert refused(override(paul, address, INFECTION), "no such finding")
    assert refused(override(paul, made(nina, "resolved"), RESOLVED), "is a warn: acknowledge it")


@pytest.mark.any_database
def test_a_fault_of_the_service_is_answered_by_nobody(nina, paul, monkeypatch):
    def fail(self, values):
        raise RuntimeError("broken")

    with monkeypatch.context() as broken:
        broken.setattr("service.checklist.engine.Engine.decide", fail)
        address = made(nina)
    assert refused(override(paul, address, ("infection", None)), "fault of the service")
    assert len(record(nina, address)["open"]) == len(nina.get(address).json["findings"])


@pytest.mark.any_database
def test_an_override_holds_for_its_own_checklist_alone(nina, paul):
    address = made(nina, "serious")
    override(paul, address)
    correcting = {"id": address.rpartition("/")[2], "reason": "wrong temperature"}
    for later in (made(nina, "serious", supersedes=correcting), made(nina, "serious")):
        found = record(nina, later)
        assert found["overrides"] == []
        assert [each["rule"] for each in found["open"]] == ["infection-active"]
        assert refused(acknowledge(nina, later, INFECTION), "only a prescriber")


def at_once(app, clients, ask):
    """The statuses of answers to requests that are sent by several people at once."""
    statuses, barrier = [], threading.Barrier(len(clients), timeout=30)

    def go(client):
        barrier.wait()
        statuses.append(ask(client).status_code)

    threads = [threading.Thread(target=go, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return sorted(statuses)


def test_of_several_who_answer_or_correct_at_once_one_does(app, people, nina, sql):
    prescribers = [people(f"prescriber{number}", "prescriber") for number in range(4)]
    address = made(nina, "serious")
    assert at_once(app, prescribers, lambda each: override(each, address)) == [201, 409, 409, 409]
    assert events(sql, address).count("block.overridden") == 1

    correcting = a_request(supersedes={"id": address.rpartition("/")[2], "reason": "wrong"})
    assert at_once(app, prescribers, lambda each: post(each, correcting)) == [201, 422, 422, 422]
    assert sql("SELECT count(*) FROM checklists WHERE supersedes IS NOT NULL") == [(1,)]


# Signatures


def test_a_signature_is_printed_with_name_role_both_times_meaning_and_what_was_signed(nina, paul, sql):
    address = made(nina)
    response = attest(nina, address)
    assert response.status_code == 201
    assert visit_schemas.AttestedSchema(unknown=RAISE).validate(response.json) == {}
    said = {name: response.json[name] for name in ("name", "role", "meaning", "at", "local_at")}
    assert said == {
        "name": "Nina of the Test",
        "role": "nurse",
        "meaning": "performed",
        "at": "2026-10-06T18:00:00.123456Z",
        "local_at": "2026-10-06T13:00:00.123456-05:00",
    }
    assert response.json["record"] == digest_of_rows(sql, address, before=response.json["sequence"])

    again = attest(nina, address, secret=PASSWORD)
    assert (again.status_code, again.json) == (200, response.json)
    assert is_problem(attest(nina, address, secret="314159"), 403)
    assert record(nina, address)["attestations"][0]["covers_all"] is True
    assert attest(paul, address, "reviewed").status_code == 201
    assert refused(attest(paul, address, "performed"), "signed this visit already, as reviewed")
    assert [each["name"] for each in record(nina, address)["attestations"]] == [
        "Nina of the Test",
        "Paul of the Test",
    ]


def test_what_is_done_after_a_signature_is_signed_again(nina):
    address = made(nina)
    first = attest(nina, address)
    assert end(nina, address).status_code == 201
    assert [each["covers_all"] for each in record(nina, address)["attestations"]] == [False]

    second = attest(nina, address)
    assert second.status_code == 201
    assert second.json["record"] != first.json["record"]
    assert [each["covers_all"] for each in record(nina, address)["attestations"]] == [False, True]
    assert (attest(nina, address).status_code, attest(nina, address).json) == (200, second.json)


def digest_of_rows(sql, address, before):
    """The digest of a record as an auditor works it out from the rows of the journal."""
    id = address.rpartition("/")[2]
    rows = sql("SELECT sequence, digest, commitments FROM journal WHERE subject = ? ORDER BY sequence", id)
    made = rows[0][2]
    commitments = json.loads(made) if isinstance(made, str) else made
    entries = [digest for sequence, digest, _ in rows if sequence < before]
    signed = {"checklist": id, "entries": entries, "result": commitments["result"]}
    return f"sha256:{hashlib.sha256(json.dumps(signed, separators=(',', ':')).encode()).hexdigest()}"


@pytest.mark.any_database
def test_each_role_signs_in_its_own_meanings_and_a_refusal_is_recorded(nina, people, sql):
    allowed = {
        "nurse": {"performed"},
        "prescriber": {"performed", "reviewed"},
        "pharmacist": {"reviewed"},
        "auditor": set(),
        "admin": set(),
    }
    refusals = 0
    for role, meanings in allowed.items():
        for meaning in ("performed", "reviewed", "double_check"):
            address = made(nina)
            found = attest(people(f"{role}.{meaning.replace('_', '-')}", role), address, meaning).status_code
            clinical = role in ("nurse", "prescriber", "pharmacist")
            expected = 201 if meaning in meanings else 409 if meaning == "double_check" and clinical else 403
            assert found == expected, (role, meaning)
            refusals += found == 403
    assert sql("SELECT count(*) FROM journal WHERE event = 'access.refused'") == [(refusals,)]


@pytest.mark.any_database
def test_a_machine_signs_nothing_and_may_record_what_was_infused(app, nina):
    machine, address = with_key(app, SCOPES), made(nina, "serious")
    asked = (
        acknowledge(machine, address),
        override(machine, address),
        *(attest(machine, address, meaning) for meaning in ("performed", "reviewed", "double_check")),
        machine.get(f"{address}/double-check"),
        send(machine, address, "double-check", {"facts": {}}),
    )
    assert [response.status_code for response in asked] == [403] * len(asked)
    ended = end(machine, address, "held", reason="finding-stands", comment="Held at the pump.")
    assert ended.status_code == 201
    assert ended.json["role"] == "client"


# The blind double check

SECOND = {
    "ordered_dose": {"value": 0.3, "unit": "g"},
    "anc": {"value": 4100, "unit": "/uL", "at": "2026-10-05T07:30:00-05:00"},
}


@pytest.fixture
def app_that_asks(new_app):
    return new_app(library=asking())


def second(client, address, **changes):
    return send(client, address, "double-check", {"facts": {**SECOND, **changes}})


def test_a_second_person_agrees_without_seeing_what_the_first_entered(app_that_asks, sql):
    nina, omar = (signed_in(app_that_asks, "nurse", name) for name in ("nina", "omar"))
    address = made(nina)
    assert nina.get(address).json["independent_double_check"]["facts"] == ["ordered_dose", "anc"]
    assert record(nina, address)["double_check"] == "needed"

    asked = omar.get(f"{address}/double-check")
    assert visit_schemas.QuestionsSchema(unknown=RAISE).validate(asked.json) == {}
    assert asked.json["patient"] == {"id": "MRN-1001"}
    assert [fact["fact"] for fact in asked.json["facts"]] == ["ordered_dose", "anc"]
    assert "300" not in json.dumps(asked.json["facts"]).replace("300000", "")
    assert "4.1" not in asked.text

    assert refused(attest(omar, address, "double_check"), "no blind double check of this visit that agrees")
    response = second(omar, address)
    assert response.status_code == 201, response.json
    assert visit_schemas.DoubleCheckedSchema(unknown=RAISE).validate(response.json) == {}
    assert (response.json["agrees"], response.json["differs"]) == (["ordered_dose", "anc"], [])
    assert attest(omar, address, "double_check").status_code == 201
    assert attest(nina, address).status_code == 201
    found = record(omar, address)
    assert (found["double_check"], found["double_checks"]) == ("agrees", [response.json])
    assert end(nina, address).status_code == 201
    assert events(sql, address)[:4] == [
        "checklist.made",
        "checklist.viewed",
        "record.viewed",
        "double_check.viewed",
    ]


@pytest.mark.any_database
def test_where_the_second_person_differs_both_values_are_shown_and_the_visit_is_not_clear(app_that_asks):
    nina, omar, olga = (signed_in(app_that_asks, "nurse", name) for name in ("nina", "omar", "olga"))
    address = made(nina)
    response = second(omar, address, ordered_dose={"value": 30, "unit": "mg"}, anc="unknown")

    assert (response.json["agrees"], response.json["differs"]) == ([], ["ordered_dose", "anc"])
    dose, anc = response.json["facts"]
    assert (dose["first"], dose["second"]) == ({"value": 300, "unit": "mg"}, {"value": 30, "unit": "mg"})
    assert (anc["first"]["value"], anc["second"]) == (4.1, None)
    assert record(nina, address)["double_check"] == "differs"
    assert refused(attest(omar, address, "double_check"), "that agrees")
    assert refused(second(omar, address), "Ask a colleague who has not opened it")  # he has seen both by now
    assert paths(end(nina, address)) == ["comment", "reason"]
    assert second(olga, address).status_code == 201
    assert record(nina, address)["double_check"] == "agrees"
    assert len(record(nina, address)["double_checks"]) == 2


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("changes", "path", "said"),
    [
        ({"weight": {"value": 70, "unit": "kg"}}, "facts.weight", "is not asked for here"),
        ({"ordered_dose": {"value": "300", "unit": "mg"}}, "facts.ordered_dose", "number"),
        ({"ordered_dose": {"value": 300}}, "facts.ordered_dose.unit", "unit"),
        ({"anc": {"value": 4.1, "unit": "10*9/L", "seen": 1}}, "facts.anc.seen", "does not belong here"),
    ],
)
def test_a_second_person_enters_exactly_the_facts_asked_for(app_that_asks, changes, path, said, sql):
    nina, omar = (signed_in(app_that_asks, "nurse", name) for name in ("nina", "omar"))
    address = made(nina)
    response = second(omar, address, **changes)
    assert is_problem(response, 422)
    assert paths(response) == [path]
    assert said in response.json["errors"][0]["message"]
    missing = send(omar, address, "double-check", {"facts": {"anc": SECOND["anc"]}})
    assert paths(missing) == ["facts.ordered_dose"]
    assert "checklist.double_checked" not in events(sql, address)


@pytest.mark.any_database
def test_whoever_has_seen_the_checklist_is_told_to_ask_a_colleague(app_that_asks):
    nina, omar = (signed_in(app_that_asks, "nurse", name) for name in ("nina", "omar"))
    for part in ("", "/trace", "/record"):
        address = made(nina)
        omar.get(f"{address}{part}")
        for response in (omar.get(f"{address}/double-check"), second(omar, address)):
            assert refused(response, "Ask a colleague who has not opened it")
        for _ in range(2):
            address = made(nina, supersedes={"id": address.rpartition("/")[2], "reason": "typing error"})
            for response in (omar.get(f"{address}/double-check"), second(omar, address)):
                assert refused(response, "Ask a colleague")
    assert refused(second(nina, made(nina)), "Ask a colleague")


@pytest.mark.any_database
def test_a_drug_whose_rules_ask_for_none_has_no_double_check(nina, people):
    address = made(nina)
    omar = people("omar")
    assert record(nina, address)["double_check"] == "not_asked"
    assert refused(second(omar, address), "ask for no independent double check")
    assert refused(attest(omar, address, "double_check"), "no blind double check")


# Outcomes


def test_an_outcome_is_recorded_with_what_was_open_and_a_later_one_corrects_it(nina):
    address = made(nina, "serious")
    unexplained = end(nina, address)
    assert is_problem(unexplained, 422)
    assert paths(unexplained) == ["comment", "reason"]

    infused = end(nina, address, reason="urgent", comment="Given on a call of Dr Ono.")
    assert infused.status_code == 201
    assert visit_schemas.OutcomeRecordedSchema(unknown=RAISE).validate(infused.json) == {}
    assert infused.json["open"] == [{"check": "infection", "rule": "infection-active", "status": "block"}]

    again = end(nina, address, reason="urgent", comment="Given on a call of Dr Ono.")
    assert (again.status_code, again.json) == (200, infused.json)
    assert paths(end(nina, address, "stopped")) == ["comment", "reason"]
    stopped = end(nina, address, "stopped", reason="reaction", comment="Rash after 20 minutes.")
    found = record(nina, address)
    assert (found["outcome"], found["outcomes"]) == (stopped.json, [infused.json, stopped.json])


@pytest.mark.any_database
def test_a_visit_with_nothing_open_ends_without_a_word_and_its_findings_are_settled_by_then(nina, paul):
    clear, blocked = made(nina), made(nina, "serious")
    assert end(nina, clear).status_code == 201
    assert end(nina, blocked, "held", reason="finding-stands", comment="Fever.").status_code == 201
    assert refused(override(paul, blocked), "outcome of this visit is recorded")
    assert attest(paul, blocked, "reviewed").status_code == 201


@pytest.mark.any_database
def test_a_held_stopped_or_overridden_visit_is_shown_at_the_next_of_the_same_patient_and_drug(nina, paul):
    held, overridden, clear = made(nina, "serious"), made(nina, "serious"), made(nina)
    others = (
        made(nina, "serious", patient={"id": "MRN-2"}),
        post(nina, a_request(drug="ibalizumab", facts={})).headers["Location"],
    )
    for address in (held, *others):
        end(nina, address, "held", reason="finding-stands", comment="Fever of 38.4.")
    override(paul, overridden)
    end(nina, overridden)
    end(nina, clear)

    earlier = record(nina, made(nina))["earlier"]
    assert [each["id"] for each in earlier] == [address.rpartition("/")[2] for address in (overridden, held)]
    assert earlier[0]["overrides"][0]["name"] == "Paul of the Test"
    assert earlier[0]["overrides"][0]["comment"] == WHY["comment"]
    assert earlier[1]["outcome"]["comment"] == "Fever of 38.4."
    assert earlier[1]["outcome"]["reason_text"] == "A finding of the checklist stands"
    assert record(nina, held)["earlier"] == []


# Corrections


def test_a_correction_supersedes_and_the_old_one_stays_readable_and_takes_no_more_acts(nina, paul):
    first = made(nina, "serious")
    override(paul, first)
    text = nina.get(first).data
    ids = [first.rpartition("/")[2]]
    for number in range(2):
        wrong = {"id": ids[-1], "reason": f"typing error {number}"}
        address = made(nina, "resolved", supersedes=wrong)
        ids.append(address.rpartition("/")[2])

    assert nina.get(first).data == text
    found = record(nina, first)
    assert found["superseded_by"]["id"] == ids[1]
    assert found["superseded_by"]["reason"] == "typing error 0"
    assert len(found["overrides"]) == 1
    middle = record(nina, f"{CHECKLISTS}/{ids[1]}")
    assert middle["supersedes"] == {"id": ids[0], "reason": "typing error 0"}
    assert middle["superseded_by"]["id"] == ids[2]
    assert record(nina, address)["superseded_by"] is None
    for old in (first, f"{CHECKLISTS}/{ids[1]}"):
        acts = (
            acknowledge(nina, old),
            override(paul, old),
            attest(nina, old),
            end(nina, old, "held", reason="other", comment="No."),
        )
        assert all(refused(act, "is superseded; what is done now belongs to") for act in acts)


@pytest.mark.any_database
def test_a_correction_of_another_patients_checklist_or_of_one_already_corrected_is_refused(nina):
    address = made(nina)
    id = address.rpartition("/")[2]
    why = {"id": id, "reason": "wrong"}
    for changes in ({"patient": {"id": "MRN-2"}}, {"drug": "ibalizumab"}):
        response = post(nina, a_request(supersedes=why, facts={}, **changes))
        assert is_problem(response, 422)
        assert paths(response) == ["supersedes.id"]
    made(nina, supersedes=why)
    assert paths(post(nina, a_request(supersedes=why))) == ["supersedes.id"]
    assert paths(post(nina, a_request(supersedes={**why, "id": str(uuid.uuid4())}))) == ["supersedes.id"]


# The record


def test_a_checklist_that_was_corrected_names_its_successor(nina):
    address = made(nina)
    assert "Link" not in nina.get(address).headers
    newer = made(nina, supersedes={"id": address.rpartition("/")[2], "reason": "typing error"})
    assert nina.get(address).headers["Link"] == f'<{newer}>; rel="successor-version"'
    assert "Link" not in nina.get(newer).headers


def test_the_words_of_an_erased_patient_are_gone_from_the_record_and_shown_as_erased(nina, paul, sql):
    address = made(nina, "serious")
    override(paul, address, order_reference="ORD-7")
    end(nina, address)
    before = record(nina, address)
    sql("DELETE FROM contents")
    sql("DELETE FROM remarks")

    found = record(nina, address)
    assert found["erased"] is True
    assert (found["patient"], found["infusion_at"], found["earlier"]) == (None, None, [])
    gone = {"comment": None, "order_reference": None, "erased": True}
    assert found["overrides"] == [{**before["overrides"][0], **gone}]
    assert found["outcome"] == before["outcome"]
    assert found["status"] == "block"
    for act in (override(paul, address), attest(nina, address), end(nina, address)):
        assert is_problem(act, 410)


@pytest.mark.any_database
def test_the_journal_and_the_log_hold_none_of_the_words(nina, paul, sql, caplog):
    address = made(nina, "serious")
    override(paul, address, order_reference="ORD-7")
    end(nina, address, "held", reason="other", comment="Sent home to Mr Ito.")
    record(nina, address)
    [journal] = [json.dumps([list(map(str, row)) for row in sql("SELECT * FROM journal")])]
    for word in ("afebrile", "ORD-7", "Ito", "MRN-1001", PIN):
        assert word not in journal
        assert word not in caplog.text


@pytest.mark.any_database
def test_an_unknown_checklist_takes_no_acts_and_has_no_record(paul):
    address = f"{CHECKLISTS}/{uuid.uuid4()}"
    for part, document in GOOD.items():
        assert is_problem(send(paul, address, part, document), 404)
    for part in ("record", "double-check"):
        assert is_problem(paul.get(f"{address}/{part}"), 404)


# The document
