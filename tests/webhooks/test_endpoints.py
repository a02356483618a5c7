"""Endpoints and dead letters, over HTTP and on the command line; what is done to them is in the journal."""

import json
import uuid
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
import standardwebhooks

from service.access.roles import SCOPES, Permission
from service.app import create_app
from service.records.registered import secret_digest, url_digest
from service.webhooks.claims import claim
from service.webhooks.outbox import read_on
from tests.api.conftest import with_key
from tests.api.sending import is_problem, paths
from tests.builders import shipped
from tests.cli.command import run, start
from tests.webhooks import receiver as answers
from tests.webhooks.conftest import NOW
from tests.webhooks.telling import EVENTS

ENDPOINTS, DELIVERIES = "/api/v1/webhooks/endpoints", "/api/v1/webhooks/deliveries"
SOMEBODY = "https://ehr.example.org/hooks?token=s3cret"


@pytest.fixture
def client(site, settings, receiver, clock):
    """A machine client of a service over the site's database."""
    app = create_app(replace(settings, private_hosts=frozenset({receiver.host})), shipped(), clock)
    with closing(app.extensions["dosegate"].store.records):
        yield with_key(app, [Permission.WEBHOOKS_MANAGE])


def added(client, url=SOMEBODY, **more):
    response = client.post(ENDPOINTS, json={"url": url, "events": ["outcome.recorded"], **more})
    assert response.status_code == 201, response.json
    return response.json


def test_an_endpoint_is_added_and_its_secret_is_shown_once(client, site, sql):
    new = added(client, events=["pack.released", "checklist.completed", "pack.released"])
    secret = new.pop("secret")
    assert secret == site.secret_of(new["id"])
    standardwebhooks.Webhook(secret)
    assert new == {
        "id": new["id"],
        "url": SOMEBODY,
        "events": ["checklist.completed", "pack.released"],
        "full": False,
        "created_at": "2026-11-22T09:00:00.250000Z",
        "older_until": None,
        "failing_since": None,
        "held_until": None,
        "paused_at": None,
        "paused_because": None,
        "waiting": 0,
        "behind": 0,
    }
    listed = client.get(ENDPOINTS)
    assert listed.json == {"endpoints": [new]}
    [(subject, details)] = site.entries("endpoint.added")
    assert subject == new["id"]
    # What stands behind the host may be a secret of theirs.
    digests = {"secret_digest": secret_digest(secret), "url_digest": url_digest(secret, SOMEBODY)}
    assert details == {"origin": "https://ehr.example.org", "events": new["events"], "full": False, **digests}
    assert secret not in str(sql("SELECT * FROM journal"))


@pytest.mark.any_database
@pytest.mark.parametrize(
    "url",
    [
        "http://ehr.example.org/hooks",
        "https://user:word@ehr.example.org/",
        "https://127.0.0.1/",
        "https://10.0.0.7/x",
        "https://[::1]/",
        "ftp://ehr.example.org",
        "https://",
        "nonsense",
        "https://ehr.example.org/" + 2000 * "x",
        "https://ehr.example.org/#part",
    ],
)
def test_an_address_that_is_never_called_is_refused(client, site, url):
    response = client.post(ENDPOINTS, json={"url": url, "events": ["outcome.recorded"]})
    assert is_problem(response, 422) and paths(response) == ["url"]
    assert client.get(ENDPOINTS).json == {"endpoints": []}
    assert site.entries("endpoint.added") == []


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"events": []}, "events"),
        ({"events": ["checklist.made"]}, "events.0"),
        ({"events": "outcome.recorded"}, "events"),
        ({"full": "yes"}, "full"),
        ({"secret": "whsec_mine"}, "secret"),
        ({"url": None}, "url"),
    ],
)
def test_what_is_badly_asked_for_is_refused_by_name(client, changed, path):
    response = client.post(ENDPOINTS, json={"url": SOMEBODY, "events": ["outcome.recorded"], **changed})
    assert is_problem(response, 422) and paths(response) == [path]


def test_what_it_is_told_of_can_be_changed_and_the_address_cannot(client, site):
    id = added(client)["id"]
    changed = client.patch(f"{ENDPOINTS}/{id}", json={"events": ["pack.released"]})
    assert (changed.json["events"], changed.json["full"]) == (["pack.released"], False)
    changed = client.patch(f"{ENDPOINTS}/{id}", json={"full": True})
    assert (changed.json["events"], changed.json["full"]) == (["pack.released"], True)
    assert client.patch(f"{ENDPOINTS}/{id}", json={"full": True}).status_code == 200  # nothing new
    assert is_problem(client.patch(f"{ENDPOINTS}/{id}", json={"url": "https://other.example.org"}), 422)
    assert [details for _, details in site.entries("endpoint.changed")] == [
        {"events": ["pack.released"]},
        {"full": True},
    ]


def test_rotating_pausing_resuming_and_removing_are_shown_and_journaled(client, site, clock, sql):
    new = added(client)
    at = f"{ENDPOINTS}/{new['id']}"
    rotated = client.post(f"{at}/rotate").json
    assert rotated["secret"] not in (new["secret"], None)
    assert rotated["older_until"] == "2026-11-23T09:00:00.250000Z"
    clock.pass_by(hours=1)
    for _ in range(2):  # the second time nothing changes
        paused = client.post(f"{at}/pause").json
        assert (paused["paused_at"], paused["paused_because"]) == ("2026-11-22T10:00:00.250000Z", "by hand")
        clock.pass_by(minutes=1)
    for _ in range(2):
        assert client.post(f"{at}/resume").json["paused_at"] is None
    assert client.delete(at).status_code == 204
    assert client.get(ENDPOINTS).json == {"endpoints": []}
    before, after = (url_digest(each["secret"], SOMEBODY) for each in (new, rotated))
    digests = {
        "secret_digest": secret_digest(rotated["secret"]),
        "url_digest": {"from": before, "to": after},
    }
    told = [
        (event, site.entries(f"endpoint.{event}")) for event in ("changed", "paused", "resumed", "removed")
    ]
    assert told == [
        ("changed", [(new["id"], {"rotated": True, **digests, "older_until": rotated["older_until"]})]),
        ("paused", [(new["id"], {"because": "by hand"})]),
        ("resumed", [(new["id"], {})]),
        ("removed", [(new["id"], {})]),
    ]
    for secret in (new["secret"], rotated["secret"]):
        assert secret not in str(sql("SELECT * FROM journal")) + str(sql("SELECT * FROM endpoints"))


def test_within_the_day_it_is_not_rotated_again_unless_a_secret_has_leaked(client, site, clock, sql):
    new = added(client)
    at = f"{ENDPOINTS}/{new['id']}"
    older = client.post(f"{at}/rotate").json
    clock.pass_by(hours=23, minutes=59)
    kept = sql("SELECT secret, older_secret, older_until FROM endpoints")
    refused = client.post(f"{at}/rotate")
    assert is_problem(refused, 409) and older["older_until"] in refused.json["detail"]
    assert sql("SELECT secret, older_secret, older_until FROM endpoints") == kept
    leaked = client.post(f"{at}/rotate", json={"now": "yes"}).json
    assert leaked["older_until"] is None
    assert sql("SELECT secret, older_secret FROM endpoints") == [(leaked["secret"], None)]
    told = [details["older_until"] for _, details in site.entries("endpoint.changed")]
    assert told == [older["older_until"], None]
    assert client.post(f"{at}/rotate").status_code == 200
    clock.pass_by(hours=24)
    assert client.post(f"{at}/rotate").status_code == 200
    assert is_problem(client.post(f"{at}/rotate", json={"now": True}), 422)


@pytest.mark.any_database
def test_there_is_no_such_endpoint(client):
    gone = added(client)["id"]
    client.delete(f"{ENDPOINTS}/{gone}")
    for id in (str(uuid.uuid4()), gone):
        for method, path in (
            ("PATCH", ""),
            ("DELETE", ""),
            *(("POST", each) for each in ("/rotate", "/pause", "/resume")),
        ):
            body = {"json": {}} if method == "PATCH" else {}
            response = client.open(f"{ENDPOINTS}/{id}{path}", method=method, **body)
            assert is_problem(response, 404) and response.json["type"].endswith("no-such-endpoint"), path


def test_endpoints_of_another_site_are_not_there(client, site, sql):
    id = added(client)["id"]
    sql("UPDATE endpoints SET site = 'elsewhere'")
    assert client.get(ENDPOINTS).json == {"endpoints": []}
    assert is_problem(client.delete(f"{ENDPOINTS}/{id}"), 404)


def test_dead_letters_are_listed_page_by_page_and_sent_again(
    *, client, site, known, receiver, courier, clock
):
    receiver.mode = answers.BROKEN
    id = added(client, receiver.url, events=[*EVENTS])["id"]
    receiver.secret = site.secret_of(id)
    for number in range(5):
        site.checklist(f"MRN-{number}")
    for _ in range(2):
        courier.drain()
        clock.pass_by(hours=72)
    assert client.get(f"{DELIVERIES}?state=due").json == {"deliveries": [], "after": None}
    first = client.get(f"{DELIVERIES}?state=dead&limit=3").json
    second = client.get(f"{DELIVERIES}?state=dead&limit=3&after={first['after']}").json
    dead = first["deliveries"] + second["deliveries"]
    assert second["after"] is None
    assert [each["sequence"] for each in dead] == sorted({each["sequence"] for each in dead})
    assert len(dead) == 5
    assert dead[0] == {
        "message": dead[0]["message"],
        "endpoint": id,
        "type": "checklist.completed",
        "sequence": dead[0]["sequence"],
        "thread": dead[0]["thread"],
        "state": "dead",
        "attempts": 2,
        "first_at": "2026-11-22T09:00:00.250000Z",
        "due_at": dead[0]["due_at"],
        "last_answer": "500",
        "settled_at": "2026-11-25T09:00:00.250000Z",
    }
    assert "MRN" not in json.dumps(dead)
    assert client.get(f"{DELIVERIES}?endpoint={uuid.uuid4()}").json["deliveries"] == []
    receiver.mode = answers.OK
    assert client.post(f"{DELIVERIES}/{dead[2]['message']}/replay").json == {"deliveries": 1}
    courier.drain()
    assert receiver.ids() == [dead[2]["message"]]
    again = client.post(f"{DELIVERIES}/replay", json={"since": "2026-11-25T09:00:00Z", "endpoint": id})
    assert again.json == {"deliveries": 4}
    courier.drain()
    assert set(receiver.ids()) == {each["message"] for each in dead}
    assert client.post(f"{DELIVERIES}/{dead[2]['message']}/replay").json == {
        "deliveries": 1
    }  # it had arrived
    assert is_problem(client.post(f"{DELIVERIES}/{uuid.uuid4()}/replay"), 404)
    client.delete(f"{ENDPOINTS}/{id}")
    assert is_problem(client.post(f"{DELIVERIES}/{dead[0]['message']}/replay"), 404)


def test_one_that_waits_is_due_now_when_it_is_replayed(*, client, site, known, receiver, courier, clock):
    receiver.mode = answers.BROKEN
    id = added(client, receiver.url, events=[*EVENTS])["id"]
    receiver.secret = site.secret_of(id)
    site.checklist("MRN-1")
    for hours in (0, 1, 1):
        clock.pass_by(hours=hours)
        courier.drain()
    [(message, attempts, first_at)] = site.deliveries("message", "attempts", "first_at")
    assert attempts == 3
    [endpoint] = client.get(ENDPOINTS).json["endpoints"]
    assert (endpoint["waiting"], endpoint["behind"]) == (1, 0)
    receiver.got.clear()
    courier.drain()
    assert receiver.got == []  # the next attempt is in half an hour
    assert client.post(f"{DELIVERIES}/{message}/replay").json == {"deliveries": 1}
    # It is still the same delivery, which is given up 72 hours after its first attempt.
    assert site.deliveries("attempts", "first_at") == [(3, first_at)]
    receiver.mode = answers.OK
    courier.drain()
    assert receiver.ids() == [message]
    assert client.get(ENDPOINTS).json["endpoints"][0]["waiting"] == 0
    [(_, details)] = site.entries("delivery.repeated")
    assert details == {"message": message, "deliveries": 1}


def test_one_that_is_being_sent_is_not_sent_twice_by_a_replay(*, client, site, endpoint, clock):
    site.checklist("MRN-1")
    read_on(site.records, clock())
    [claimed] = claim(site.records, endpoint.id, 9, clock())
    assert client.post(f"{DELIVERIES}/{claimed.message}/replay").json == {"deliveries": 1}
    assert claim(site.records, endpoint.id, 9, clock()) == []


@pytest.mark.any_database
@pytest.mark.parametrize(
    "asked", ["state=gone", "endpoint=x", "after=x", "after=1~a~b", "limit=0", "limit=201", "x=1"]
)
def test_deliveries_badly_asked_for_are_refused(client, asked):
    response = client.get(f"{DELIVERIES}?{asked}")
    assert is_problem(response, 422) and paths(response) == [asked.partition("=")[0]]


@pytest.mark.any_database
def test_who_may_not_is_not_told_who_is_told(client):
    other = with_key(client.application, SCOPES - {Permission.WEBHOOKS_MANAGE})
    assert is_problem(other.get(ENDPOINTS), 403)
    assert is_problem(other.post(f"{DELIVERIES}/replay", json={}), 403)


# On the command line


@pytest.fixture
def command(site, settings, receiver):
    """Runs a command for the site."""
    env = {
        "DOSEGATE_DATABASE_URL": settings.database,
        "DOSEGATE_SIGNING_KEYS": str(settings.keys),
        "DOSEGATE_PRIVATE_HOSTS": receiver.host,
        "DOSEGATE_PUBLIC_URL": "https://dosegate.example.org",
    }

    def command(*arguments, process=False):
        return (start if process else run)(*arguments, env=env)

    command.env = env
    return command


def test_the_command_adds_lists_changes_rotates_pauses_resumes_and_removes(command, site, known, receiver):
    done = command("webhooks", "add", receiver.url, "--event", "outcome.recorded", "--event", "pack.released")
    assert done.exit_code == 0
    [endpoint] = known.all()
    assert done.stdout == f"{site.secret_of(endpoint.id)}\n"
    assert endpoint.id in done.stderr and "not shown again" in done.stderr
    assert "DOSEGATE_PUBLIC_URL" not in done.stderr
    assert endpoint.events == ("outcome.recorded", "pack.released")
    listed = command("webhooks", "list").stdout
    assert receiver.url in listed and endpoint.id in listed and "pack.released" in listed and "well" in listed
    changed = command("webhooks", "change", endpoint.id, "--event", "checklist.completed", "--full")
    assert changed.stdout == f"{endpoint.id} is told of checklist.completed, in full.\n"
    rotated = command("webhooks", "rotate", endpoint.id)
    assert rotated.stdout == f"{site.secret_of(endpoint.id)}\n" != done.stdout
    assert "the one before signs too" in command("webhooks", "list").stdout.replace("\n", " ")
    again = command("webhooks", "rotate", endpoint.id)
    assert (again.exit_code, again.stdout, again.stderr.count("\n")) == (2, "", 1)
    assert "the secret before this one is good until" in again.stderr and "--now" in again.stderr
    leaked = command("webhooks", "rotate", endpoint.id, "--now")
    assert leaked.stdout == f"{site.secret_of(endpoint.id)}\n" != rotated.stdout
    assert "signs no more" in leaked.stderr
    assert "the one before signs too" not in command("webhooks", "list").stdout.replace("\n", " ")
    assert command("webhooks", "pause", endpoint.id).exit_code == 0
    assert "by hand" in command("webhooks", "list").stdout
    assert command("webhooks", "resume", endpoint.id).exit_code == 0
    assert command("webhooks", "remove", endpoint.id).exit_code == 0
    assert known.all() == []
    events = ("added", "changed", "paused", "resumed", "removed")
    assert [len(site.entries(f"endpoint.{event}")) for event in events] == [1, 3, 1, 1, 1]


@pytest.mark.any_database
def test_who_adds_an_endpoint_is_told_that_links_will_be_paths(command, receiver):
    del command.env["DOSEGATE_PUBLIC_URL"]
    done = command("webhooks", "add", receiver.url, "--event", "pack.released")
    assert done.exit_code == 0 and done.stdout.startswith("whsec_") and done.stdout.count("\n") == 1
    says = "DOSEGATE_PUBLIC_URL is not set, so that links in messages are paths only"
    assert done.stderr.splitlines()[-1].startswith(says)


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("add", "http://ehr.example.org", "--event", "pack.released"), "url: is never called"),
        (("add", "http://ehr.example.org", "--event", "pack.released"), "DOSEGATE_PRIVATE_HOSTS"),
        (("add", "https://10.0.0.7/x", "--event", "pack.released"), "DOSEGATE_PRIVATE_HOSTS"),
        (("pause", str(uuid.uuid4())), "no endpoint has this id"),
        (("replay", str(uuid.uuid4())), "no such message"),
        (("replay",), "give either a MESSAGE"),
        (("replay", "--since", "yesterday"), "--since must be a date and time"),
        (("deliveries", "--after", "x"), "after: is not where a page ended"),
    ],
)
def test_a_command_that_cannot_be_done_says_so_in_a_line(command, arguments, says):
    done = command("webhooks", *arguments)
    assert done.exit_code == 2 and says in done.stderr
    assert done.stderr.count("\n") == 1


def test_deliver_once_sends_what_is_due_and_says_how_much(command, site, known, receiver, clock):
    from datetime import UTC, datetime

    clock.now = datetime.now(UTC)
    _, receiver.secret = known.add(receiver.url, EVENTS, full=False, act=site.act())
    receiver.mode = lambda got: answers.BROKEN if got["data"]["patient"]["id"] == "MRN-1" else answers.OK
    for number in range(3):
        site.checklist(f"MRN-{number}")
    done = command("deliver", "--once")
    assert (done.exit_code, done.stdout) == (0, "2 arrived, 1 did not.\n")
    for got in receiver.arrived:  # as somebody would who knows nothing of us, by the time of now
        standardwebhooks.Webhook(receiver.secret).verify(got.body, got.headers)
        assert got.data["link"].startswith("https://dosegate.example.org/api/v1/checklists/")
    assert "1 delivery" in command("webhooks", "list").stdout
    listed = command("webhooks", "deliveries", "--state", "due").stdout
    assert "waits after 1 attempt: 500" in listed and listed.count("checklist.completed") == 1
    assert receiver.got[0].id in command("webhooks", "deliveries").stdout
    clock.now = NOW + timedelta(days=3650)
    receiver.mode = answers.OK
    delivered = site.deliveries("message", "state")
    [again] = [message for message, state in delivered if state == "delivered"][:1]
    assert command("webhooks", "replay", again).stdout == "1 delivery due now.\n"
    assert (
        command("webhooks", "replay", "--since", "2026-01-01T00:00:00Z").stdout == "0 deliveries due now.\n"
    )


def test_deliver_goes_on_until_it_is_told_to_stop(command, site, known, receiver, clock):
    import signal
    import subprocess
    from datetime import UTC, datetime

    from tests.cli.command import PROGRAM, plain_environment
    from tests.faults.serving import until

    clock.now = datetime.now(UTC)
    _, receiver.secret = known.add(receiver.url, EVENTS, full=False, act=site.act())
    with subprocess.Popen(
        [*PROGRAM, "deliver"],
        env={**plain_environment(), **command.env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert process.stdout.readline() == "Delivering for the site main.\n"
            receiver.mode = answers.SLOW
            site.checklist("MRN-1")
            until(lambda: receiver.got, "nothing comes")
            process.send_signal(signal.SIGTERM)  # while the answer is awaited
            assert process.communicate(timeout=30) == ("1 arrived, 0 did not.\n", None)
        finally:
            process.kill()
    assert process.returncode == 0
    assert site.deliveries("state") == ["delivered"]
