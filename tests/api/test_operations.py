"""For whoever runs the service."""

import os
from pathlib import Path

import pytest

from service.app import create_app
from service.knowledge.problems import KnowledgeError
from service.records.database import StoreUnavailable
from service.settings import BadSetting, Settings
from service.web.metrics import Metrics
from tests.api.sending import a_request, post, sample


@pytest.mark.any_database
def test_a_service_that_is_up_says_so(client):
    assert client.get("/healthz").json == {"status": "up"}


@pytest.mark.any_database
def test_requests_checklists_and_time_are_counted(client):
    post(client)
    post(client)
    post(client, a_request(drug="nothing"))

    post_to = 'http_requests_total{endpoint="/api/v1/checklists",method="POST"'
    assert sample(client, f'{post_to},status="201"') == 2
    assert sample(client, f'{post_to},status="422"') == 1
    assert sample(client, 'checklists_total{drug="inebilizumab",status="pass"') == 2
    assert sample(client, "evaluation_seconds_count") == 2
    assert sample(client, "evaluation_seconds_sum") > 0
    assert sample(client, "engine_faults_total") == 0


@pytest.mark.any_database
def test_an_address_is_counted_by_its_route(client):
    client.get(post(client).headers["Location"])
    client.get("/not/there/1")
    client.get("/not/there/2")

    assert sample(client, 'http_requests_total{endpoint="/api/v1/checklists/{checklist_id}"') == 1
    assert sample(client, 'http_requests_total{endpoint="unmatched"') == 2


def test_an_invented_method_makes_no_series_of_its_own():
    metrics = Metrics()
    metrics.request("/x", "BREW", 405, 0.1)
    assert 'method="other"' in metrics.text()


def test_a_broken_pack_stops_the_service_with_the_file_and_the_line(tmp_path):
    rules = tmp_path / "rules"
    rules.mkdir()
    with pytest.raises(KnowledgeError, match=r"rules/facts\.yaml"):
        create_app(Settings(f"sqlite:///{tmp_path}/x.db", keys=tmp_path / "new.pem", rules=rules))


def test_a_database_that_cannot_be_opened_stops_the_service(tmp_path):
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        create_app(Settings(f"sqlite:///{tmp_path}/no/such/folder/x.db", keys=tmp_path / "new.pem"))


def test_the_settings_come_from_the_environment(tmp_path, monkeypatch):
    policy = tmp_path / "policy.yaml"
    policy.touch()
    environment = {
        "DOSEGATE_DATABASE_URL": "postgresql://dosegate@host/dosegate",
        "DOSEGATE_DATABASE_OWNER_URL": "postgresql://owner@host/dosegate",
        "DOSEGATE_SITE": "clinic-2",
        "DOSEGATE_PATIENT_IDENTIFIER_SYSTEM": "urn:oid:1.2.3",
        "DOSEGATE_SIGNING_KEYS": "/data/keys.pem",
        "DOSEGATE_RULES": str(tmp_path),
        "DOSEGATE_POLICY": str(policy),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert Settings.from_environment() == Settings(
        database="postgresql://dosegate@host/dosegate",
        owner="postgresql://owner@host/dosegate",
        site="clinic-2",
        keys=Path("/data/keys.pem"),
        rules=tmp_path,
        policy=policy,
        patient_identifier_system="urn:oid:1.2.3",
    )


def test_without_an_environment_the_shipped_rules_serve_and_records_are_kept_here(monkeypatch):
    for name in [name for name in os.environ if name.startswith("DOSEGATE_")]:
        monkeypatch.delenv(name)
    found = Settings.from_environment()
    assert (found.database, found.owner) == ("sqlite:///dosegate.db", None)
    assert (found.rules, found.policy) == (None, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DOSEGATE_DATABASE_URL", "dosegate.db"),
        ("DOSEGATE_DATABASE_URL", "mysql://name:secret@host/dosegate"),
        ("DOSEGATE_DATABASE_URL", "postgresql://name:secret@host"),
        ("DOSEGATE_DATABASE_URL", "sqlite://"),
        ("DOSEGATE_DATABASE_URL", "sqlite:///:memory:"),
        ("DOSEGATE_DATABASE_OWNER_URL", "sqlite:///secret.db"),
        ("DOSEGATE_SITE", "two words"),
        ("DOSEGATE_PATIENT_IDENTIFIER_SYSTEM", "our numbers"),
        ("DOSEGATE_RULES", "/no/such/folder"),
        ("DOSEGATE_POLICY", "/no/such/file"),
    ],
)
def test_a_bad_setting_is_named_in_one_line(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSetting) as refused:
        Settings.from_environment()
    said = str(refused.value)
    assert said.startswith(name)
    assert "\n" not in said
    assert "secret" not in said
