"""The pages in German: the catalogue is whole, what is English is marked so, and a nurse works in it."""

import io
import re
from html.parser import HTMLParser

import pytest
from babel.messages.catalog import Catalog
from babel.messages.frontend import CommandLineInterface
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from service.access.roles import Role
from service.pages.language import COOKIE, LANGUAGES
from service.records.reasons import OutcomeReason, Reason
from service.records.visits import Person
from tests.builders import ROOT
from tests.pages.conftest import PHONE, TABLET
from tests.pages.planning import TODAY, Clinic, upload
from tests.pages.test_drafts import REQUEST, RETURNING
from tests.pages.visit_forms import INFECTION, RESOLVED, made, named, send
from tests.people import PASSWORD, PIN, signed_in

pytestmark = pytest.mark.any_database

CATALOGUES = ROOT / "service" / "pages" / "translations"
OTHERS = [each for each in LANGUAGES if each != "en"]
IMPACT = "/drugs/inebilizumab/impact"
PLACEHOLDER = re.compile(r"%\(\w+\)s|%%")


def catalogue(language):
    """The catalogue of a language, as people write it."""
    with (CATALOGUES / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


def key(message):
    return message.id[0] if isinstance(message.id, tuple) else message.id


def forms(message):
    """The text in each of its forms: one, or one and several."""
    return message.string if isinstance(message.string, tuple) else (message.string,)


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """Every text of today's pages, as `make texts` reads them."""
    command = re.search(r"\$\(BIN\)/pybabel (extract .*)\)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[
        1
    ]
    found = tmp_path_factory.mktemp("texts") / "texts.pot"
    words = command.replace("$(TEXTS)", str(CATALOGUES)).replace(".cache/texts.pot", str(found))
    arguments = [each.strip('"') for each in re.findall(r'"[^"]+"|\S+', words)]
    CommandLineInterface().run(["pybabel", "-q", *arguments[:-1], str(ROOT / arguments[-1])])
    with found.open("rb") as file:
        return {key(each): each for each in read_po(file) if each.id}


def test_texts_are_read_from_code_templates_and_what_others_say(texts):
    assert "Hold" in texts and "Skip to main content" in texts
    assert {each.words for each in (*Reason, *OutcomeReason)} <= set(texts)
    assert "This finding can never be overridden: hold, and record the outcome." in texts
    assert texts["%(num)s block"].id == ("%(num)s block", "%(num)s blocks")


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated_and_keeps_what_is_filled_in(texts, language):
    translated = {key(each): each for each in catalogue(language) if each.id}
    assert set(texts) - set(translated) == set(), "make texts, then translate them"
    assert set(translated) - set(texts) == set(), "make texts"
    for text, message in translated.items():
        assert not message.fuzzy, text
        assert all(forms(message)), text
        several = message.id[1] if isinstance(message.id, tuple) else message.id
        assert sorted(PLACEHOLDER.findall(several)) == sorted(PLACEHOLDER.findall(forms(message)[-1])), text
        if isinstance(message.id, tuple):
            assert len(forms(message)) == catalogue_forms(language), text


def catalogue_forms(language):
    return Catalog(locale=language).num_plurals


@pytest.mark.parametrize("language", OTHERS)
def test_what_is_read_at_run_time_is_compiled_from_it(language):
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(language))
    kept = CATALOGUES / language / "LC_MESSAGES" / "messages.mo"
    assert kept.read_bytes() == compiled.getvalue(), "make texts"


def test_each_language_that_can_be_chosen_has_a_catalogue_and_no_other_has():
    assert sorted(each.name for each in CATALOGUES.iterdir() if each.is_dir()) == sorted(OTHERS)


# ---------------------------------------------------------------- what a page says, and in which language

VOID = {"meta", "link", "input", "br", "img", "hr", "path", "circle", "polygon"}
UNREAD = {"script", "style", "code", "pre"}  # names of facts and rules, digests
ENGLISH = set("the of and is not with this are from or by be to at on for has have".split())
GERMAN = set("der das und ist nicht keine von mit oder auf ein eine wird zu".split())


class _Said(HTMLParser):
    """Each text of a page with its language."""

    def __init__(self):
        super().__init__()
        self.open, self.said = [], []

    def handle_starttag(self, tag, attrs):
        around = self.open[-1] if self.open else ("", "", False)
        unread = around[2] or tag in UNREAD
        if tag not in VOID:
            self.open.append((tag, dict(attrs).get("lang", around[1]), unread))

    def handle_endtag(self, tag):
        if tag in [each[0] for each in self.open]:
            while self.open.pop()[0] != tag:
                pass

    def handle_data(self, data):
        if self.open and not self.open[-1][2]:
            self.said.append((self.open[-1][1], " ".join(data.split())))


def mixed_up(page):
    """Texts in a language that they are not marked as; what people are called is in none."""
    reader = _Said()
    reader.feed(re.sub(r"[\w-]+ of the Test", "", page))
    return [
        (language, text)
        for language, text in reader.said
        if set(re.findall(r"(?<![\w.-])[a-zäöüß]+(?![\w-]|\.\w)", text.lower()))
        & (GERMAN if language == "en" else ENGLISH)
    ]


def german(client):
    """The same person at a German browser."""
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "de-CH, de;q=0.9, en;q=0.5"
    return client


@pytest.fixture
def nina(app):
    return german(signed_in(app, Role.NURSE, "nina"))


def drafts(app, client):
    """A draft with nearly nothing in it, and one in which a little is left."""
    parts = app.extensions["dosegate"]
    person = Person("Nina Koch", client.account.principal.act("begun", parts.clock()))
    left = ("infection_signs", "igg", "anti_infectives", "hbsag", "premedication_given")
    facts = {name: value for name, value in RETURNING["facts"].items() if name not in left}
    for request in (REQUEST, {**RETURNING, "facts": facts}):
        yield f"/drafts/{parts.drafting.begin(request, person).id}"


def test_what_a_nurse_sees_is_german_and_what_is_english_is_marked(app, nina):
    clinic = Clinic(app)
    at = f"{TODAY}T18:00:00+00:00"
    clinic.plan("P-1", at)
    clinic.plan("P-2", "2026-10-07T18:00:00+00:00")
    clinic.check("P-3", at, without=["hbsag"])
    clinic.end(clinic.check("P-4", at))
    warned, blocked = made(app, "resolved"), made(app, "serious")
    assert (
        send(nina, warned, "acknowledgements", **named(RESOLVED), reason="action-completed").status_code
        == 303
    )
    assert send(nina, warned, "attestations", meaning="performed", secret=PIN).status_code == 303
    pages = [nina.get(address) for address in drafts(app, nina)]
    for part in ("", "/print", "/double-check"):
        pages += [nina.get(f"/checklists/{each}{part}") for each in (warned, blocked)]
    for address in ("/today", "/forecast?days=3", "/today/upload", "/checklists/new", "/account", "/nowhere"):
        pages.append(nina.get(address))
    pages.append(german(app.test_client()).get("/sign-in"))
    pages.append(upload(nina, "reference,patient,drug,date,time\nA,P-9,Uplizna,2026-12-01,09:00\nB,,X,,\n"))
    pages.append(send(nina, blocked, "outcomes", outcome="held", reason="", comment=""))
    pages.append(send(nina, blocked, "attestations", meaning="reviewed", secret="314159"))
    for page in pages:
        assert '<html lang="de">' in page.text, page.request.path
        assert mixed_up(page.text) == [], page.request.path


def test_so_is_what_auditors_pharmacists_and_administrators_see(app, nina):
    id = made(app, "resolved")
    assert send(nina, id, "acknowledgements", **named(RESOLVED), reason="action-completed").status_code == 303
    seen = {
        Role.AUDITOR: (f"/checklists/{id}/trace", "/find", "/journal", "/quality"),
        Role.PHARMACIST: ("/drugs", "/drugs/inebilizumab", "/drugs/inebilizumab/versions", IMPACT),
        Role.ADMIN: ("/accounts", "/keys", "/roles"),
    }
    for role, addresses in seen.items():
        client = german(signed_in(app, role))
        for address in addresses:
            page = client.get(address)
            assert page.status_code == 200 and '<html lang="de">' in page.text, address
            assert mixed_up(page.text) == [], address


def test_words_of_the_record_are_translated_and_those_that_are_not_are_marked(app, nina):
    id = made(app, "resolved")
    said = send(nina, id, "overrides", **named(INFECTION), reason="urgent", comment="Eilig.").text
    assert '<html lang="de">' in said
    form = nina.get(f"/checklists/{id}").text
    assert "Der Nutzen überwiegt das Risiko" in form and "The benefit outweighs the risk" not in form
    assert "Klinische Texte sind auf Englisch" in nina.get("/today").text


def test_a_page_counts_as_the_language_does(app, nina):
    clinic = Clinic(app)
    clinic.plan("P-1", f"{TODAY}T18:00:00+00:00")
    clinic.check("P-1", f"{TODAY}T18:00:00+00:00", without=["hbsag"])
    id = clinic.check("P-2", f"{TODAY}T18:00:00+00:00", without=["hbsag", "igg"])
    assert "2 Angaben fehlen" in nina.get(f"/checklists/{id}").text


def test_the_device_keeps_its_language_before_the_browser_is_asked(app):
    client = german(app.test_client())
    assert '<html lang="de">' in client.get("/sign-in").text
    client.set_cookie(COOKIE, "en", secure=True)
    assert '<html lang="en">' in client.get("/sign-in").text
    client.set_cookie(COOKIE, "xx", secure=True)
    assert '<html lang="de">' in client.get("/sign-in").text
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "fr, it"
    assert '<html lang="en">' in client.get("/sign-in").text


def test_a_nurse_works_in_german_from_signing_in_to_a_recorded_checklist(app, a_person):
    Clinic(app).plan("P-1", f"{TODAY}T18:00:00+00:00")
    page = a_person(Role.NURSE, "nora", viewport=PHONE, locale="de-DE")
    page.context.clear_cookies()
    page.goto("/today")
    page.get_by_label("Name").fill("nora")
    page.get_by_label("Passwort").fill(PASSWORD)
    page.get_by_role("button", name="Anmelden").click()
    page.get_by_role("heading", name="Heute, Dienstag 2026-10-06").wait_for()
    assert as_it_should_be(page) == []
    page.get_by_role("button", name="Checkliste von P-1 beginnen").click()
    question = page.locator("#ask-pml_signs")
    question.get_by_role("button", name="Nein", exact=True).click()
    question.wait_for(state="detached")
    assert page.locator("#announced").inner_text().startswith("Nicht beginnen")
    assert as_it_should_be(page) == []
    page.get_by_role("button", name="Checkliste dokumentieren").click()
    page.wait_for_url("**/checklists/*")
    page.get_by_label("Ihre PIN oder Ihr Passwort").last.fill(PIN)
    page.get_by_role("button", name="Unterschreiben: Diese Prüfung durchgeführt").click()
    page.get_by_text("Gilt für alles, was getan wurde.").wait_for()
    assert as_it_should_be(page) == []
    page.get_by_role("button", name="English").click()
    page.get_by_text("Covers all that was done.").wait_for()
    assert page.locator("html").get_attribute("lang") == "en"


def as_it_should_be(page):
    """What is wrong with a page at either width, in German."""
    wide = []
    for viewport in (TABLET, PHONE):
        page.set_viewport_size(viewport)
        if not page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            wide.append(viewport)
    assert page.locator("html").get_attribute("lang") == "de"
    return wide
