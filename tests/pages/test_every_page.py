"""Every page, in every state that somebody can bring it to: nothing for axe to find, nothing too wide.

At a tablet's 820 px axe looks; on a phone of 390 px, and where the page is zoomed to 200 %, nothing scrolls
to the side. What is folded is opened first.
"""

import functools
import re
import uuid
from dataclasses import replace
from datetime import timedelta

import pytest

from service.access.roles import Role
from service.access.throttle import TooManyFailures
from service.app import create_app
from service.knowledge.library import library_from
from service.records.database import StoreUnavailable
from service.records.journal import Act
from service.records.opening import announce
from service.records.site import DEMONSTRATION
from tests.api.sending import a_request
from tests.builders import shipped
from tests.double_check import texts_that_ask
from tests.kept import keep
from tests.pages.auditing import erased
from tests.pages.conftest import NOW, TABLET, accessibility_faults
from tests.pages.planning import Clinic
from tests.pages.visit_forms import INFECTION, POSITIVE, made, named, send
from tests.people import PASSWORD, PIN, an_account, signed_in

pytestmark = pytest.mark.any_database

ZOOMED, PHONE = {"width": 410, "height": 590}, {"width": 390, "height": 844}
NARROW = (ZOOMED, PHONE)
UNFOLD = "document.querySelectorAll('details').forEach((each) => { each.open = true })"
TOO_WIDE = "document.documentElement.scrollWidth > innerWidth"
SEND = """([action, fields]) => {
  const form = [...document.forms].find((each) => new URL(each.action).pathname === action);
  for (const [name, value] of Object.entries(fields)) {
    const there = form.querySelectorAll(`[name="${CSS.escape(name)}"]:not([type=submit])`);
    if (there.length === 1 && !["radio", "checkbox"].includes(there[0].type)) there[0].value = value;
    else { there.forEach((each) => each.remove());
      form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value })); }
  }
  form.submit();
}"""

# Who opens each page, and where; `{name}` is a thing of the day below.
PAGES = {
    "own_account": (Role.NURSE, "/account"),
    "roles": (Role.NURSE, "/roles"),
    "today": (Role.NURSE, "/today"),
    "upload_list": (Role.NURSE, "/today/upload"),
    "forecast": (Role.NURSE, "/forecast"),
    "new_checklist": (Role.NURSE, "/checklists/new"),
    "draft": (Role.NURSE, "/drafts/{draft}"),
    "checklist": (Role.NURSE, "/checklists/{warned}"),
    "double_check": (Role.PHARMACIST, "/checklists/{clear}/double-check"),
    "print_checklist": (Role.NURSE, "/checklists/{warned}/print"),
    "trace": (Role.AUDITOR, "/checklists/{warned}/trace?check=infection"),
    "find": (Role.AUDITOR, "/find"),
    "journal": (Role.AUDITOR, "/journal"),
    "quality": (Role.AUDITOR, "/quality"),
    "drugs": (Role.PHARMACIST, "/drugs"),
    "drug": (Role.PHARMACIST, "/drugs/ibalizumab"),
    "drug_versions": (Role.PHARMACIST, "/drugs/inebilizumab/versions"),
    "compare_versions": (Role.PHARMACIST, "/drugs/inebilizumab/compare?from={before}&to={after}"),
    "drug_impact": (Role.PHARMACIST, "/drugs/inebilizumab/impact"),
    "accounts": (Role.ADMIN, "/accounts"),
    "account": (Role.ADMIN, "/accounts/vera"),
    "api_keys": (Role.ADMIN, "/keys"),
    "api_key": (Role.ADMIN, "/keys/{key}"),
    "locked": (Role.NURSE, "/unlock"),
    "sign_in": (None, "/sign-in"),
}
# What a browser is sent on from, downloads, or fetches for a page.
NO_PAGES = {"start", "asset", "awake", "list_template", "checklist_pdf", "request_received"}


@functools.cache
def library():
    """The shipped rules, where inebilizumab is read by two people."""
    return library_from({**shipped().texts, **texts_that_ask()})


@pytest.fixture
def app(settings, clock):
    made_up = create_app(replace(settings, site=DEMONSTRATION, demonstration=True), library(), clock)
    yield made_up
    made_up.extensions["dosegate"].store.records.close()


@pytest.fixture
def day(app):
    """A day with a thing of every kind; their names in addresses."""
    parts, clinic = app.extensions["dosegate"], Clinic(app)
    records = parts.store.records
    announce(records, shipped(), Act("cli:setup", "operator", "setup", NOW - timedelta(days=3)))
    announce(records, library(), Act("cli:setup", "operator", "setup", NOW))
    keep(records, a_request(patient={"id": "P-8"}), NOW - timedelta(days=2), shipped())
    versions = signed_in(app, Role.PHARMACIST).get("/drugs/inebilizumab/versions").text
    after, before = re.findall(r'<h2[^>]* id="version-([^"]+)"', versions)
    paul = signed_in(app, Role.PRESCRIBER, "paul")
    things = {
        "after": after,
        "before": before,
        "draft": clinic.draft("P-1"),
        "clear": made(app),
        "warned": made(app, "resolved"),
        "blocked": made(app, "serious", with_={"active_infection": "serious", "hbsag": POSITIVE}),
        "overridden": made(app, "serious"),
        "corrected": made(app),
    }
    made(app, supersedes={"id": things["corrected"], "reason": "typing error"})
    why = {"reason": "risk-benefit-ratio", "comment": "Afebrile for 48 h; cannot wait."}
    assert (
        send(paul, things["overridden"], "overrides", **named(INFECTION), **why, secret=PIN).status_code
        == 303
    )
    things["erased"] = clinic.check("P-9")
    erased(app, "P-9")
    an_account(app, Role.NURSE, "vera")
    clinic.plan("P-1")
    clinic.plan("P-2", "2026-10-07T09:00:00+00:00")
    clinic.end(things.setdefault("ended", clinic.check("P-3")))
    return things


class Looking:
    """Looks at pages, and keeps what is wrong with each."""

    def __init__(self):
        self.seen, self.wrong = [], []

    def at(self, page, state, says=""):
        """Look at what stands there now. It has to say this, so that it is the state that was meant."""
        self.seen.append(state)
        page.evaluate(UNFOLD)
        if says not in (words := page.locator("body").inner_text()):
            self.wrong.append((state, "does not say", says, words[:400]))
        self.wrong += [(state, *fault) for fault in accessibility_faults(page)]
        for viewport in NARROW:
            page.set_viewport_size(viewport)
            if page.evaluate(TOO_WIDE):
                self.wrong.append((state, "too wide", viewport["width"]))
        page.set_viewport_size(TABLET)


@pytest.fixture
def look():
    looking = Looking()
    yield looking
    assert looking.wrong == []


def sends(page, action, on=None, **fields):
    """Send a form of a page; `a__b` is the field `a.b`."""
    if on is not None:
        page.goto(on)
    with page.expect_navigation():
        page.evaluate(SEND, [action, {name.replace("__", "."): value for name, value in fields.items()}])


def test_each_page_of_the_application_is_looked_at(app):
    ours = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in rule.methods}
    pages = {endpoint.removeprefix("pages.") for endpoint in ours if endpoint.startswith("pages.")}
    assert pages == set(PAGES) | NO_PAGES


def test_every_page(day, clock, a_person, look):
    people = {role: a_person(role) for role in (Role.NURSE, Role.PHARMACIST, Role.AUDITOR, Role.ADMIN)}
    page = people[Role.ADMIN]
    chosen = {"name": "Ward EHR", "scopes": "checklist:make", "days": "90", "secret": PIN}
    sends(page, "/keys", on="/keys", **chosen)
    look.at(page, "a key that was made", says="Ward EHR")
    page.goto("/keys")
    day["key"] = page.locator("a[href^='/keys/']").first.get_attribute("href").rpartition("/")[2]
    for name, (role, address) in PAGES.items():
        page = people[role or Role.NURSE]
        if name == "locked":
            clock.move(minutes=6)
        if role is None:
            page.context.clear_cookies()
        assert page.goto(address.format(**day)).status == 200, name
        look.at(page, name)


def test_every_state_of_a_visit(app, day, a_person, look):
    nurse, second = a_person(), a_person()
    for state, says in (
        ("clear", "There is nothing to answer"),
        ("blocked", "Nobody can override this"),
        ("overridden", "Overridden, for this dose only"),
        ("corrected", "Do not work from it"),
        ("ended", "Watch"),
        ("erased", "Erased checklist"),
    ):
        nurse.goto(f"/checklists/{day[state]}")
        look.at(nurse, state, says)
    clear = f"/checklists/{day['clear']}"
    sends(
        second,
        f"{clear}/double-check",
        on=f"{clear}/double-check",
        fact="ordered_dose",
        ordered_dose__value="x",
    )
    look.at(second, "a second person's answer refused", says="Not taken")
    given = '{"anc":{"at":"2026-10-05","unit":"10*9/L","value":4.1},"ordered_dose":{"unit":"mg","value":30}}'
    sends(second, f"{clear}/double-check", compare="yes", given=given)
    look.at(second, "the double check differs", says="The two differ: nothing is started on this.")
    second.goto(f"{clear}/double-check")
    look.at(second, "no double check by them", says="cannot be made by you now")
    sends(nurse, f"{clear}/attestations", on=clear, meaning="performed", secret="314159")
    look.at(nurse, "a signature refused", says="neither your PIN nor your password")
    sends(nurse, f"{clear}/attestations", meaning="performed", secret=PIN)
    look.at(nurse, "signed", says="Covers all that was done.")
    sends(nurse, f"{clear}/outcomes", outcome="held")
    look.at(nurse, "an outcome refused", says="Choose why")
    nurse.goto(f"{clear}/print")
    look.at(nurse, "a signed print", says="Nurse")
    nurse.goto(f"/checklists/{day['erased']}/print")
    look.at(nurse, "the print of an erased one", says="What to do")


def test_every_state_of_a_checklist_in_the_making_and_of_the_lists(app, day, a_person, look, clock):
    page, draft = a_person(), f"/drafts/{day['draft']}"
    sends(page, "/checklists/new", on="/checklists/new")
    look.at(page, "nothing filled in", says="Not begun yet")
    sends(page, "/checklists/new", on="/checklists/new", patient="P-1", drug="inebilizumab")
    look.at(page, "somebody began it", says="There is an unfinished checklist of this patient")
    sends(page, f"{draft}/answers", on=draft, fact="igg", igg__value="8,4", igg__say="save")
    look.at(page, "an answer refused", says="point before the decimals")
    sends(page, f"{draft}/plan", date="x", time="y")
    look.at(page, "a start refused")
    page.goto(f"{draft}?change=dose_number")
    look.at(page, "an answer changed")
    for patient, says in (
        ("", "Enter the patient"),
        ("P-0", "Nothing is planned or recorded"),
        ("P-3", "Open"),
    ):
        sends(page, "/today/search", on="/today", patient=patient)
        look.at(page, f"a search of {patient or 'nobody'}", says)
    for address, says in (
        ("/today?day=2030-01-01", "No infusion is planned for this day"),
        ("/forecast?days=1&drug=ibalizumab", ""),
        ("/today?day=x", "What to do"),
        (f"/checklists/{uuid.uuid4()}", "What to do"),
        ("/lock", "What to do"),
        ("/accounts", "Your role does not allow this"),
    ):
        page.goto(address)
        look.at(page, address, says)
    sends(page, "/today/upload", on="/today/upload")
    look.at(page, "no list chosen", says="Choose the file first.")
    list_ = "reference;patient;drug;date;time\nR1;P-1;Uplizna;2026-10-07;09:00\nR2;P-2;Upliz;7.10.;9\n"
    chosen = {"name": "list.csv", "mimeType": "text/csv", "buffer": list_.encode()}
    page.locator("input[type=file]").set_input_files(chosen)
    sends(page, "/today/upload")
    look.at(page, "a list with a bad line", says="1 line cannot be taken")
    sends(page, "/account/pin", on="/account", present="no", pin="1", pin_again="2")
    look.at(page, "a PIN refused")
    page.goto(draft)
    clock.move(minutes=6)
    sends(page, f"{draft}/answers", fact="pml_signs", pml_signs__value="no")
    look.at(page, "locked with an answer", says="What was typed is kept")
    sends(page, "/unlock", secret="314159")
    look.at(page, "a wrong PIN", says="more wrong tries")
    sends(page, "/unlock", secret=PIN)
    look.at(page, "back", says="You are back")


def test_every_state_of_the_auditors_the_pharmacists_and_the_administrators_pages(app, day, a_person, look):
    ada, phil, adam = (a_person(role) for role in (Role.AUDITOR, Role.PHARMACIST, Role.ADMIN))
    for says, fields in (("", {"drug": "inebilizumab"}), ("", {"patient": "P-0"}), ("", {"from": "x"})):
        sends(ada, "/find", on="/find", **fields)
        look.at(ada, f"found by {fields}", says)
    sends(ada, "/journal/verify", on="/journal")
    look.at(ada, "the chain verified")
    ada.goto(f"/checklists/{day['erased']}/trace")
    look.at(ada, "the trace of an erased one")
    sends(ada, f"/checklists/{day['warned']}/replay", on=f"/checklists/{day['warned']}/trace?check=age")
    look.at(ada, "replayed", says="Identical")
    sends(phil, "/drugs/inebilizumab/impact", on="/drugs/inebilizumab/impact", since="x")
    look.at(phil, "an impact refused")
    sends(phil, "/drugs/inebilizumab/impact", on="/drugs/inebilizumab/impact")
    look.at(phil, "the impact of nothing", says="Nothing would change")
    phil.goto("/drugs/inebilizumab/compare?from=x&to=y")
    look.at(phil, "no such version", says="Choose two versions")
    sends(adam, "/accounts/vera", on="/accounts/vera", change="full_name", full_name="", secret="")
    look.at(adam, "an account refused")
    sends(adam, "/accounts", on="/accounts")
    look.at(adam, "no account made")
    sends(adam, "/keys", on="/keys")
    look.at(adam, "no key made")


FAULTS = {
    429: TooManyFailures(90),
    500: RuntimeError("a fault"),
    503: StoreUnavailable("gone", retry_after=7),
}


def test_every_state_of_the_door_each_fault_of_ours_and_german(app, day, a_person, look):
    page = a_person()
    for status, fault in FAULTS.items():
        app.view_functions["pages.roles"] = functools.partial(_fail, fault)
        assert page.goto("/roles").status == status
        look.at(page, str(status), says="What to do")
    sends(page, "/language", on="/today", language="de")
    for address in (
        "/today",
        f"/drafts/{day['draft']}",
        f"/checklists/{day['overridden']}",
        "/checklists/new",
    ):
        page.goto(address)
        look.at(page, f"{address} in German", says="Abmelden")
    sends(page, "/lock")
    look.at(page, "locked in German", says="Gesperrt")
    page.context.clear_cookies()
    sends(page, "/sign-in", on="/sign-in", name="nobody", password=PASSWORD)
    look.at(page, "not signed in", says="Name or password is wrong")


def _fail(fault):
    raise fault
