"""`dosegate forecast`: the table, the document, and an exit status that a job can act on."""

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from service.app import create_app
from service.cli import main
from tests.builders import shipped
from tests.cli.command import CliRunner
from tests.pages.planning import Clinic

pytestmark = pytest.mark.any_database
# The command tells the time itself, so the visits are the day after the real one.
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).replace(hour=18, minute=0, second=0, microsecond=0)


@pytest.fixture
def clinic(settings):
    app = create_app(settings, shipped())
    with closing(app.extensions["dosegate"].store.records):
        yield Clinic(app)


@pytest.fixture
def typed(settings, monkeypatch):
    monkeypatch.setenv("DOSEGATE_DATABASE_URL", settings.database)
    monkeypatch.setenv("DOSEGATE_SIGNING_KEYS", str(settings.keys))
    return lambda *arguments: CliRunner().invoke(main, ["forecast", *arguments])


def test_somebody_who_will_be_held_is_exit_status_4(clinic, typed):
    clinic.plan("P-held", TOMORROW.isoformat())
    clinic.check("P-held", TOMORROW.isoformat(), with_={"hbsag": "positive"})
    clinic.plan("P-bare", TOMORROW.isoformat(), "ibalizumab")
    printed = typed("--days", "3")
    assert printed.exit_code == 4, printed.output
    head, *rest = printed.stdout.splitlines()
    assert head.endswith("2 infusions: 1 held, 1 not ready, 0 with no block")
    text = " ".join(" ".join(rest).split())
    assert "■ HELD" in text and "■ Hepatitis B:" in text and "? NOT READY" in text
    assert "inebilizumab (Uplizna)" in text
    assert "before the day:" in text and "at the chair:" in text


def test_the_document_says_all_of_it(clinic, typed):
    clinic.plan("P-held", TOMORROW.isoformat())
    made = clinic.check("P-held", TOMORROW.isoformat(), with_={"hbsag": "positive"})
    printed = typed("--json")
    assert printed.exit_code == 4
    document = json.loads(printed.stdout)
    assert document["counts"] == {"held": 1, "not_ready": 0, "open": 0}
    [infusion] = document["infusions"]
    assert (infusion["patient"], infusion["prospect"], infusion["checklist"]) == ("P-held", "held", made)
    [finding] = [each for each in infusion["held_for"] if each["check"] == "hepatitis_b"]
    assert finding["message"] and finding["rule"]


def test_nobody_held_is_exit_status_0(clinic, typed):
    clinic.plan("P-bare", TOMORROW.isoformat(), "ibalizumab")
    assert typed().exit_code == 0
    assert typed("--drug", "Uplizna").stdout.splitlines()[-1].endswith("0 with no block")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--days", "32"), "--days must be a whole number from 1 to 31"),
        (("--days", "0"), "--days must be"),
        (("--drug", "ibalizumap"), "--drug is not a drug"),
    ],
)
def test_a_bad_option_ends_in_one_line(clinic, typed, arguments, says):
    done = typed(*arguments)
    assert done.exit_code == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_help_says_what_it_is_for(typed):
    said = " ".join(typed("--help").stdout.split())
    assert "who would be held" in said and "from tomorrow on" in said
    assert "Exit status: 0 nobody will be held, 4 somebody will be held" in said
