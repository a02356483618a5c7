"""The checklist in the making, as a nurse goes through it: what is asked, in which order, what is kept."""

import re

import pytest

from service.access.roles import Role
from service.intake.documents import plain
from service.records.visits import Person
from service.web.guard import COOKIE
from tests.builders import request_for
from tests.pages.drafting import asked, key_of, text_of
from tests.people import PIN, signed_in

pytestmark = pytest.mark.any_database

REQUEST = {
    "drug": "inebilizumab",
    "infusion_at": "2026-10-06T13:00:00+00:00",
    "patient": {"id": "MRN-1001"},
    "facts": {"dose_number": 4},
}
RETURNING = plain(request_for("inebilizumab", "third dose, US"))


@pytest.fixture
def nina(app):
    return signed_in(app, Role.NURSE, "nina")


@pytest.fixture
def begin(app):
    """Begins a draft behind the pages; its address."""

    def begun(client, request=REQUEST, **facts):
        parts = app.extensions["dosegate"]
        person = Person(client.account.full_name, client.account.principal.act("begun", parts.clock()))
        given = {name: value for name, value in {**request["facts"], **facts}.items() if value is not None}
        return f"/drafts/{parts.drafting.begin({**request, 'facts': given}, person).id}"

    return begun


def send(client, address, to="answers", htmx=False, **fields):
    """Sends a form of the page; `a__b` is the field `a.b`."""
    form = {name.replace("__", "."): value for name, value in fields.items()}
    headers = {"HX-Request": "true"} if htmx else {}
    data = {"form_key": key_of(client, address), **form}
    return client.post(f"{address}/{to}", data=data, headers=headers)


def findings(response):
    return re.findall(r'<article class="dg-finding dg-finding--(\w+)"', response.text)


def test_only_what_can_matter_is_asked_each_once_and_the_most_decisive_first(app, nina, begin):
    page = nina.get(begin(nina, dose_number=None))
    parts = app.extensions["dosegate"]
    needs = parts.drafting.read(page.request.path[8:], nina.account.principal.act("read", parts.clock()))
    needed = needs.evaluated.result["needs"]
    questions = asked(page)
    assert questions[0] == "dose_number" == needed[0]
    assert sorted(questions) == sorted({*needed, "infection_signs", "anti_infectives"})
    assert len(questions) == len(set(questions))


def test_findings_stand_worst_first_and_passed_checks_are_folded(nina, begin):
    page = nina.get(begin(nina, pregnant="yes", breastfeeding="yes", sex="female"))
    statuses = findings(page)
    assert set(statuses) == {"block", "warn"}
    assert statuses == sorted(statuses)  # "block" before "warn"
    titles = re.findall(r"<article.*?finding__title.*?<span[^>]*>([^<]+)<", page.text, re.S)
    assert titles[0] == "Pregnancy"  # what is found stands before what is not known
    assert page.text.index("</article>") < page.text.index("dg-passed")


def test_questions_for_the_patient_stand_together(nina, begin):
    page = nina.get(begin(nina))
    group = page.text.split('id="group-patient"')[1].split('class="dg-group"')[0]
    assert "ask-pml_signs" in group and "ask-reactions" in group
    assert "ask-hbsag" not in group


def test_an_infection_is_judged_after_its_signs(nina, begin):
    address = begin(nina)
    page = nina.get(address)
    order = [
        name for name in asked(page) if name in ("infection_signs", "anti_infectives", "active_infection")
    ]
    assert order == ["infection_signs", "anti_infectives", "active_infection"]
    assert 'name="active_infection.value"' not in page.text
    send(nina, address, fact="infection_signs", infection_signs__say="none")
    send(nina, address, fact="anti_infectives", anti_infectives__say="none")
    page = nina.get(address)
    assert 'name="active_infection.value"' in page.text
    assert "infection_signs" not in asked(page)


def test_a_sign_against_no_infection_is_a_contradiction(nina, begin):
    page = nina.get(
        begin(
            nina,
            RETURNING,
            active_infection="none",
            anti_infectives=[{"drug": "ceftriaxone", "purpose": "treatment"}],
        )
    )
    assert "Contradiction" in page.text
    assert "ceftriaxone" in page.text


def test_an_answer_leads_to_the_next_question(nina, begin):
    address = begin(nina)
    order = asked(nina.get(address))
    place = order.index("infection_signs")
    answered = send(nina, address, fact="infection_signs", place=place, infection_signs__say="none")
    assert (answered.status_code, answered.location) == (303, f"{address}#ask-anti_infectives")
    assert asked(nina.get(address)) == [name for name in order if name != "infection_signs"]


def test_htmx_gets_what_the_answer_changes_and_nothing_else(nina, begin):
    address = begin(nina)
    part = send(nina, address, htmx=True, fact="pml_signs", place="9", pml_signs__value="no")
    assert part.status_code == 200
    assert "<html" not in part.text and 'id="checklist"' in part.text and 'id="strip"' in part.text
    assert "pml_signs" not in asked(part)
    assert re.search(r'data-focus="(ask-\w+|end)"', part.text)


def test_not_known_is_kept_stays_open_and_is_not_the_next_question(nina, begin):
    address = begin(nina)
    order = asked(nina.get(address))
    place = order.index("tb_active")
    part = send(nina, address, htmx=True, fact="tb_active", place=place, tb_active__say="unknown")
    assert asked(part) == order
    assert re.search(r'data-focus="(.*?)"', part.text)[1] == f"ask-{order[place + 1]}"
    assert "not known – Nina of the Test, 12:00" in text_of(part)


def test_a_refused_answer_keeps_what_was_typed_and_changes_nothing(nina, begin):
    address = begin(nina)
    fields = {"fact": "igg", "igg__value": "8,5", "igg__unit": "g/L", "igg__on": "2026-10-01"}
    for htmx in (False, True):
        refused = send(nina, address, htmx=htmx, **fields)
        assert refused.status_code == 422
        assert 'value="8,5"' in refused.text and 'value="2026-10-01"' in refused.text
        assert "point before the decimals" in refused.text
        assert 'data-focus="ask-igg"' in refused.text
    assert "igg" in asked(nina.get(address))


def test_what_the_service_refuses_stands_at_its_field_too(nina, begin):
    address = begin(nina)
    refused = send(
        nina, address, fact="igg", igg__value="900", igg__unit="g/L", igg__on="2026-10-01", igg__say="save"
    )
    assert refused.status_code == 422
    assert 'value="900"' in refused.text and "nhsuk-error-message" in refused.text


def test_two_nurses_work_on_one_draft_and_each_answer_says_whose_it_is(app, nina, begin, clock):
    omar = signed_in(app, Role.NURSE, "omar")
    address = begin(nina)
    send(nina, address, fact="pml_signs", pml_signs__value="no")
    clock.move(minutes=3)
    send(omar, address, fact="tb_active", tb_active__value="no")
    said = text_of(nina.get(address)).split("Answered here")[1]
    assert "Nina of the Test, 12:00" in said and "Omar of the Test, 12:03" in said


def test_a_draft_outlives_the_lock(app, nina, begin, clock):
    address = begin(nina)
    send(nina, address, fact="pml_signs", pml_signs__value="yes")
    clock.move(minutes=6)
    assert "Answered here" not in nina.get(address).text
    parts, token = app.extensions["dosegate"], nina.get_cookie(COOKIE).value
    act = nina.account.principal.act("unlocking", clock())
    nina.set_cookie(
        COOKIE, parts.sessions.unlock(token, PIN, act), secure=True, httponly=True, samesite="Strict"
    )
    assert "Nina of the Test, 12:00" in text_of(nina.get(address))


def test_an_answer_is_changed_in_place(nina, begin):
    address = begin(nina)
    send(nina, address, fact="pml_signs", pml_signs__value="yes")
    page = nina.get(address)
    assert f"{address}?change=pml_signs#ask-pml_signs" in page.text.replace("&amp;", "&")
    assert "pml_signs" not in asked(page)
    again = nina.get(f"{address}?change=pml_signs")
    assert asked(again).count("pml_signs") == 1
    changed = send(nina, address, fact="pml_signs", pml_signs__value="no")
    assert changed.status_code == 303
    assert "PML" not in " ".join(re.findall(r"finding__title.*?<span[^>]*>([^<]+)<", changed.text))


def test_the_planned_start_moves_to_now_or_to_a_time_of_the_sites_clock(nina, begin, clock):
    address = begin(nina)
    send(nina, address, "plan", when="now")
    assert "Planned start: 12:00" in text_of(nina.get(address))
    send(nina, address, "plan", date="2026-10-06", time="15:45")
    assert "Planned start: 15:45" in text_of(nina.get(address))
    refused = send(nina, address, "plan", date="2026-10-06", time="quarter to")
    assert refused.status_code == 422 and "Enter a date and a time" in refused.text


def test_the_windows_of_what_was_given_say_when_it_may_begin(nina, begin):
    given = [
        {"class": "corticosteroid", "at": "2026-10-06T12:20:00+00:00"},
        {"class": "antihistamine", "at": "2026-10-06T12:50:00+00:00"},
        {"class": "antipyretic", "at": "2026-09-06T12:50:00+00:00"},
    ]
    said = text_of(nina.get(begin(nina, premedications=given)))
    # The label's 30 minutes, and 30 to 60, each widened by the site's 15 minutes.
    assert "corticosteroid : given 12:20, start from 12:35 to 13:05 – the planned start lies in it" in said
    assert "start from 13:05 to 14:05 – the planned start is too early" in said
    assert "A start from 13:05 to 13:05 suits all of them." in said
    assert "antipyretic : given" not in said  # for another infusion


def test_premedications_are_charted_at_the_first_finding_about_them(nina, begin):
    page = nina.get(begin(nina, RETURNING, premedications=[]))
    missing = re.findall(r'<article[^>]* id="(finding-premedication-[a-z-]+)"', page.text)
    assert len(missing) == 3 and asked(page) == ["premedications"]
    for other in missing[1:]:
        card = page.text.split(f'id="{other}"')[1].split("</article>")[0]
        assert 'href="#ask-premedications"' in card


def test_a_known_fact_that_may_change_is_corrected_in_place(nina, begin):
    address = begin(nina, RETURNING, active_infection="suspected")
    page = nina.get(address)
    assert "active_infection" not in asked(page)
    card = page.text.split('id="finding-infection-infection-suspected"')[1].split("</article>")[0]
    assert "change=active_infection" in card
    again = nina.get(f"{address}?change=active_infection")
    assert "ask-active_infection" in again.text.split("</article>")[0]
    send(nina, address, fact="active_infection", active_infection__value="none")
    assert findings(nina.get(address)) == []


def test_a_draft_is_recorded_once(nina, begin):
    address = begin(nina)
    key = key_of(nina, address)
    taps = [nina.post(f"{address}/record", data={"form_key": key}) for _ in range(2)]
    assert [tap.status_code for tap in taps] == [303, 303]
    assert taps[0].location == taps[1].location
    assert re.fullmatch(r"/checklists/[0-9a-f-]{36}", taps[0].location)
    assert nina.get(address).status_code == 404


def test_a_draft_is_discarded(nina, begin):
    address = begin(nina)
    assert send(nina, address, "discard").location == "/today"
    assert nina.get(address).status_code == 404


def test_nothing_says_that_it_is_safe(nina, begin):
    for request in (REQUEST, RETURNING):
        assert "safe" not in text_of(nina.get(begin(nina, request))).casefold()
    assert "Nothing was found that stops this infusion" in nina.get(begin(nina, RETURNING)).text
