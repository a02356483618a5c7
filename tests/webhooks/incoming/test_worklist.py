"""The worklist: which infusions it has, in which order, with which status, and what is recorded of it."""

import json
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from marshmallow import RAISE

from service.access.roles import SCOPES, Permission, Role
from service.api.infusion_schemas import WorklistSchema
from service.webhooks.worklist import MOST_DAYS
from tests.api.conftest import with_key
from tests.api.sending import JSON, a_request, is_problem, paths, post
from tests.builders import shipped
from tests.people import signed_in
from tests.webhooks.incoming.an_ehr import Ehr

WORKLIST, SEARCH = "/api/v1/infusions", "/api/v1/infusions/search"
CHICAGO = ZoneInfo("America/Chicago")
DAY = "2026-10-06"
CANARY = "CANARY7361"


@pytest.fixture
def settings(settings):
    """Of a site in Chicago."""
    return replace(settings, time_zone=CHICAGO)


def listed(client, **asked):
    """The worklist of the day, or of what is asked for."""
    query = "&".join(
        f"{name.rstrip('_')}={value}" for name, value in (asked or {"from": DAY, "to": DAY}).items()
    )
    response = client.get(f"{WORKLIST}?{query}")
    assert response.status_code == 200, response.text
    assert WorklistSchema(unknown=RAISE).validate(response.json) == {}
    return response.json


def references(worklist):
    return [each["reference"] for each in worklist["infusions"]]


def facts(without=()):
    return a_request(without=without)["facts"]


def tell(ehr, reference, minute=0, without=(), type="scheduled", **changes):
    """Tell of an infusion that day, so long after 13:00 in Chicago; each has a patient of its own."""
    when = f"{DAY}T13:{minute:02}:00-05:00"
    data = {"infusion_at": when, "patient": {"id": f"MRN-{reference}"}, "facts": facts(without), **changes}
    return ehr.tell(type, reference=reference, **data)


def test_it_lists_the_worst_first_and_then_by_time_with_counts_at_the_top(ehr, client):
    tell(ehr, "pass-1", 0)
    tell(ehr, "warn-2", 3, ["breastfeeding"])
    tell(ehr, "block-3", 4, ["hbsag"])
    tell(ehr, "unchecked-4", 5, facts=None)
    tell(ehr, "block-5", 6, ["igg"])
    tell(ehr, "unchecked-6", 0, facts=None)
    tell(ehr, "warn-7", 2, ["breastfeeding"])
    tell(ehr, "gone", type="cancelled")
    found = listed(client)
    assert list(found) == ["counts", "infusions"] or set(found) == {"counts", "infusions"}
    assert found["counts"] == {"block": 2, "not_checked": 2, "warn": 2, "pass": 1, "cancelled": 1}
    order = ["unchecked-6", "block-3", "unchecked-4", "block-5", "warn-7", "warn-2", "pass-1"]
    assert references(found) == order
    statuses = [each["status"] for each in found["infusions"]]
    assert statuses == [None, "block", None, "block", "warn", "warn", "pass"]


def test_a_row_has_what_somebody_needs_to_act(ehr, client):
    told = tell(ehr, "A", without=["hbsag"])
    [row] = listed(client)["infusions"]
    flags = row.pop("flags")
    assert row == {
        "id": told["infusion"],
        "sender": "ward",
        "reference": "A",
        "patient": "MRN-A",
        "drug": "inebilizumab",
        "infusion_at": "2026-10-06T13:00:00-05:00",
        "status": "block",
        "checklist": told["checklist"]["id"],
        "checked_at": "2026-10-06T09:00:00.123456Z",
        "drafts": [],
        "outcome": None,
    }
    undecided = {"rule": "hbv-active", "check": "hepatitis_b", "verdict": "undecided", "status": "block"}
    assert undecided in flags


def test_the_newest_checklist_of_the_patient_drug_and_day_counts_whoever_made_it(ehr, client, clock):
    tell(ehr, "A", without=["hbsag"])
    clock.pass_by(hours=1)
    asked = a_request(patient={"id": "MRN-A"}, infusion_at=f"{DAY}T23:30:00-05:00")
    made = post(client, asked).json
    [row] = listed(client)["infusions"]
    assert made["status"] == "warn"  # the premedication comes too early for the evening
    assert (row["status"], row["checklist"]) == ("warn", made["id"])
    assert row["checked_at"] == "2026-10-06T10:00:00.123456Z"
    clock.pass_by(hours=1)
    post(client, a_request(patient={"id": "MRN-A"}, supersedes={"id": made["id"], "reason": "moved"}))
    assert listed(client)["infusions"][0]["status"] == "pass"


def test_a_checklist_that_another_one_corrects_does_not_count(ehr, client, clock):
    first = tell(ehr, "A", without=["hbsag"])["checklist"]["id"]
    clock.pass_by(hours=-1)  # the correction is older by a clock that stepped back, and still corrects it
    other = {"supersedes": {"id": first, "reason": "entered in error"}}
    post(client, a_request(patient={"id": "MRN-A"}, **other))
    assert listed(client)["infusions"][0]["status"] == "pass"


@pytest.mark.parametrize(
    "other",
    [
        {"patient": {"id": "MRN-B"}},
        {"infusion_at": "2026-10-07T00:00:00-05:00"},
        {"infusion_at": "2026-10-05T23:59:59-05:00"},
        {"drug": "ibalizumab", "facts": {}},
    ],
    ids=["patient", "day after", "day before", "drug"],
)
def test_a_checklist_of_another_patient_day_or_drug_says_nothing(ehr, client, other):
    tell(ehr, "A", facts=None)
    assert post(client, {**a_request(patient={"id": "MRN-A"}), **other}).status_code == 201
    for days in ({"from": DAY, "to": DAY}, {"from": "2026-10-05", "to": "2026-10-07"}):
        found = listed(client, **days)["infusions"]
        assert [each["status"] for each in found if each["reference"]] == [None]


def test_the_day_is_that_of_the_site(ehr, client):
    """23:30 in Chicago is the next day in UTC, as the sender writes it."""
    late = {"infusion_at": "2026-10-07T04:30:00Z", "facts": None}
    tell(ehr, "late", **late)
    tell(ehr, "midnight", infusion_at="2026-10-07T05:00:00Z", facts=None)
    post(client, a_request(patient={"id": "MRN-late"}))
    [row] = listed(client)["infusions"]
    assert (row["reference"], row["status"]) == ("late", "pass")
    assert references(listed(client, **{"from": "2026-10-07", "to": "2026-10-07"})) == ["midnight"]


def test_when_the_date_is_changed_the_old_checklist_is_no_longer_of_it(ehr, client, clock):
    tell(ehr, "A")
    clock.pass_by(minutes=1)
    moved = {"infusion_at": "2026-10-08T13:00:00-05:00", "facts": None}
    tell(ehr, "A", type="changed", **moved)
    assert listed(client)["infusions"] == []
    [row] = listed(client, **{"from": "2026-10-08", "to": "2026-10-08"})["infusions"]
    assert (row["status"], row["checklist"], row["checked_at"], row["flags"]) == (None, None, None, [])


def test_a_cancelled_infusion_leaves_it_and_comes_back_when_it_is_planned_again(ehr, client, clock):
    tell(ehr, "A")
    clock.pass_by(minutes=1)
    tell(ehr, "A", type="cancelled")
    found = listed(client)
    assert (found["infusions"], found["counts"]["cancelled"]) == ([], 1)
    clock.pass_by(minutes=1)
    tell(ehr, "A", facts=None)
    found = listed(client)
    assert [each["status"] for each in found["infusions"]] == ["pass"]  # of the checklist that there is
    assert found["counts"]["cancelled"] == 0


@pytest.mark.any_database
def test_without_days_it_is_of_today_and_the_three_days_after(ehr, client, clock):
    for day in range(4, 13):
        when = f"2026-10-{day:02}T13:00:00-05:00"
        tell(ehr, f"{day}", infusion_at=when, facts=None)

    def plain():
        return references(client.get(WORKLIST).json)

    assert plain() == ["6", "7", "8", "9"]
    assert references(listed(client, **{"from": "2026-10-10"})) == ["10", "11", "12"]
    clock.pass_by(hours=20)  # 05:00 in UTC is midnight in Chicago
    assert plain() == ["7", "8", "9", "10"]
    clock.pass_by(seconds=-1)
    assert plain() == ["6", "7", "8", "9"]


@pytest.mark.any_database
def test_it_is_asked_for_by_drug_and_by_patient(ehr, client):
    tell(ehr, "A", facts=None)
    tell(ehr, "B", drug="TROGARZO", facts=None)
    days = {"from": DAY, "to": DAY}
    assert references(listed(client, **days, drug="ibalizumab")) == ["B"]
    assert references(listed(client, **days, drug="Uplizna")) == ["A"]

    def search(**asked):
        return client.post(SEARCH, data=json.dumps({**days, **asked}), content_type=JSON).json

    assert references(search(patient="MRN-A")) == ["A"]
    assert references(search(patient="mrn-a")) == []
    assert references(search(patient="MRN-A", drug="ibalizumab")) == []
    assert references(search()) == ["A", "B"]


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("from=2026-10-07&to=2026-10-06", ["to"]),
        ("from=2026-10-06T00:00:00Z", ["from"]),
        ("from=&to=x", ["from", "to"]),
        ("drug=inebilizumap", ["drug"]),
        ("patient=MRN-1", ["patient"]),
        ("day=2026-10-06", ["day"]),
    ],
)
def test_what_cannot_be_asked_is_refused(client, journaled, query, wrong):
    response = client.get(f"{WORKLIST}?{query}")
    assert is_problem(response, 422)
    assert paths(response) == wrong
    assert journaled("infusions.searched") == []


@pytest.mark.any_database
def test_no_more_days_than_a_month_are_listed_at_once(client, clock):
    first = clock().date()
    for days, status in ((MOST_DAYS - 1, 200), (MOST_DAYS, 422)):
        query = f"from={first}&to={first + timedelta(days=days)}"
        assert client.get(f"{WORKLIST}?{query}").status_code == status


def test_two_senders_and_another_site_are_kept_apart(ehr, app, client, clock, sql):
    other = Ehr(app, clock, "another")
    tell(ehr, "A", 1, facts=None)
    tell(other, "A", 2, facts=None)
    rows = listed(client)["infusions"]
    assert [(row["sender"], row["reference"]) for row in rows] == [("ward", "A"), ("another", "A")]
    sql("UPDATE infusions SET site = 'elsewhere' WHERE id = ?", rows[0]["id"])
    assert [row["sender"] for row in listed(client)["infusions"]] == ["another"]


def test_an_erased_patient_is_not_listed(ehr, client, typed):
    tell(ehr, "A")
    tell(ehr, "B")
    done = typed("patients", "erase", "--reason", "court_order", lines=("MRN-A", 4))
    assert done.exit_code == 0, done.stderr
    assert references(listed(client)) == ["B"]


# Who may, and what is recorded


@pytest.mark.any_database
def test_clinicians_and_auditors_may_read_it_and_administrators_may_not(app):
    for role in Role:
        client = signed_in(app, role)
        expected = 403 if role is Role.ADMIN else 200
        assert client.get(WORKLIST).status_code == expected
        assert client.post(SEARCH, data="{}", content_type=JSON).status_code == expected
    assert with_key(app, SCOPES - {Permission.INFUSION_READ}).get(WORKLIST).status_code == 403
    assert with_key(app, [Permission.INFUSION_READ]).get(WORKLIST).status_code == 200


def test_each_listing_is_entered_with_what_was_asked_kept_apart(ehr, client, journaled, sql, typed):
    tell(ehr, "A")
    days = {"from": DAY, "to": DAY}
    listed(client, **days)
    client.post(SEARCH, data=json.dumps({**days, "patient": "MRN-A"}), content_type=JSON)
    entries = journaled("infusions.searched")
    details = [row[3] if isinstance(row[3], dict) else json.loads(row[3]) for row in entries]
    assert [each["filters"] for each in details] == [["from", "to"], ["from", "to", "patient"]]
    assert [each["found"] for each in details] == [1, 1]
    assert "MRN" not in str(entries)
    kept = dict(sql("SELECT id, patient FROM remarks"))
    assert [kept[each["remark"]] for each in details] == [None, "MRN-A"]
    assert typed("verify").exit_code == 0


@pytest.mark.any_database
def test_no_patient_is_in_an_address_a_log_or_a_metric(ehr, client, caplog):
    caplog.set_level("INFO")
    tell(ehr, "A", patient={"id": CANARY})
    asked = {"from": DAY, "to": DAY, "patient": CANARY}
    found = client.post(SEARCH, data=json.dumps(asked), content_type=JSON)
    assert CANARY in found.text
    assert CANARY not in str(found.headers) + caplog.text + client.get("/metrics").text
    refused = client.get(f"{WORKLIST}?patient={CANARY}")
    assert CANARY not in refused.text + caplog.text


# On the command line


@pytest.fixture
def in_chicago(typed, monkeypatch):
    monkeypatch.setenv("DOSEGATE_TIME_ZONE", CHICAGO.key)
    return lambda *more, **options: typed("infusions", "--from", DAY, "--to", DAY, *more, **options)


def test_the_command_prints_a_table_with_the_worst_first(ehr, in_chicago, journaled):
    tell(ehr, "pass-1", 0)
    tell(ehr, "block-2", 4, ["hbsag"])
    tell(ehr, "unchecked-3", infusion_at="2026-10-06T20:00:00Z", facts=None)
    tell(ehr, "gone", type="cancelled")
    printed = in_chicago()
    assert printed.exit_code == 0, printed.stderr
    head, above, columns, *rows = printed.stdout.splitlines()
    counts = "1 block, 1 not checked, 0 warn, 1 pass, 1 cancelled"
    assert head == f"3 infusions: {counts}"
    assert above.split() == ["Infusion"]
    assert columns.split() == ["Status", "America/Chicago", "Patient", "Drug", "and", "checks"]
    shown = [row for row in rows if "MRN" in row]
    assert [row.split("MRN")[0].split() for row in shown] == [
        ["■", "BLOCK", "Tue", "2026-10-06", "13:04"],
        ["?", "NOT", "CHECKED", "Tue", "2026-10-06", "15:00"],
        ["●", "PASS", "Tue", "2026-10-06", "13:00"],
    ]
    assert [row.split()[-3:] for row in rows if "known" in row] == [["1", "not", "known"]]
    assert "hbv-active" not in printed.stdout
    assert journaled("infusions.searched")[0][1].startswith("cli:")


@pytest.mark.any_database
def test_what_is_found_is_named_by_the_title_of_its_check_the_blocks_first(ehr, in_chicago):
    """A rule that nobody can decide yet says nothing that a nurse can act on; how many there are does."""
    tell(ehr, "A", facts={**facts(["igg"]), "breastfeeding": "yes", "hbsag": "positive"})
    tell(ehr, "B", facts={})
    _, _, head, *rows = in_chicago().stdout.splitlines()
    shown = [row[head.index("Drug") :].rstrip() for row in rows]
    found = ["■ Hepatitis B", "▲ Breastfeeding", "and 1 not known"]
    checks = len({check.id for check in shipped().packs["inebilizumab"].checks})
    assert shown[:4] == ["inebilizumab", *found]
    drug, not_known = shown[4:6]
    assert (drug, shown[6:]) == ("inebilizumab", [])
    number, words = not_known.split(" ", 1)
    assert words == "not known"
    assert 10 < int(number) <= checks


@pytest.mark.any_database
def test_the_command_prints_json_and_takes_the_patient_from_standard_input(ehr, in_chicago):
    tell(ehr, "A")
    tell(ehr, "B")
    printed = in_chicago("--json")
    assert WorklistSchema(unknown=RAISE).validate(json.loads(printed.stdout)) == {}
    assert references(json.loads(printed.stdout)) == ["A", "B"]
    of_one = in_chicago("--json", "--patient", lines=["MRN-B"])
    assert references(json.loads(of_one.stdout)) == ["B"]
    [line] = in_chicago("--drug", "ibalizumab").stdout.splitlines()
    assert line == "0 infusions: 0 block, 0 not checked, 0 warn, 0 pass, 0 cancelled"


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "tomorrow"), "--from must be a date"),
        (("--from", "2026-10-07", "--to", DAY), "--to must be from the first day on"),
        (("--drug", "nothing"), "--drug is not a drug"),
    ],
)
def test_a_bad_option_ends_in_one_line(ehr, typed, arguments, said):
    done = typed("infusions", *arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
