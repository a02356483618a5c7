"""Senders: who may tell us of infusions, by which secret, and for how long."""

import base64
import json

import pytest
from marshmallow import RAISE

from service.access.roles import SCOPES, Permission, Role
from service.api.sender_schemas import SenderSchema, SenderSecretSchema, SendersSchema
from service.records.registered import secret_digest
from service.webhooks.signing import signature
from tests.api.conftest import with_key
from tests.api.sending import body_of, is_problem, paths
from tests.people import signed_in
from tests.webhooks.incoming.an_ehr import NOW, Ehr, message

SENDERS = "/api/v1/webhooks/senders"


def is_let_in(response):
    return response.status_code == 202


def is_refused(response):
    """Whether nothing is said but that nobody was let in."""
    assert (response.status_code, response.data) == (401, b"")
    assert "Content-Type" not in response.headers
    return True


def test_a_sender_is_added_with_a_secret_that_is_shown_once(app, client, sql, journaled):
    added = client.post(SENDERS, json={"name": "north-ehr"})
    assert added.status_code == 201
    assert SenderSecretSchema(unknown=RAISE).validate(added.json) == {}
    secret = added.json["secret"]
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    listed = client.get(SENDERS)
    assert SendersSchema(unknown=RAISE).validate(listed.json) == {}
    assert [each["name"] for each in listed.json["senders"]] == ["north-ehr"]
    assert secret not in listed.text
    [(_, actor, subject, details)] = journaled("sender.added")
    assert actor.startswith("key:")
    assert secret not in str(details)
    assert (json.loads(details) if isinstance(details, str) else details) == {
        "name": "north-ehr",
        "secret_digest": secret_digest(secret),
    }
    assert sql("SELECT id FROM senders") == [(subject,)]


def test_what_a_sender_does_is_entered_as_its_own(ehr, journaled):
    ehr.tell()
    assert {row[1] for row in journaled("infusion.planned", "checklist.made")} == {"sender:ward"}


def test_for_a_day_after_a_rotation_both_secrets_are_good(ehr, client, clock, journaled):
    before = ehr.secret
    rotated = client.post(f"{SENDERS}/ward/rotate")
    assert SenderSecretSchema(unknown=RAISE).validate(rotated.json) == {}
    after = rotated.json["secret"]
    assert before != after
    clock.pass_by(hours=23, minutes=59)
    assert is_let_in(ehr.send(message(), secret=before))
    assert is_let_in(ehr.send(message(), secret=after))
    clock.pass_by(minutes=1)
    assert is_refused(ehr.send(message(), secret=before))
    assert is_let_in(ehr.send(message(), secret=after))
    [(_, _, _, details)] = journaled("sender.changed")
    assert before not in str(details)
    assert after not in str(details)


def test_within_the_day_it_is_not_rotated_again_so_that_the_older_secret_stays_good(
    ehr, client, clock, journaled, typed
):
    first, second = ehr.secret, client.post(f"{SENDERS}/ward/rotate").json["secret"]
    entries = journaled()
    clock.pass_by(hours=23, minutes=59)
    for body in ({}, {"json": {}}, {"json": {"now": "no"}}):
        refused = client.post(f"{SENDERS}/ward/rotate", **body)
        assert is_problem(refused, 409)
        assert "is good until 2026-10-07T09:00:00.123456Z" in refused.json["detail"]
        assert '{"now": "yes"}' in refused.json["detail"]
    assert journaled() == entries
    for secret in (first, second):
        assert is_let_in(ehr.send(message(), secret=secret))
    clock.pass_by(minutes=1)
    assert client.post(f"{SENDERS}/ward/rotate").status_code == 200
    assert typed("verify").exit_code == 0


def test_where_a_secret_has_leaked_the_older_ones_stop_at_once(ehr, client, clock, sql, typed):
    second = client.post(f"{SENDERS}/ward/rotate").json["secret"]
    rotated = client.post(f"{SENDERS}/ward/rotate", json={"now": "yes"}).json
    assert rotated["older_until"] is None
    for secret in (ehr.secret, second):
        assert is_refused(ehr.send(message(), secret=secret))
    assert is_let_in(ehr.send(message(), secret=rotated["secret"]))
    assert sql("SELECT older_secret FROM senders") == [(None,)]
    assert typed("verify").exit_code == 0
    assert client.post(f"{SENDERS}/ward/rotate").status_code == 200  # there is no older one to cut short
    assert is_let_in(ehr.send(message(), secret=rotated["secret"]))


@pytest.mark.any_database
@pytest.mark.parametrize("body", [{"now": True}, {"now": "at once"}, {"when": "now"}, [], "yes"])
def test_how_to_rotate_is_said_in_words_that_are_known(ehr, client, body):
    assert is_problem(client.post(f"{SENDERS}/ward/rotate", json=body), 422)
    assert is_let_in(ehr.send(message()))


def test_a_sender_that_is_revoked_is_let_in_no_more_and_its_secrets_are_gone(ehr, client, sql, journaled):
    client.post(f"{SENDERS}/ward/rotate")
    revoked = client.post(f"{SENDERS}/ward/revoke")
    assert SenderSchema(unknown=RAISE).validate(revoked.json) == {}
    assert revoked.json["revoked_at"] is not None
    assert is_refused(ehr.send(message()))
    assert sql("SELECT secret, older_secret FROM senders") == [("", None)]
    by_no_secret = signature("", "msg_1", int(NOW.timestamp()), body_of(message()))
    assert is_refused(ehr.send(message(), "msg_1", webhook_signature=by_no_secret))
    for what in ("revoke", "rotate"):
        response = client.post(f"{SENDERS}/ward/{what}")
        assert is_problem(response, 422)
        assert paths(response) == ["name"]
    assert paths(client.post(SENDERS, json={"name": "ward"})) == ["name"]  # the journal knows the old one
    assert len(journaled("sender.revoked")) == 1


@pytest.mark.any_database
@pytest.mark.parametrize("name", ["", "x", "Ward", "two words", "w" * 65, "ward\n", "é" * 5, None, 7])
def test_a_name_that_cannot_be_is_refused(client, name):
    response = client.post(SENDERS, json={"name": name})
    assert is_problem(response, 422)
    assert paths(response) == ["name"]


@pytest.mark.any_database
def test_no_other_sender_is_found(client):
    for what in ("revoke", "rotate"):
        for name in ("nobody", "Nobody%00"):
            assert is_problem(client.post(f"{SENDERS}/{name}/{what}"), 404)


@pytest.mark.any_database
def test_senders_are_for_administrators_and_a_sender_is_let_in_nowhere_else(app, ehr):
    for role in Role:
        client = signed_in(app, role)
        expected = 200 if role is Role.ADMIN else 403
        assert client.get(SENDERS).status_code == expected
    assert with_key(app, SCOPES - {Permission.WEBHOOKS_MANAGE}).get(SENDERS).status_code == 403
    bearer = {"Authorization": f"Bearer {ehr.secret}"}
    assert app.test_client().get(SENDERS, headers=bearer).status_code == 401


def test_two_senders_are_told_apart_by_their_secrets(app, ehr, clock, sql):
    other = Ehr(app, clock, "another")
    mine, theirs = ehr.tell(reference="A"), other.tell(reference="A")
    assert mine["infusion"] != theirs["infusion"]
    assert dict(sql("SELECT id, sender FROM infusions")) == {
        mine["infusion"]: ehr.sender.id,
        theirs["infusion"]: other.sender.id,
    }
    # The same message id of two senders is two messages.
    assert is_let_in(ehr.send(message(reference="B"), "msg_1"))
    assert is_let_in(other.send(message(reference="C"), "msg_1"))


def test_a_sender_of_another_site_is_not_believed(ehr, sql):
    assert is_let_in(ehr.send(message()))
    sql("UPDATE senders SET site = 'elsewhere'")
    assert is_refused(ehr.send(message()))


# On the command line


def test_commands_add_rotate_list_and_revoke(typed, app, clock, journaled):
    added = typed("senders", "add", "ward")
    assert added.exit_code == 0
    assert added.stdout.startswith("whsec_")
    assert "not shown again" in added.stderr
    rotated = typed("senders", "rotate", "ward")
    assert rotated.stdout.startswith("whsec_")
    assert rotated.stdout != added.stdout
    again = typed("senders", "rotate", "ward")
    assert (again.exit_code, again.stdout) == (2, "")
    assert "ward: the secret before this one is good until" in again.stderr
    assert "--now" in again.stderr
    assert again.stderr.count("\n") == 1
    leaked = typed("senders", "rotate", "ward", "--now")
    assert leaked.stdout.startswith("whsec_")
    assert leaked.stdout != rotated.stdout
    assert "good no more" in leaked.stderr
    listed = typed("senders", "list").stdout
    assert "ward" in listed
    assert "believed" in listed
    assert "whsec_" not in listed
    assert typed("senders", "revoke", "ward").stdout == "ward is revoked.\n"
    assert "revoked" in typed("senders", "list").stdout
    events = [(row[0], row[1].partition(":")[0]) for row in journaled()][-4:]
    changed = ("sender.changed", "cli")
    assert events == [("sender.added", "cli"), changed, changed, ("sender.revoked", "cli")]


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "Ward"), "name must be"),
        (("add", "ward"), "name is, or was, another sender's"),
        (("rotate", "nobody"), "no sender has this name"),
        (("revoke", "nobody"), "no sender has this name"),
    ],
)
def test_a_command_that_cannot_be_done_ends_in_one_line(typed, ehr, arguments, said):
    done = typed("senders", *arguments)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
