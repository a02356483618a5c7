"""The nurse's page: an answer, evaluated anew, beside the bare JSON check of the same facts.

A real server with one worker, and one caller who takes turns between the two.
"""

import argparse
import gzip
import http.client
import json
import re
from contextlib import closing, contextmanager
from datetime import timedelta
from importlib.resources import files
from statistics import median, quantiles
from time import perf_counter
from urllib.parse import urlencode

from benchmarks.report import aim, heading, machine, note, table
from benchmarks.served import postgresql, serving, sqlite_file
from service.access.roles import Permission, Role
from service.app import create_app, now
from service.records.journal import Act
from service.records.visits import Person
from service.settings import Settings
from service.web.guard import COOKIE, FORM_KEY
from service.web.parts import parts_of

CALLS, FIRST, PATIENCE = 200, 5, 60
MOST_TIMES, MOST_BYTES = 3, 150_000
QUESTION, ANSWERS = "tb_risk_factors", ("no", "yes")
REQUEST = json.loads(files("service").joinpath("examples", "blocked.json").read_bytes())
JSON = {"Content-Type": "application/json"}
FORM = {
    "Content-Type": "application/x-www-form-urlencoded",
    "Sec-Fetch-Site": "same-origin",
    "HX-Request": "true",
}
IMPORTED = ("/static/imported/vendor/nhsuk-frontend.js",)  # by a script, not by the page
LINKED = re.compile(r'(?:href|src)="(/static/[^"]+)"')


def report(_effort=None):
    """Measure and print."""
    heading("The nurse's page: an answer, and the checklist evaluated anew")
    note(
        f"""An answer on the page of a draft: the draft is kept, evaluated and journaled on disk, and the part
        of the page that it changes is sent (htmx). Beside it POST /api/v1/checklists with the same facts:
        evaluated, kept, journaled, sent as JSON. One worker, one caller who takes turns; wall-clock
        milliseconds of {CALLS} calls of each."""
    )
    rows, worst, weight = [], 0.0, 0
    for kind, place in (("SQLite, synchronous FULL", sqlite_file), ("PostgreSQL, fsync on", postgresql)):
        with place() as (url, folder), clinic(url, folder) as nurse:
            page, check = measured(nurse)
            weight = first_page(nurse)
        worst = max(worst, page[1] / check[1])
        rows.append([kind, *(f"{each:.1f}" for each in (*page, *check)), f"{page[1] / check[1]:.1f} x"])
    table(("", "page p50", "page p95", "JSON p50", "JSON p95", "p95 of JSON"), rows)
    print()
    aim(f"page p95 at most {MOST_TIMES} x the JSON check (worst {worst:.1f} x)", worst <= MOST_TIMES)
    aim(f"first page under {MOST_BYTES / 1000:.0f} kB gzipped ({weight / 1000:.0f} kB)", weight < MOST_BYTES)


class Nurse:
    """A browser that has signed in, with a draft, and a program with a key, at one server."""

    def __init__(self, *, token, key, draft):
        self.port, self.draft = 0, f"/drafts/{draft}"
        self._cookie, self._key = {"Cookie": f"{COOKIE}={token}"}, {"Authorization": f"Bearer {key}"}
        self.form_key = ""

    def page(self, path=None):
        """A page, as it is sent."""
        return self._asked("GET", path or self.draft, None, self._cookie)

    def answer(self, value):
        """Answer the one question."""
        form = {FORM_KEY: self.form_key, "fact": QUESTION, f"{QUESTION}.value": value}
        body = urlencode(form)
        return self._asked("POST", f"{self.draft}/answers", body, {**FORM, **self._cookie})

    def check(self):
        """The same facts as a program sends them."""
        return self._asked("POST", "/api/v1/checklists", json.dumps(REQUEST), {**JSON, **self._key})

    def _asked(self, method, path, body, headers):
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as connection:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            content = response.read()
        assert response.status in (200, 201), (response.status, content[:300])
        return content


@contextmanager
def clinic(url, folder):
    """A site with one nurse and one draft, served."""
    keys = folder / "signing.pem"
    parts = parts_of(create_app(Settings(database=url, keys=keys)))
    act = Act("cli:bench", "operator", "bench", now())
    account = parts.accounts.add("nora", "Nora Quill", Role.NURSE, "wisteria over the porch", act)
    own = account.principal.act("bench", now())
    nurse = Nurse(
        token=parts.sessions.begin(account, own),
        key=parts.keys.make("bench", {Permission.CHECKLIST_MAKE}, timedelta(days=1), act)[1],
        draft=parts.drafting.begin(REQUEST, Person(account.full_name, own)).id,
    )
    parts.store.records.close()
    with serving(url, keys, 1) as nurse.port:
        nurse.form_key = re.search(rf'name="{FORM_KEY}" value="([^"]+)"', nurse.page().decode())[1]
        yield nurse


def measured(nurse):
    """The p50 and p95 of an answer on the page, and of a check, in milliseconds."""
    taken = {nurse.answer: [], nurse.check: []}
    for number in range(CALLS + FIRST):
        for ask, args in ((nurse.answer, (ANSWERS[number % 2],)), (nurse.check, ())):
            start = perf_counter()
            ask(*args)
            taken[ask].append(perf_counter() - start)
    return [
        (1000 * median(each[FIRST:]), 1000 * quantiles(each[FIRST:], n=20)[18]) for each in taken.values()
    ]


def first_page(nurse):
    """The bytes of the page and all that it links to here, each compressed."""
    page = nurse.page()
    linked = [nurse.page(path) for path in dict.fromkeys(LINKED.findall(page.decode()))]
    scripts = [nurse.page(path) for path in IMPORTED]
    return sum(len(gzip.compress(each)) for each in (page, *linked, *scripts))


def main():
    """Measure this alone."""
    argparse.ArgumentParser(
        prog="python -m benchmarks.pages", description=__doc__.partition("\n")[0]
    ).parse_args()
    print(machine())
    report()


if __name__ == "__main__":
    main()
