"""An administrator makes and revokes keys of programs."""

import re

import pytest

from service.access.roles import FOR_PEOPLE_ONLY, SCOPES, Role
from tests.pages.page_texts import fields, words
from tests.people import PIN, signed_in

pytestmark = pytest.mark.any_database
NEW = {"name": "Ward EHR", "scopes": ["checklist:make", "checklist:read"], "days": "90", "secret": PIN}


@pytest.fixture
def admin(app):
    return signed_in(app, Role.ADMIN, "adam")


def make(admin, **sent):
    return admin.post("/keys", data={**fields(admin.get("/keys"), "/keys"), **NEW, **sent})


def test_a_key_is_shown_once_and_opens_what_it_was_made_for(app, admin):
    made = make(admin)
    assert made.status_code == 200 and made.headers["Cache-Control"] == "no-store"
    token = re.search(r"dosegate_[0-9a-f]{12}_[0-9a-f]{64}", made.text)[0]
    for address in ("/keys", f"/keys/{token.split('_')[1]}"):
        assert token not in admin.get(address).text
    bearer = {"Authorization": f"Bearer {token}"}
    assert app.test_client().post("/api/v1/checklists", headers=bearer, json={}).status_code == 422
    assert app.test_client().get("/api/v1/drugs", headers=bearer).status_code == 403
    listed = words(admin.get("/keys"))
    assert "Ward EHR" in listed and "2027-01-04" in listed and "Make a checklist" in listed


def test_a_revoked_key_opens_nothing(app, admin):
    token = re.search(r"dosegate_[0-9a-f]{12}_[0-9a-f]{64}", make(admin).text)[0]
    prefix = token.split("_")[1]
    address = f"/keys/{prefix}/revoke"
    form = fields(admin.get(f"/keys/{prefix}"), address)
    assert admin.post(address, data={**form, "secret": "314159"}).status_code == 403
    assert admin.post(address, data={**form, "secret": PIN}).location == f"/keys/{prefix}"
    bearer = {"Authorization": f"Bearer {token}"}
    assert app.test_client().get("/api/v1/drugs", headers=bearer).status_code == 401
    page = admin.get(f"/keys/{prefix}")
    assert "Revoked on 2026-10-06" in words(page) and "Revoke the key" not in words(page)
    assert admin.post(address, data={**form, "secret": PIN}).status_code == 422
    assert admin.post("/keys/0123456789ab/revoke", data={**form, "secret": PIN}).status_code == 404


REFUSED = [
    ({"secret": "314159"}, 403),
    ({"secret": ""}, 422),
    ({"name": ""}, 422),
    ({"scopes": []}, 422),
    ({"scopes": ["accounts:manage"]}, 422),
    ({"scopes": ["everything"]}, 422),
    ({"days": "0"}, 422),
    ({"days": "-3"}, 422),
    ({"days": "many"}, 422),
    ({"days": "99999"}, 422),
    ({"days": "٣"}, 422),
]


def test_what_is_refused_makes_no_key_and_what_was_typed_stays(app, admin):
    for sent, code in REFUSED:
        answer = make(admin, **sent)
        assert answer.status_code == code, sent
        assert app.extensions["dosegate"].keys.all() == []
        if sent.get("name") != "":
            assert 'value="Ward EHR"' in answer.text


def test_what_only_people_do_is_not_offered(admin):
    page = admin.get("/keys").text
    assert all(f'value="{scope}"' in page for scope in SCOPES)
    assert not any(f'value="{scope}"' in page for scope in FOR_PEOPLE_ONLY)
