"""The rules on disk change and the service starts again: what was kept is replayed under its own rules."""

import shutil
from dataclasses import replace

import pytest

from service.access.roles import SCOPES
from service.app import create_app
from tests.api.conftest import NOW, with_key
from tests.api.sending import a_request, post
from tests.cli.command import run
from tests.kept import rules_folder

PACK = "drugs/inebilizumab.yaml"
HBSAG = (
    "hepatitis B surface antigen (HBsAg)\n    type: code\n    result: yes\n    values: {positive: positive, "
)
# A rule less strict, a value of the vocabulary gone, a shared definition narrower, the site's limit shorter.
EDITS = (
    (PACK, "version: 1.0.0", "version: 1.1.0"),
    (
        PACK,
        'if_unknown: {block: "Send the missing hepatitis B marker, and hold until it is back."}',
        'if_unknown: {warn: "Send the missing hepatitis B marker."}',
    ),
    ("facts.yaml", HBSAG + "negative: negative, indeterminate: indeterminate", HBSAG + "negative: negative"),
    ("shared.yaml", "        - pregnancy_test: {in_conflict: yes}\n", ""),
    ("policy.yaml", "value: 7", "value: 1"),
    ("drugs/ibalizumab.yaml", "brands: [Trogarzo]", "brands: [Trogarzo, Another]"),
)


@pytest.fixture
def serving(settings, tmp_path):
    """Serves the rules of one folder; again, after whatever was changed in it."""
    folder, serving = rules_folder(tmp_path / "rules"), []

    def start(edits=()):
        stop()
        shutil.rmtree(folder)
        rules_folder(folder, edits)
        serving.append(create_app(replace(settings, rules=folder), clock=lambda: NOW))
        return with_key(serving[0], SCOPES)

    def stop():
        while serving:
            serving.pop().extensions["dosegate"].store.records.close()

    yield start
    stop()


def test_what_was_kept_comes_out_the_same_whatever_is_on_disk(serving, settings, monkeypatch):
    requests = [
        a_request(without=["anti_hbc_total", "region"]),
        a_request(with_={"hbsag": {"value": "indeterminate", "at": "2026-09-01"}}),
        a_request(with_={"pregnancy_test": {"value": "negative", "at": "2026-10-03"}}),
    ]
    before = serving()
    kept = [post(before, each) for each in requests]
    assert {each.status_code for each in kept} == {201}

    after = serving(EDITS)
    again = [post(after, each) for each in requests]
    assert [each.status_code for each in again] == [201, 422, 201]  # the new vocabulary refuses one
    for old, new in zip(kept, again, strict=True):
        assert new.status_code == 422 or new.json["findings"] != old.json["findings"]
    for old in kept:
        assert after.get(old.headers["Location"]).data == old.data
        report = after.post(old.headers["Location"] + "/replay").json
        assert (report["identical"], report["first_difference"]) == (True, None)
        assert report["pack"] == old.json["pack"]["digest"] != again[0].json["pack"]["digest"]

    monkeypatch.setenv("DOSEGATE_DATABASE_URL", settings.database)
    monkeypatch.setenv("DOSEGATE_SIGNING_KEYS", str(settings.keys))
    assert run("replay", kept[0].json["id"]).exit_code == 0
