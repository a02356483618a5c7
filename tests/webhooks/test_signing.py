"""Signatures of Standard Webhooks, against the library of those who wrote the standard."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
import standardwebhooks
from hypothesis import given as whatever
from hypothesis import strategies as some

from service.webhooks import signing
from service.webhooks.signing import BadSignature, new_secret, signature, signed, verified

BODY = '{"type": "checklist.completed", "data": {"patient": "Ünal-7"}}'.encode()
SECRET = new_secret()
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
IDS = some.text(some.characters(min_codepoint=33, max_codepoint=126, exclude_characters="."), min_size=1)


def theirs(secret=SECRET, id="msg_1", at=NOW, body=BODY):
    """The headers as the library makes them."""
    signs = standardwebhooks.Webhook(secret)
    return {
        "webhook-id": id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signs.sign(id, at, body.decode()),
    }


def refused(headers, body=BODY, now=NOW, secrets=(SECRET,)):
    with pytest.raises(BadSignature) as told:
        verified(secrets, headers, body, now)
    return str(told.value)


@whatever(text=some.text(), id=IDS)
def test_what_we_sign_the_library_verifies_and_the_other_way_round(text, id):
    body, now = text.encode(), datetime.now(UTC)
    standardwebhooks.Webhook(SECRET).verify(body, signed([SECRET], id, now, body), json_parse=False)
    assert verified([SECRET], theirs(id=id, at=now, body=body), body, now) == id
    assert signed([SECRET], id, now, body) == theirs(id=id, at=now, body=body)


def test_the_example_of_the_standard():
    # The one that its own libraries are tested with.
    secret, id, timestamp = (
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
    )
    assert (
        signature(secret, id, timestamp, b'{"test": 2432232314}')
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


def test_a_secret_is_256_random_bits():
    made = {new_secret() for _ in range(50)}
    assert len(made) == 50
    assert {len(base64.b64decode(each.removeprefix("whsec_"), validate=True)) for each in made} == {32}


def test_during_a_rotation_either_secret_verifies_and_a_third_does_not():
    older, newer, now = new_secret(), new_secret(), datetime.now(UTC)
    headers = signed([newer, older], "msg_1", now, BODY)
    for secret in (older, newer):
        standardwebhooks.Webhook(secret).verify(BODY, headers)
        assert verified([secret], headers, BODY, now) == "msg_1"
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(new_secret()).verify(BODY, headers)
    assert verified([newer, older], theirs(older), BODY, NOW) == "msg_1"
    assert "no secret" in refused(headers, now=now)
    assert "no secret" in refused(theirs(), secrets=())


@pytest.mark.parametrize("part", ["webhook-id", "webhook-timestamp", "body"])
def test_what_was_altered_is_refused(part):
    headers, body = theirs(), BODY
    if part == "body":
        body += b" "
    else:
        headers[part] = headers[part][:-1] + "7"
    assert (headers, body) != (theirs(), BODY)
    assert "no secret" in refused(headers, body)


def test_five_minutes_either_way_are_tolerated_and_no_second_more():
    assert verified([SECRET], theirs(), BODY, NOW + timedelta(minutes=5)) == "msg_1"
    assert verified([SECRET], theirs(), BODY, NOW - timedelta(minutes=5)) == "msg_1"
    for late in (timedelta(minutes=5, seconds=1), timedelta(minutes=-5, seconds=-1)):
        assert "5 minutes" in refused(theirs(), now=NOW + late)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        *[(name, "") for name in (signing.ID, signing.TIMESTAMP, signing.SIGNATURE)],
        *[(signing.ID, id) for id in ("x" * 256, "a.b", "a b", "a\nb", "ä")],
        *[(signing.TIMESTAMP, t) for t in ("1e9", "-1", "1.5", "0", "١٢", "9" * 13, " 1", "1\n")],
        *[(signing.SIGNATURE, s) for s in ("v1,ä", "v1,\n", "v1," + "x" * 2048)],
    ],
)
def test_headers_that_are_badly_formed_are_refused_before_anything_is_computed(name, given):
    assert "badly formed" in refused({**theirs(), name: given})


def test_a_missing_header_is_refused():
    for name in theirs():
        assert "missing" in refused({key: value for key, value in theirs().items() if key != name})


def test_a_right_signature_among_others_counts_and_another_version_does_not():
    right = theirs()["webhook-signature"]
    for given in (f"v1a,xxxx {right}", f"nonsense {right}  v1,", f"v1,AAAA {right}"):
        assert verified([SECRET], {**theirs(), "webhook-signature": given}, BODY, NOW) == "msg_1"
    for given in (
        right.replace("v1,", "v1a,"),
        right.replace("v1,", "v2,"),
        right[3:],
        right[:-1],
        f"{right}=",
    ):
        assert "no secret" in refused({**theirs(), "webhook-signature": given})


def test_a_message_cannot_be_cut_at_another_place():
    """What was signed as `a` at one time with a body is not also `a.1` at another with a shorter one."""
    at = int(NOW.timestamp())
    whole = signature(SECRET, "a", at, b"%d.{}" % at)
    assert refused({"webhook-id": f"a.{at}", "webhook-timestamp": str(at), "webhook-signature": whole}, b"{}")


def test_an_error_holds_nothing_of_a_secret():
    with pytest.raises(ValueError, match=r"^a secret is whsec_ and base64$"):
        signature("whsec_not/base64!", "msg_1", 1, b"")
