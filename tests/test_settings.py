"""The settings: all that is wrong at once, nothing secret shown, and documentation that is true."""

import os
from pathlib import Path

import pytest

from service.commands.settings import documentation
from service.settings import SETTINGS, BadSetting, Settings
from tests.cli.command import run

PASSWORD = "Tr0ub4dor"
PAGE = Path(__file__).parents[1] / "docs" / "settings.md"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    """An environment without any setting."""
    for name in [name for name in os.environ if name.upper().startswith("DOSEGATE_")]:
        monkeypatch.delenv(name)


def problems(monkeypatch, **given):
    """What is said of settings that cannot be used, by their names without DOSEGATE_."""
    for name, value in given.items():
        monkeypatch.setenv(f"DOSEGATE_{name}", str(value))
    with pytest.raises(BadSetting) as refused:
        Settings.from_environment()
    return refused.value.problems


def test_what_is_not_set_is_as_the_table_and_the_class_say():
    assert Settings.from_environment() == Settings()


def test_everything_that_is_wrong_is_said_at_once_in_a_line_each_with_the_way_out(monkeypatch):
    wrong = {
        "DATABASE_URL": "mysql://h/d",
        "DATABASE_OWNER_URL": "sqlite:///x.db",
        "SITE": "two words",
        "SIGNING_KEYS": "",
        "PUBLIC_URL": "dosegate.example.org",
        "TRUSTED_PROXIES": "many",
        "PRIVATE_HOSTS": "https://ehr",
        "TIME_ZONE": "Mars",
        "REQUESTS_PER_MINUTE": "-1",
        "LOG_LEVEL": "loud",
        "TRACING": "true",
        "FHIR_SECONDS": "0",
        "PASS_CARDS": "1",
        "PATIENT_IDENTIFIER_SYSTEM": "ours",
        "OIDC_ISSUER": "http://elsewhere.example",
        "OIDC_CLIENT_ID": "\t",
        "OIDC_CLIENT_SECRET_FILE": "nothing",
        "RULES": "n" * 5000,
        "POLICY": "/",
    }
    assert {f"DOSEGATE_{name}" for name in wrong} == {each.variables[0] for each in SETTINGS}
    said = problems(monkeypatch, **wrong)
    assert [line.split()[0] for line in said] == [f"DOSEGATE_{name}" for name in wrong]
    assert not any("\n" in line for line in said)
    assert run("serve").stderr.splitlines() == [f"dosegate: {line}" for line in said]


def test_what_is_right_is_read(monkeypatch):
    right = {"REQUESTS_PER_MINUTE": "0", "LOG_LEVEL": "warning", "TRACING": "yes", "PASS_CARDS": "no"}
    for name, value in right.items():
        monkeypatch.setenv(f"DOSEGATE_{name}", value)
    wanted = Settings(requests_per_minute=0, log_level="warning", tracing=True, pass_cards=False)
    assert Settings.from_environment() == wanted


def test_every_example_can_be_used(monkeypatch, tmp_path):
    for each in SETTINGS:
        if not each.example.startswith("/"):  # a file or folder, which is not here
            monkeypatch.setenv(each.name, each.example)
    (tmp_path / "secret").write_text("x\n")
    monkeypatch.setenv("DOSEGATE_OIDC_CLIENT_SECRET_FILE", str(tmp_path / "secret"))
    found = Settings.from_environment()
    assert found.identity_provider
    assert found.identity_provider.client_id == "dosegate"


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("DOSEGATE_DATABSE_URL", "DOSEGATE_DATABASE_URL"),
        ("DOSEGATE_OIDC_CLIENT_SECRET", "DOSEGATE_OIDC_CLIENT_SECRET_FILE"),
        ("dosegate_site", "DOSEGATE_SITE"),
        ("DOSEGATE_SITE_FILE", "DOSEGATE_SITE"),
    ],
)
def test_a_name_that_is_no_setting_is_refused_with_what_was_meant(monkeypatch, name, near):
    monkeypatch.setenv(name, PASSWORD)
    (said,) = problems(monkeypatch)
    assert said.startswith(f"{name} is no setting")
    assert f'Did you mean "{near}"' in said
    assert PASSWORD not in said


def test_what_kubernetes_tells_of_a_service_named_dosegate_is_no_setting(monkeypatch):
    told = {"SERVICE_HOST": "10.0.0.1", "PORT": "tcp://10.0.0.1:80", "PORT_80_TCP_ADDR": "10.0.0.1"}
    for name, value in told.items():
        monkeypatch.setenv(f"DOSEGATE_{name}", value)
    assert len(problems(monkeypatch)) == 3
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    assert Settings.from_environment() == Settings()


def test_a_database_url_comes_from_a_file_or_from_the_environment_and_not_from_both(monkeypatch, tmp_path):
    url = f"postgresql://dosegate:{PASSWORD}@host/dosegate"
    file = tmp_path / "url"
    file.write_text(f"{url}\r\n")
    monkeypatch.setenv("DOSEGATE_DATABASE_URL_FILE", str(file))
    monkeypatch.setenv("DOSEGATE_DATABASE_OWNER_URL_FILE", str(file))
    monkeypatch.setenv("DOSEGATE_DATABASE_URL", "")
    found = Settings.from_environment()
    assert (found.database, found.owner) == (url, url)
    assert problems(monkeypatch, DATABASE_URL=url) == (
        "DOSEGATE_DATABASE_URL_FILE is set, and so is DOSEGATE_DATABASE_URL: unset one of the two",
    )


def test_an_owner_beside_a_sqlite_file_is_refused(monkeypatch):
    """It would be brought up to date in place of the file."""
    (said,) = problems(monkeypatch, DATABASE_OWNER_URL=f"postgresql://owner:{PASSWORD}@host/dosegate")
    assert said.startswith("DOSEGATE_DATABASE_OWNER_URL is set, and a SQLite file has no roles")


@pytest.mark.parametrize("setting", ["DATABASE_URL", "DATABASE_OWNER_URL"])
@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://dosegate:{PASSWORD}",  # taken for a port
        f"postgresql://dosegate:p@{PASSWORD}@host/dosegate",  # taken for a server
        f"postgresql://dosegate@host/dosegate?password={PASSWORD}",  # shown along with the address
        f"postgresql://dosegate:{PASSWORD}@host",
        f"mysql://dosegate:{PASSWORD}@host/dosegate",
        f"host=h user=u password={PASSWORD}",
    ],
)
def test_a_database_url_that_is_wrong_shows_no_password_wherever_it_stands(
    monkeypatch, tmp_path, setting, url
):
    monkeypatch.setenv(f"DOSEGATE_{setting}", url)
    shown = "".join(run(*command).output for command in (["settings"], ["db", "status"], ["serve"]))
    assert shown.count(f"dosegate: DOSEGATE_{setting} ") == 3
    monkeypatch.delenv(f"DOSEGATE_{setting}")
    (tmp_path / "url").write_text(url)
    for content in (tmp_path / "url", url):  # the second is the URL itself where the name of a file belongs
        monkeypatch.setenv(f"DOSEGATE_{setting}_FILE", str(content))
        shown += run("settings").output
    assert shown.count(f"dosegate: DOSEGATE_{setting}_FILE ") == 2
    assert PASSWORD not in shown


def test_what_is_secret_is_shown_as_set(monkeypatch, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(PASSWORD)
    given = {
        "DATABASE_URL": f"postgresql://dosegate:{PASSWORD}@host/dosegate",
        "DATABASE_OWNER_URL": f"postgresql://owner:{PASSWORD}@host/dosegate",
        "PUBLIC_URL": "https://dosegate.example.org",
        "OIDC_ISSUER": "https://sign-in.example.org",
        "OIDC_CLIENT_ID": "dosegate",
        "OIDC_CLIENT_SECRET_FILE": str(secret),
    }
    for name, value in given.items():
        monkeypatch.setenv(f"DOSEGATE_{name}", value)
    done = run("settings")
    assert done.exit_code == 0
    rows = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert rows["DOSEGATE_DATABASE_URL"].split(maxsplit=1) == ["set", "the environment"]
    assert rows["DOSEGATE_OIDC_CLIENT_SECRET_FILE"].startswith("set ")
    assert rows["DOSEGATE_SITE"].split() == ["main", "default"]
    assert PASSWORD not in done.output + repr(Settings.from_environment())


def test_the_documentation_is_that_of_the_code():
    done = run("settings", "--markdown")
    assert done.stdout == documentation()
    assert PAGE.read_text("utf-8") == done.stdout, (
        "type: .venv/bin/dosegate settings --markdown > docs/settings.md"
    )
