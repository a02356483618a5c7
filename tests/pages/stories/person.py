"""A person at a screen, as the stories tell of them: what they do, and what they then see."""

import re

from playwright.sync_api import expect

from tests.people import PASSWORD, PIN

ANSWERED = "#checklist:not([aria-busy])"
MOST_TABS = 120
WORDS_HERE = """() => { const here = document.activeElement, label = here.labels && here.labels[0];
  return ((label && label.innerText) || here.innerText || "").trim() }"""
LONGEST = 12_000
expect.set_options(timeout=LONGEST)


class Person:
    """Somebody who is signed in at a screen of their own. Each tap and each field typed into is counted."""

    def __init__(self, page, scripts=True):
        self.page, self.scripts, self.taps = page, scripts, 0
        page.set_default_timeout(LONGEST)

    # ---- Given: where they are.

    def given_today_is_open(self):
        self.page.goto("/today")

    def given_the_checklist_is_open(self, address):
        self.page.goto(address)

    def given_nobody_is_signed_in(self):
        self.page.context.clear_cookies()
        self.page.goto("/")

    def given_the_mouse_is_put_away(self):
        self.page.mouse.move(0, 0)

    def given_the_screen_has_a_clock_that_can_be_moved(self):
        self.page.clock.install()

    # ---- When: on Today and on a checklist in the making.

    def when_they_go_on_with(self, patient):
        self.goes_by(self.page.get_by_role("button", name=f"Go on with the checklist of {patient}"))
        return self.page.url

    def when_they_answer(self, fact, answer, row=None):
        place = self.page.locator(f"#answer-{fact}-{row}" if row else f"#ask-{fact}")
        self.answers_by(place.get_by_role("button", name=answer, exact=True))

    def when_they_type(self, fact, **fields):
        for name, words in fields.items():
            self.types(self.page.locator(f"[name='{fact}.{name}']"), words)

    def when_they_tick(self, fact, label, within=None):
        place = self.page.locator(f"#ask-{fact}")
        place = place.get_by_role("group", name=within) if within else place
        self.tap(place.get_by_label(label, exact=True))

    def when_they_open(self, words, within="main"):
        self.tap(self.page.locator(within).get_by_text(words, exact=True).first)

    def when_they_want_to_change(self, fact):
        line = self.page.locator(".dg-said__line", has=self.page.get_by_text(fact, exact=True))
        self.goes_by(line.get_by_role("link"))

    def when_they_record_the_checklist(self):
        self.goes_by(self.page.get_by_role("button", name="Record this checklist"))
        assert "/checklists/" in self.page.url, self.page.url
        return self.page.url.partition("#")[0]

    # ---- When: on a recorded checklist.

    def when_they_sign(self, meaning="Performed this check"):
        self.types(self.form("Sign").get_by_label("Your PIN or password"), PIN)
        self.goes_by(self.page.get_by_role("button", name=f"Sign: {meaning}"))

    def when_the_infusion_has_ended(self):
        self.goes_by(self.page.get_by_role("button", name="Infusion ended"))

    def when_they_record_that_it_was_held(self, why, words):
        self.tap(self.page.get_by_text(re.compile("^(Record how it ended|Held, stopped, or anything else)$")))
        self.tap(self.page.get_by_label("Held, and nothing given"))
        self.chooses(self.form("Outcome").get_by_label("Why", exact=True), why)
        self.types(self.page.get_by_label("What happened"), words)
        self.goes_by(self.page.get_by_role("button", name="Record the outcome"))

    def when_they_acknowledge(self, finding, because):
        form = self.page.get_by_role("form", name=f"Acknowledge: {finding}")
        self.goes_by(form.get_by_role("button", name=because))

    def when_they_override(self, finding, reason, words):
        self.tap(self.page.get_by_text("Override this block, as its prescriber"))
        form = self.page.get_by_role("form", name=f"Override: {finding}")
        self.chooses(form.get_by_label("Reason"), reason)
        self.types(form.get_by_label("Why, in your own words"), words)
        self.types(form.get_by_label("Your PIN or password"), PIN)
        self.goes_by(form.get_by_role("button", name="Override and sign"))

    def when_they_look_again(self):
        self.page.reload()

    # ---- When: as a second person.

    def when_they_tick_in_the_form_of(self, fact, label):
        self.tap(self.question(fact).get_by_label(label, exact=True))

    def when_they_save_in_the_form_of(self, fact):
        self.goes_by(self.question(fact).get_by_role("button", name="Save", exact=True))

    def when_they_compare(self):
        self.goes_by(self.page.get_by_role("button", name="Compare"))

    # ---- When: beside a visit.

    def when_they_follow(self, words):
        self.goes_by(self.page.get_by_role("link", name=words, exact=True))

    def when_they_choose_the_file(self, name, text):
        file = {"name": name, "mimeType": "text/csv", "buffer": text.encode()}
        self.page.locator("input[type=file]").set_input_files(file)
        self.goes_by(self.page.get_by_role("button", name="Show what would come of it"))

    def when_they_take(self, words):
        self.goes_by(self.page.get_by_role("button", name=words))

    def when_they_replay_it(self):
        self.goes_by(self.page.get_by_role("button", name="Replay"))

    # ---- When: with keys.

    def when_they_tab_to(self, words):
        for _ in range(MOST_TABS):
            self.page.keyboard.press("Tab")
            if self.page.evaluate(WORDS_HERE).startswith(words):
                return
        raise AssertionError(f"no way by keyboard to {words}")

    def when_they_press(self, key, and_come_to=None):
        if and_come_to is None:
            self.page.keyboard.press(key)
            return
        with self.page.expect_navigation(url=lambda address: and_come_to in address):
            self.page.keyboard.press(key)

    def when_they_write(self, words):
        self.page.keyboard.type(words)

    # ---- When: at the door.

    def when_nobody_touches_the_screen_for(self, minutes):
        with self.page.expect_navigation():
            self.page.clock.fast_forward(minutes * 60_000)

    def when_somebody_else_takes_the_tablet(self, other):
        self.goes_by(self.page.get_by_role("button", name="Sign in as another person"))
        self.when_they_sign_in_with_their_name(other.page.account)

    def when_they_lock_the_screen(self):
        self.goes_by(self.page.get_by_role("button", name="Lock", exact=True))

    def when_they_unlock_it(self):
        self.types(self.page.get_by_label("PIN or password"), PIN)
        self.goes_by(self.page.get_by_role("button", name="Unlock"))

    def when_they_sign_in_with_their_name(self, account=None):
        self.types(self.page.get_by_label("Name"), (account or self.page.account).name)
        self.types(self.page.get_by_label("Password"), PASSWORD)
        self.goes_by(self.page.get_by_role("button", name="Sign in", exact=True))

    # ---- Then: what they see.

    def then_they_read(self, *words, within="main"):
        for each in words:
            expect(self.page.locator(within)).to_contain_text(each, use_inner_text=True)

    def then_nowhere_stands(self, *words):
        for each in words:
            expect(self.page.locator("body")).not_to_contain_text(each)

    def then_the_decision_is(self, words):
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(words)

    def then_they_are_asked_only(self, *facts):
        asked = self.page.locator("[data-question]").evaluate_all("all => all.map((each) => each.id)")
        assert sorted(asked) == sorted(f"ask-{fact}" for fact in facts)

    def then_there_is_no_button(self, name):
        expect(self.page.get_by_role("button", name=name)).to_have_count(0)

    def then_it_says_who_answered(self, fact, *words):
        line = self.page.locator(".dg-said__line", has=self.page.get_by_text(fact, exact=True))
        for each in words:
            expect(line).to_contain_text(each)

    def then_the_field_holds(self, name, words):
        expect(self.page.locator(f"[name='{name}']")).to_have_value(words)

    def then_the_row_says(self, *words):
        row = self.page.get_by_role("row")
        for each in words:
            row = row.filter(has_text=each)
        expect(row).to_have_count(1)

    def then_the_summary_says(self, term, words):
        row = self.page.locator(".nhsuk-summary-list__row", has=self.page.get_by_text(term, exact=True))
        expect(row).to_contain_text(words)

    def then_they_stand_at(self, fact):
        self.page.locator(f"#ask-{fact}:focus-within").wait_for()

    def then_they_stand_at_the_end(self):
        self.page.locator("#end:focus-within").wait_for()

    # ---- How it is done.

    def form(self, name):
        return self.page.get_by_role("form", name=name, exact=True)

    def question(self, fact):
        return self.page.locator("form", has=self.page.locator(f"#answer-{fact}"))

    def what_is_fetched(self, address):
        return self.page.context.request.get(address).body()

    def tap(self, target):
        self.taps += 1
        target.click()

    def types(self, target, words):
        """Tap the field, unless one stands in it already, and type."""
        if not target.evaluate("each => each === document.activeElement"):
            self.taps += 1
        self.taps += 1
        target.fill(words)

    def chooses(self, target, words):
        """Open a list and take one entry."""
        self.taps += 2
        target.select_option(label=words)

    def goes_by(self, target):
        """Tap what leads to another page."""
        with self.page.expect_navigation():
            self.tap(target)

    def answers_by(self, target):
        """Tap what keeps an answer: in place, or without scripts by way of the page that comes back."""
        if not self.scripts:
            self.goes_by(target)
            return
        with self.page.expect_response(lambda response: response.request.method == "POST"):
            self.tap(target)
        self.page.locator(ANSWERED).wait_for()
