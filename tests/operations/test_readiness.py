"""Whether it is ready, part by part; and who delivers webhooks."""

import threading

import pytest

from service.api.schemas import StateSchema
from service.web.readiness import WORDS
from service.webhooks.presence import say_present
from tests.api.sending import is_problem
from tests.faults.serving import until
from tests.logged import logged

SOUND = {"database": "up", "migrations": "current", "packs": "loaded", "chain": "sound"}


def test_each_part_is_told_and_a_missing_courier_is_no_reason_to_turn_people_away(
    *, client, sql, endpoint, courier, clock, parts, act
):
    def ready():
        answer = client.get("/readyz")
        assert answer.status_code == 200
        assert StateSchema().validate(answer.json) == {}
        return answer.json["parts"]

    assert ready() == {**SOUND, "worker": "missing"}
    stop = threading.Event()
    working = threading.Thread(target=courier.run, args=(stop,))
    working.start()
    try:
        until(lambda: sql("SELECT process FROM couriers"), "it does not say that it is there")
        assert ready() == {**SOUND, "worker": "running"}
        clock.pass_by(minutes=5)
        until(lambda: ready()["worker"] == "running", "it says so only once")
    finally:
        stop.set()
        working.join()
    assert sql("SELECT process FROM couriers") == []
    assert ready()["worker"] == "missing"
    parts.endpoints.pause(endpoint.id, act)
    assert ready()["worker"] == "not_needed"


@pytest.mark.usefixtures("endpoint")
def test_one_that_was_killed_is_believed_for_a_moment(client, parts, clock):
    say_present(parts.store.records, "one", clock())
    assert client.get("/readyz").json["parts"]["worker"] == "running"
    clock.pass_by(seconds=41)
    assert client.get("/readyz").json["parts"]["worker"] == "missing"


BROKEN = {
    "database": "ALTER TABLE checklists RENAME TO elsewhere",
    "migrations": "UPDATE alembic_version SET version_num = '0004'",
    "chain": "UPDATE chains SET digest = 'sha256:0'",
}


@pytest.mark.usefixtures("own_database_url")
@pytest.mark.parametrize("part", BROKEN)
def test_what_is_broken_is_named_in_fixed_words(client, unguarded, part, caplog):
    unguarded(BROKEN[part])
    answer = client.get("/readyz")
    assert is_problem(answer, 503)
    told = {each["path"].removeprefix("parts."): each["message"] for each in answer.json["errors"]}
    assert told[part] == WORDS[part][1]
    assert all(word in WORDS[name] for name, word in told.items())
    assert "packs" not in told and "worker" not in told
    assert client.get("/healthz").status_code == 200
    [line] = logged(caplog, "not_ready")
    assert line["part"] == part
