"""An administrator looks after accounts on pages, and people after their own."""

import inspect
import re

import pytest

from service.access import account, accounts, passwords
from service.access.roles import ROLES, SCOPES, Permission, Role
from service.pages.presenters.people import PERMISSION_WORDS
from service.pages.presenters.refusals import FAULTS
from service.records.journal import Act
from service.web import own_account
from tests.pages.page_texts import fields, form_key, words
from tests.people import PASSWORD, PIN, an_account, browser, signed_in

pytestmark = pytest.mark.any_database
NEW = {"name": "nina.koch", "full_name": "Nina Koch", "role": "nurse", "password": "a first long password"}


@pytest.fixture
def parts(app):
    return app.extensions["dosegate"]


@pytest.fixture
def admin(app):
    return signed_in(app, Role.ADMIN, "adam")


def post(client, address, secret=PIN, **sent):
    return client.post(address, data={"form_key": form_key(client.get("/account")), "secret": secret, **sent})


def test_an_account_is_added_and_its_owner_begins(app, admin, parts, sql):
    answer = post(admin, "/accounts", **NEW)
    assert (answer.status_code, answer.location) == (303, "/accounts/nina.koch?done=added")
    assert "chooses another password" in words(admin.get(answer.location))
    assert "nina.koch" in words(admin.get("/accounts"))
    added = parts.accounts.by_name("nina.koch")
    assert (added.full_name, added.role, added.password_expired) == ("Nina Koch", Role.NURSE, True)
    assert sql("SELECT actor FROM journal WHERE event = 'account.added' AND subject = 'user:nina.koch'") == [
        ("user:adam",)
    ]
    nina = browser(app)
    entered = nina.post("/sign-in", data={"name": "nina.koch", "password": NEW["password"]})
    assert entered.location == "/account"


def test_one_who_signs_in_elsewhere_needs_no_password(admin, parts):
    issuer = {"issuer": "https://id.example", "external": "7", "password": ""}
    assert post(admin, "/accounts", **{**NEW, **issuer}).status_code == 303
    assert not parts.accounts.by_name("nina.koch").has_password


REFUSED = [
    ({"secret": ""}, 422, "Enter your PIN or password"),
    ({"secret": "314159"}, 403, "This is not right. Nothing was changed."),
    ({"name": "Nina"}, 422, "small letters"),
    ({"name": "adam"}, 422, "Another account has this name"),
    ({"full_name": ""}, 422, "Enter the full name"),
    ({"full_name": " "}, 422, "Enter the full name"),
    ({"role": "king"}, 422, "Choose a role"),
    ({"password": "short"}, 422, "12 to 1024 characters"),
    ({"password": "nina.koch nina.koch"}, 422, "without the name"),
    ({"password": ""}, 422, "Give a password, or an issuer"),
    ({"issuer": "https://id.example"}, 422, "Give a password, or an issuer"),
]


def test_what_is_refused_is_said_and_what_was_typed_stays(admin, parts):
    before = len(parts.accounts.all())
    for sent, code, says in REFUSED:
        answer = post(admin, "/accounts", **{**NEW, **sent})
        assert answer.status_code == code and says in words(answer), sent
        assert f'value="{({**NEW, **sent})["name"]}"' in answer.text
        assert NEW["password"] not in answer.text and PIN not in answer.text
    assert len(parts.accounts.all()) == before


def test_each_change_is_made_and_ends_what_it_ought_to_end(app, admin, parts):
    paula = signed_in(app, Role.NURSE, "paula")
    address = "/accounts/paula"
    assert post(admin, address, change="full_name", full_name="Paula Pond").status_code == 303
    assert post(admin, address, change="role", role="prescriber").status_code == 303
    changed = parts.accounts.by_name("paula")
    assert (changed.full_name, changed.role) == ("Paula Pond", Role.PRESCRIBER)
    assert paula.get("/account").status_code == 200
    assert post(admin, address, change="password", password="another long password").status_code == 303
    assert parts.accounts.by_name("paula").password_expired
    assert paula.get("/account").status_code == 303
    assert post(admin, address, change="disable").status_code == 303
    assert "Disabled since 2026-10-06" in words(admin.get(address))
    assert (
        browser(app).post("/sign-in", data={"name": "paula", "password": "another long password"}).status_code
        == 401
    )
    assert post(admin, address, change="enable").status_code == 303
    assert parts.accounts.by_name("paula").disabled_at is None
    assert post(admin, address, change="everything").location == address


def test_a_change_that_nobody_signed_is_not_made(app, admin, parts):
    an_account(app, Role.NURSE, "paula")
    for secret, code in (("", 422), ("314159", 403)):
        assert post(admin, "/accounts/paula", secret, change="disable").status_code == code
    assert parts.accounts.by_name("paula").disabled_at is None
    for _ in range(4):
        post(admin, "/accounts/paula", "314159", change="disable")
    answer = post(admin, "/accounts/paula", change="disable")
    assert answer.status_code == 429 and "Try again in 15 minutes" in words(answer)


def test_nobody_decides_about_themselves_and_one_administrator_is_left(app, admin, parts):
    own = admin.get("/accounts/adam")
    assert "changed by another administrator" in words(own) and "Disable the account" not in words(own)
    for sent in ({"change": "role", "role": "nurse"}, {"change": "disable"}):
        answer = post(admin, "/accounts/adam", **sent)
        assert answer.status_code == 409
    assert "Another administrator does" in words(post(admin, "/accounts/adam", change="disable"))
    assert post(admin, "/accounts/adam", change="full_name", full_name="Adam Ash").status_code == 303
    assert parts.accounts.by_name("adam").role is Role.ADMIN


def test_the_last_administrator_stays(app, admin, parts):
    anna = signed_in(app, Role.ADMIN, "anna")
    key = form_key(anna.get("/account"))
    change = parts.accounts.change
    change("adam", Act("cli:setup", "operator", "setup", parts.clock()), disabled=True)
    answer = anna.post(
        "/accounts/anna", data={"form_key": key, "secret": PIN, "change": "role", "role": "nurse"}
    )
    assert answer.status_code == 409
    assert parts.accounts.by_name("anna").role is Role.ADMIN


def test_a_refusal_of_the_records_has_words(app):
    """Whatever rules of accounts say of a field is said in the words of the pages."""
    with app.test_request_context():
        said = inspect.getsource(account) + inspect.getsource(accounts) + inspect.getsource(passwords)
        said += inspect.getsource(own_account)
        reasons = re.findall(r'"((?:must|is) [^"{]+)"', said)
        assert len(reasons) >= 8
        missing = {reason for reason in reasons if reason not in FAULTS}
    assert missing == {"is needed first: without it, only the issuer lets the account in"}  # by command alone


# One's own account


def test_one_changes_ones_own_password_and_signs_in_with_it(app):
    nina = signed_in(app, Role.NURSE, "nina")
    page = nina.get("/account")
    sent = {
        "present": PASSWORD,
        "password": "another long enough one",
        "password_again": "another long enough one",
    }
    for wrong, code, says in [
        ({"present": ""}, 422, "Enter the present password"),
        ({"present": PIN}, 403, "This is not right"),
        ({"password_again": "another long enough two"}, 422, "not the same as above"),
        ({"password": PASSWORD, "password_again": PASSWORD}, 422, "another password than the present one"),
    ]:
        answer = nina.post("/account/password", data={**fields(page, "/account/password"), **sent, **wrong})
        assert answer.status_code == code and says in words(answer), wrong
    answer = nina.post("/account/password", data={**fields(page, "/account/password"), **sent})
    assert answer.status_code == 200 and "Sign in with it" in words(answer)
    assert nina.get("/account").status_code == 303
    signed = nina.post("/sign-in", data={"name": "nina", "password": sent["password"]})
    assert signed.status_code == 303


def test_one_sets_ones_own_pin(app, clock):
    nina = signed_in(app, Role.NURSE, "nina")
    page = nina.get("/account")
    sent = {**fields(page, "/account/pin"), "present": PASSWORD, "pin": "90210713", "pin_again": "90210713"}
    for wrong, says in [
        ({"pin": "123456", "pin_again": "123456"}, "digits in a row"),
        ({"pin": "1"}, "not the same"),
    ]:
        answer = nina.post("/account/pin", data={**sent, **wrong})
        assert answer.status_code == 422 and says in words(answer)
    assert nina.post("/account/pin", data=sent).location == "/account?done=pin"
    assert "The PIN is set" in words(nina.get("/account?done=pin"))
    clock.move(minutes=5)
    locked = nina.get("/unlock")
    assert nina.post("/unlock", data={**fields(locked, "/unlock"), "secret": "90210713"}).status_code == 303


def test_without_a_password_a_pin_is_set_just_after_the_sign_in(app, parts, clock):
    act = Act("cli:setup", "operator", "setup", parts.clock())
    olga = parts.accounts.add(
        "olga", "Olga", Role.NURSE, None, act, issuer="https://id.example", external="9"
    )
    client = browser(app, olga, parts.sessions.begin(olga, act))
    page = client.get("/account")
    assert "Present password" not in words(page)
    sent = {**fields(page, "/account/pin"), "pin": "90210713", "pin_again": "90210713"}
    clock.move(minutes=4)
    assert client.get("/awake").status_code == 204
    clock.move(minutes=4)
    answer = client.post("/account/pin", data=sent)
    assert answer.status_code == 409 and "identity provider once more" in words(answer)
    client = browser(app, olga, parts.sessions.begin(olga, Act("cli:setup", "operator", "setup", clock())))
    sent = {**sent, **fields(client.get("/account"), "/account/pin")}
    assert client.post("/account/pin", data=sent).status_code == 303


def test_the_page_of_roles_is_the_table_that_is_enforced(app):
    page = signed_in(app, Role.NURSE).get("/roles")
    said = words(page)
    assert set(PERMISSION_WORDS) == set(Permission)
    for permission in Permission:
        cells = said[said.index(f" {permission.value} ") :].split()[1 : len(Role) + 2]
        allowed = [*(role in ROLES[permission] for role in Role), permission in SCOPES]
        assert [cell == "yes" for cell in cells] == allowed, permission
