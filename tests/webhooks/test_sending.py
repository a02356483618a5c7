"""Sending to an endpoint that fails in every way: what is tried again, when, and in which order."""

from datetime import timedelta
from email.utils import format_datetime

import pytest
from sqlalchemy import select

from service.outbound.http import Outbound
from service.records.tables import deliveries
from service.webhooks.claims import LEASE, claim, ready
from service.webhooks.courier import Courier
from service.webhooks.outbox import read_on
from service.webhooks.sending import Answer, settle
from tests.faults.chain import verified
from tests.webhooks import receiver as answers
from tests.webhooks.conftest import NOW

HOUR = timedelta(hours=1)


@pytest.fixture
def failing(receiver, endpoint):
    receiver.mode = answers.BROKEN


def patients(receiver):
    return [each.data["patient"]["id"] for each in receiver.arrived]


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        (answers.BROKEN, "500"),
        (answers.GONE, "410"),
        (answers.BUSY, "429"),
        (answers.MOVED, "307"),
        (answers.CLOSES, "broke the connection off"),
        (answers.HANGS, "timed out"),
    ],
)
def test_whatever_is_no_success_is_tried_again_under_the_same_id(
    *, site, endpoint, receiver, courier, clock, known, monkeypatch, mode, told
):
    monkeypatch.setattr("service.webhooks.sending.SECONDS", 0.3)
    receiver.mode = mode
    site.checklist()
    courier.drain()
    [(state, attempts, answer, due)] = site.deliveries("state", "attempts", "last_answer", "due_at")
    assert (state, attempts, due) == ("due", 1, NOW + timedelta(seconds=5))
    assert answer == told
    assert len(receiver.got) == 1  # a redirect was not followed
    receiver.mode = answers.OK
    known.resume(endpoint.id, site.act())
    clock.pass_by(seconds=5)
    courier.drain()
    first, second = receiver.got
    assert (first.id, first.body) == (second.id, second.body)
    assert second.signed_at - first.signed_at == timedelta(seconds=5)
    assert site.deliveries("state") == ["delivered"]


def test_an_answer_that_began_with_success_counts_however_it_went_on(site, endpoint, receiver, courier):
    receiver.mode = answers.CUTS
    site.checklist()
    courier.drain()
    assert site.deliveries("state", "attempts") == [("delivered", 1)]


def test_where_nobody_listens_that_is_said(site, known, courier, outbound, clock):
    free = "http://127.0.0.1:9/"
    outbound._private_hosts |= {"127.0.0.1:9"}
    added, _ = known.add(free, ["checklist.completed"], full=False, act=site.act())
    site.checklist()
    courier.drain()
    assert site.deliveries("state", "last_answer") == [("due", "refused the connection")]
    assert known.by_id(added.id).failing_since == clock()


def test_an_address_that_leads_inside_by_now_is_not_called(site, endpoint, receiver, clock):
    site.checklist()
    careful = Courier(site.records, Outbound(), None, clock, lambda: 0.5)
    careful.drain()
    assert receiver.got == []
    [(state, attempts, answer)] = site.deliveries("state", "attempts", "last_answer")
    assert (state, attempts) == ("due", 1)
    assert answer and receiver.host not in answer


def test_down_for_a_day_and_then_up_everything_arrives_in_order(site, failing, receiver, courier, clock):
    for number in range(6):
        site.checklist(f"MRN-{number % 2}", infusion_at=f"2026-12-0{number + 1}T09:00:00Z")
        courier.drain()
        clock.pass_by(hours=4)
    assert receiver.arrived == []
    waiting = site.deliveries("attempts")
    assert waiting[2:] == 4 * [0]  # held back, and not tried
    receiver.mode = answers.OK
    for _ in range(20):
        clock.pass_by(hours=1)
        courier.drain()
    assert site.deliveries("state") == 6 * ["delivered"]
    for patient in ("MRN-0", "MRN-1"):
        days = [
            each.data["infusion_at"] for each in receiver.arrived if each.data["patient"]["id"] == patient
        ]
        assert len(days) == 3 and days == sorted(days)


def test_one_that_waits_holds_back_its_own_thread_and_no_other(site, endpoint, receiver, courier, clock):
    receiver.mode = lambda got: answers.BROKEN if got["data"]["patient"]["id"] == "MRN-1" else answers.OK
    site.checklist("MRN-1")
    courier.drain()
    site.outcome(site.checklist("MRN-1", status="block"))
    site.checklist("MRN-2")
    site.checklist("MRN-1", drug="ibalizumab")  # another thread, which fails by itself
    courier.drain()
    assert patients(receiver) == ["MRN-2"]
    assert site.deliveries("type", "attempts") == [
        ("checklist.completed", 1),
        ("checklist.completed", 0),
        ("checklist.status_changed", 0),
        ("outcome.recorded", 0),
        ("checklist.completed", 1),
        ("checklist.completed", 1),
    ]
    receiver.mode = answers.OK
    clock.pass_by(seconds=5)
    courier.drain()
    types = [each.type for each in receiver.arrived if each.data["drug"] == "inebilizumab"]
    assert types[1:] == [
        "checklist.completed",
        "checklist.completed",
        "checklist.status_changed",
        "outcome.recorded",
    ]


def test_after_72_hours_it_is_given_up_listed_and_can_be_sent_again(
    *, site, endpoint, receiver, courier, clock, sent
):
    receiver.mode = lambda got: answers.BROKEN if got["type"] == "checklist.completed" else answers.OK
    id = site.checklist("MRN-1")
    site.outcome(id)
    times = []
    while not times or site.deliveries("state")[0] == "due":
        courier.drain()
        times.append(clock() - NOW)
        clock.now = max(clock.now, *site.deliveries("due_at"))
    assert times[0] == timedelta(0)
    assert times[-1] == 72 * HOUR
    assert len(times) == 10
    assert [each.type for each in receiver.got] == [*10 * ["checklist.completed"], "outcome.recorded"]
    [dead] = sent.page({"state": "dead"}).deliveries
    assert (dead.type, dead.attempts, dead.last_answer) == ("checklist.completed", 10, "500")
    [(subject, details)] = site.entries("delivery.failed")
    assert subject == dead.endpoint
    assert details == {
        "message": dead.message,
        "type": "checklist.completed",
        "entry": dead.sequence,
        "attempts": 10,
        "answer": "500",
    }
    receiver.mode = answers.OK
    assert sent.replay_dead(clock() + HOUR, site.act()) == 0
    assert sent.replay(dead.message, site.act()) == 1
    courier.drain()
    assert receiver.arrived[-1].id == receiver.got[0].id == dead.message
    assert receiver.arrived[-1].body == receiver.got[0].body
    assert site.deliveries("state") == 2 * ["delivered"]
    [(_, told)] = site.entries("delivery.repeated")
    assert told == {"message": dead.message, "deliveries": 1}


def test_a_range_is_sent_again_by_the_time_it_was_given_up(*, site, failing, receiver, courier, clock, sent):
    for patient in ("MRN-1", "MRN-2"):
        site.checklist(patient)
        courier.drain()
        clock.pass_by(hours=72)
        courier.drain()
        clock.pass_by(hours=1)
    first, second = sent.page({"state": "dead"}).deliveries
    assert (first.settled_at, second.settled_at) == (NOW + 72 * HOUR, NOW + 145 * HOUR)
    receiver.mode = answers.OK
    nobody = "00000000-0000-0000-0000-000000000000"
    assert sent.replay_dead(first.settled_at, site.act(), nobody) == 0
    assert sent.replay_dead(second.settled_at, site.act(), second.endpoint) == 1
    assert site.deliveries("state") == ["dead", "due"]
    assert sent.replay_dead(first.settled_at, site.act()) == 1
    assert [details["deliveries"] for _, details in site.entries("delivery.repeated")] == [1, 1]


def test_an_endpoint_that_is_gone_is_paused_at_once_and_what_comes_waits(
    *, site, endpoint, known, receiver, courier, clock
):
    receiver.mode = answers.GONE
    site.checklist("MRN-1")
    courier.drain()
    fares = known.by_id(endpoint.id)
    assert (fares.paused_at, fares.paused_because) == (clock(), "gone")
    assert site.entries("endpoint.paused") == [(endpoint.id, {"because": "gone"})]
    clock.pass_by(days=20)
    site.checklist("MRN-2")
    courier.drain()
    assert len(receiver.got) == 1
    assert known.by_id(endpoint.id).behind > 0
    receiver.mode = answers.OK
    known.resume(endpoint.id, site.act())
    courier.drain()
    assert sorted(patients(receiver)) == ["MRN-1", "MRN-2"]


def test_without_a_success_for_5_days_an_endpoint_is_paused_and_that_is_said(
    *, site, endpoint, known, receiver, courier, clock
):
    receiver.mode = answers.BROKEN
    while known.by_id(endpoint.id).paused_at is None:
        site.checklist(f"MRN-{clock():%d%H}")
        courier.drain()
        clock.pass_by(hours=12)
        assert clock() - NOW < timedelta(days=6)
    fares = known.by_id(endpoint.id)
    assert (fares.failing_since, fares.paused_at) == (NOW, NOW + timedelta(days=5))
    assert site.entries("endpoint.paused") == [(endpoint.id, {"because": "no success for 5 days"})]


def test_one_success_begins_the_count_of_days_anew(*, site, endpoint, known, receiver, courier, clock):
    for mode in (answers.BROKEN, answers.OK, answers.BROKEN):
        receiver.mode = mode
        site.checklist(f"MRN-{clock():%d}")
        courier.drain()
        assert bool(known.by_id(endpoint.id).failing_since) is (mode == answers.BROKEN)
        clock.pass_by(days=4)
    assert known.by_id(endpoint.id).paused_at is None


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("as_date", [False, True])
def test_an_endpoint_that_asks_to_be_left_alone_is(
    *, site, endpoint, known, receiver, courier, clock, monkeypatch, status, as_date
):
    monkeypatch.setitem(answers._STATUS, answers.BUSY, status)
    until = NOW.replace(microsecond=0) + timedelta(seconds=90)
    receiver.retry_after = format_datetime(until, usegmt=True) if as_date else "90"
    receiver.mode = answers.BUSY
    site.checklist("MRN-1")
    courier.drain()
    receiver.mode = answers.OK
    site.checklist("MRN-2")
    clock.pass_by(seconds=89)
    courier.drain()
    assert len(receiver.got) == 1
    clock.pass_by(seconds=2)
    courier.drain()
    assert sorted(patients(receiver)) == ["MRN-1", "MRN-2"]


@pytest.mark.any_database
@pytest.mark.parametrize(
    "asked", ["-5", "soon", "", "9" * 5000, "Tue, 40 Foo 2026", "1e3", "٣", "Sun, 22 Nov 1026"]
)
def test_what_asks_for_nonsense_is_tried_by_the_schedule_and_after_a_day_at_latest(
    site, endpoint, receiver, courier, asked
):
    receiver.mode, receiver.retry_after = answers.BUSY, asked.encode().decode("latin-1")
    site.checklist()
    courier.drain()
    [due] = site.deliveries("due_at")
    assert due in (NOW + timedelta(seconds=5), NOW + 24 * HOUR)


def test_a_paused_endpoint_is_sent_nothing_and_others_are(*, site, endpoint, known, receiver, courier, clock):
    other, _ = known.add(receiver.url, ["checklist.completed"], full=False, act=site.act())
    known.rotate(other.id, site.act())
    site.checklist("MRN-1")
    read_on(site.records, clock())
    known.pause(endpoint.id, site.act())
    known.pause(other.id, site.act())
    courier.drain()
    assert receiver.got == []
    assert ready(site.records, clock()) == claim(site.records, endpoint.id, 9, clock()) == []
    known.resume(endpoint.id, site.act())
    courier.drain()
    assert len(receiver.got) == 1
    assert site.deliveries("state", "endpoint").count(("due", other.id)) == 1


def test_a_removed_endpoint_is_sent_nothing_and_nothing_is_left_of_its_secret(
    *, site, endpoint, known, receiver, courier, sql
):
    secret = site.secret_of(endpoint.id)
    site.checklist("MRN-1")
    read_on(site.records, site.clock())
    known.remove(endpoint.id, site.act())
    courier.drain()
    assert receiver.got == []
    assert known.all() == site.deliveries("state") == []
    assert secret not in str(sql("SELECT * FROM endpoints")) + str(sql("SELECT * FROM journal"))


def test_after_a_leak_the_older_secret_signs_no_more(*, site, endpoint, known, receiver, courier):
    older = receiver.secret
    _, newer = known.rotate(endpoint.id, site.act(), at_once=True)
    for secret, wrong in ((newer, []), (older, ["the signature"])):
        receiver.secret = secret
        site.checklist(f"MRN-{len(wrong)}")
        courier.drain()
        assert receiver.wrong == wrong
    receiver.wrong.clear()


def test_for_a_day_both_secrets_sign(*, site, endpoint, known, receiver, courier, clock):
    older = receiver.secret
    _, newer = known.rotate(endpoint.id, site.act())
    for hours, good in ((0, [older, newer]), (23, [older, newer]), (1, [newer])):
        clock.pass_by(hours=hours)
        for secret in good:
            receiver.secret = secret
            site.checklist(f"MRN-{hours}-{good.index(secret)}")
            courier.drain()
            assert receiver.wrong == []
    receiver.secret = older
    site.checklist("MRN-last")
    courier.drain()
    assert receiver.wrong == ["the signature"]
    receiver.wrong.clear()


def test_a_claim_is_kept_before_anything_is_sent_and_runs_out(site, endpoint, clock):
    for number in range(4):
        site.checklist(f"MRN-{number}")
    read_on(site.records, clock())
    mine = claim(site.records, endpoint.id, 2, clock())
    others = claim(site.records, endpoint.id, 9, clock())
    assert len({each.message for each in (*mine, *others)}) == len(mine) + len(others) == 4
    assert claim(site.records, endpoint.id, 9, clock()) == []
    clock.now += LEASE - timedelta(seconds=1)
    assert claim(site.records, endpoint.id, 9, clock()) == []
    clock.pass_by(seconds=1)
    assert {each.message for each in claim(site.records, endpoint.id, 9, clock())} == {
        each.message for each in (*mine, *others)
    }


def test_a_delivery_that_somebody_is_about_to_claim_is_left_to_them(site, endpoint, clock):
    if site.records.database.is_sqlite:
        pytest.skip("one writer at a time")
    site.checklist("MRN-1")
    site.checklist("MRN-2")
    read_on(site.records, clock())
    first, second = site.deliveries("message")
    with site.records.noting() as connection:
        locked = select(deliveries.c.message).where(deliveries.c.message == first).with_for_update()
        assert connection.execute(locked).scalar_one() == first
        assert [each.message for each in claim(site.records, endpoint.id, 9, clock())] == [second]


def test_who_lost_a_claim_settles_nothing(site, endpoint, known, clock):
    site.checklist()
    read_on(site.records, clock())
    [lost] = claim(site.records, endpoint.id, 1, clock())
    clock.now += LEASE
    [mine] = claim(site.records, endpoint.id, 1, clock())
    settle(site.records, lost, Answer(arrived=False, words="500", gone=True), clock(), 0.5)
    assert site.deliveries("state", "attempts", "leased_until") == [("due", 0, mine.lease)]
    assert known.by_id(endpoint.id).paused_at is None
    settle(site.records, mine, Answer(arrived=True, words="200"), clock(), 0.5)
    settle(site.records, lost, Answer(arrived=False, words="500"), clock(), 0.5)
    assert site.deliveries("state", "attempts", "leased_until") == [("delivered", 1, None)]


def test_a_slow_endpoint_does_not_starve_another(*, site, endpoint, known, courier, receiver):
    """It answers nobody before the other one has had everything."""
    receiver.mode = answers.WAITS
    with answers.receiving() as quick:

        def quickly(_):
            if len(quick.got) == 14:
                receiver.may_go_on.set()
            return answers.OK

        quick.mode = quickly
        courier._outbound._private_hosts |= {quick.host}
        _, quick.secret = known.add(quick.url, ["checklist.completed"], full=False, act=site.act())
        for number in range(15):
            site.checklist(f"MRN-{number}")
        courier.drain()
        assert len(quick.ids()) == 15
    assert receiver.at_once == 3
    assert len(receiver.ids()) == 15


def test_what_was_settled_long_ago_is_swept(site, endpoint, receiver, courier, clock):
    site.checklist("MRN-1")
    courier.drain()
    clock.pass_by(days=29)
    site.checklist("MRN-2")
    courier.drain()
    assert len(site.deliveries("state")) == 2
    clock.pass_by(days=1, seconds=1)
    courier.drain()
    assert len(site.deliveries("state")) == 1


def test_a_record_that_cannot_be_read_holds_nobody_up_for_ever(
    *, site, endpoint, receiver, courier, caplog, unguarded
):
    broken = site.checklist("MRN-1")
    unguarded("UPDATE journal SET details = '{}'")
    unguarded("UPDATE checklists SET drug = 'x' WHERE id = ?", broken)
    site.release()
    unguarded("UPDATE journal SET details = '{}' WHERE event = 'pack.loaded'")
    site.checklist("MRN-2")
    courier.drain()
    assert "the message cannot be sent" in site.deliveries("last_answer")
    assert "MRN-2" in patients(receiver)
    assert "KeyError" in caplog.text
    assert "MRN" not in caplog.text


def test_nothing_of_all_this_breaks_the_journal(*, site, failing, endpoint, known, courier, clock, settings):
    site.outcome(site.checklist())
    for _ in range(30):
        courier.drain()
        clock.pass_by(hours=6)
    known.rotate(endpoint.id, site.act())
    assert site.entries("delivery.failed") and site.entries("endpoint.paused")
    assert verified(settings.database).faults == []
