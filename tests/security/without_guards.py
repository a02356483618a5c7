"""Takes one guard away at a time and shows that its tests notice: python -m tests.security.without_guards

The tree is copied once to a folder of its own; nothing here changes. Exit status 1 where a guard can go and
its tests stay green, or where a guard is not found (then this table is to be mended).
"""

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPIED = (
    "service",
    "rules",
    "tests",
    "benchmarks",
    "docs",
    "pyproject.toml",
    "Makefile",
    "requirements",
)
AT_ONCE = 2
_HOW = ("-q", "-x", "-p", "no:cacheprovider", "-k", "not postgresql")


@dataclass(frozen=True)
class Guard:
    """A guard: the edit of one file that takes it away (once, or wherever it stands), and who must notice."""

    name: str
    file: str
    there: str
    gone: str
    tests: tuple[str, ...]


SECURITY, ACCESS, OUTBOUND = "tests/security", "tests/access", "tests/outbound"
HEADERS = (f"{SECURITY}/test_headers.py::test_every_answer_keeps_a_browser_in_bounds",)
SITES = (f"{SECURITY}/test_sites.py",)
ESCAPED = (f"{SECURITY}/test_injection.py::test_markup_in_what_is_known_of_a_patient_is_text_on_every_page",)
BODIES = f"{SECURITY}/test_bodies.py"
_HEADER = "service/web/headers.py"

GUARDS = (
    Guard("nosniff", _HEADER, '    "X-Content-Type-Options": "nosniff",\n', "", HEADERS),
    Guard("X-Frame-Options", _HEADER, '"X-Frame-Options": "DENY",', "", HEADERS),
    Guard("referrer policy", _HEADER, '    "Referrer-Policy": "no-referrer",\n', "", HEADERS),
    Guard("resource policy", _HEADER, '    "Cross-Origin-Resource-Policy": "same-origin",\n', "", HEADERS),
    Guard("opener policy", _HEADER, '    "Cross-Origin-Opener-Policy": "same-origin",\n', "", HEADERS),
    Guard("permissions policy", _HEADER, '"Permissions-Policy": ', '"X-Nothing": ', HEADERS),
    Guard("HSTS", _HEADER, "if by_tls else", "if not by_tls else", HEADERS),
    Guard("CSP of everything", _HEADER, '    "Content-Security-Policy": NOTHING,\n', "", HEADERS),
    Guard(
        "CSP of pages",
        "service/pages/rendering.py",
        "script-src 'nonce-{nonce}'",
        "script-src 'unsafe-inline'",
        (f"{ACCESS}/test_page_doors.py::test_pages_keep_a_browser_in_bounds",),
    ),
    Guard(
        "no-store",
        _HEADER,
        '    "Cache-Control": "no-store",\n',
        "",
        (f"{SECURITY}/test_headers.py::test_an_answer_about_a_patient_is_kept_by_nobody",),
    ),
    *(
        Guard(
            f"cookie: {flag}",
            "service/web/cookies.py",
            there,
            gone,
            (
                f"{ACCESS}/test_sessions.py::test_the_cookies_are_for_this_site_alone_and_no_script_reads_them",
            ),
        )
        for flag, there, gone in (
            ("Secure", "secure=True", "secure=False"),
            ("HttpOnly", "httponly=True", "httponly=False"),
            ("SameSite", 'samesite="Strict"', 'samesite="None"'),
        )
    ),
    Guard(
        "form key",
        "service/web/guard.py",
        "if not hmac.compare_digest(given.encode(), session.form_key.encode()):",
        "if False:",
        (f"{ACCESS}/test_page_doors.py::test_every_form_is_taken_from_a_page_of_this_session_alone",),
    ),
    Guard(
        "origin check",
        "service/web/guard.py",
        "        _check_site(request, public_url)\n",
        "",
        (f"{ACCESS}/test_guard.py::test_what_changes_something_comes_from_a_page_of_ours",),
    ),
    Guard(
        "CORS by registered origins",
        "service/api/cors.py",
        "or not parts().ehr_clients.allows_origin(origin)",
        "",
        ("tests/ehr/test_cors.py::test_another_origin_is_answered_without_a_word_of_it",),
    ),
    Guard(
        "permission check",
        "service/web/guard.py",
        "    if needed is None or not g.principal.may(needed):\n",
        "    if False:\n",
        (
            f"{ACCESS}/test_guard.py::test_every_refused_cell_is_refused_and_journaled_and_every_other_is_let_in",
        ),
    ),
    Guard(
        "a route that says nothing is shut",
        "service/web/guard.py",
        "    if needed is None or not",
        "    if needed is not None and not",
        (f"{ACCESS}/test_guard.py::test_a_route_that_says_nothing_is_shut_to_everybody",),
    ),
    Guard(
        "fixation: the session before ends at sign-in",
        "service/access/sessions.py",
        "            self._leave(writing, before, act)\n",
        "            pass\n",
        (f"{ACCESS}/test_sessions.py::test_signing_in_at_the_same_browser_ends_the_session_before",),
    ),
    Guard(
        "fixation: a new token after the PIN",
        "service/access/sessions.py",
        "renewed = secrets.token_urlsafe(TOKEN_BYTES)",
        "renewed = token",
        (
            f"{ACCESS}/test_sessions.py::test_an_idle_session_locks_and_goes_on_after_the_pin_with_a_new_token",
        ),
    ),
    Guard(
        "tokens are kept as digests",
        "service/access/sessions.py",
        'return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()',
        "return token",
        (f"{ACCESS}/test_sessions.py::test_a_token_has_256_random_bits_and_is_kept_as_a_digest_alone",),
    ),
    Guard(
        "failed attempts make wait",
        "service/access/throttle.py",
        "            raise TooManyFailures(longest)\n",
        "            pass\n",
        (
            f"{ACCESS}/test_sign_in.py::test_the_same_wait_for_an_account_and_for_none_and_no_password_is_tried_meanwhile",
        ),
    ),
    *(
        Guard(f"site of a {what}", f"service/{file}", there, gone, SITES)
        for what, file, there, gone in (
            ("checklist", "records/store.py", ", checklists.c.site == self.records.site)", ")"),
            ("visit", "records/subjects.py", "valid_id(id), checklists.c.site == site)", "valid_id(id))"),
            (
                "draft",
                "records/drafts.py",
                "(drafts.c.id == id, drafts.c.site == self._records.site)",
                "(drafts.c.id == id,)",
            ),
            (
                "endpoint",
                "webhooks/endpoints.py",
                "endpoints.c.site == records.site",
                "endpoints.c.site.is_not(None)",
            ),
            ("delivery", "webhooks/deliveries.py", ".where(deliveries.c.site == self._records.site)", ""),
            (
                "sender",
                "webhooks/senders.py",
                "senders.c.site == records.site",
                "senders.c.site.is_not(None)",
            ),
            (
                "account",
                "access/accounts.py",
                "accounts.c.site == records.site",
                "accounts.c.site.is_not(None)",
            ),
            (
                "key",
                "access/keys.py",
                "api_keys.c.site == self._records.site",
                "api_keys.c.site.is_not(None)",
            ),
            (
                "session",
                "access/sessions.py",
                "return sessions.c.site == self._records.site,",
                "return sessions.c.site.is_not(None),",
            ),
            ("patient in a search", "records/search.py", ".where(contents.c.site == site)", ""),
            (
                "entry of the journal",
                "records/pages.py",
                "journal.c.site == records.site",
                "journal.c.site.is_not(None)",
            ),
        )
    ),
    Guard(
        "SSRF: only public addresses",
        "service/outbound/http.py",
        "if not target.listed and not all(is_public(each.ip) for each in addresses):",
        "if False:",
        (f"{OUTBOUND}/test_http.py::test_a_name_that_leads_inside_is_not_followed",),
    ),
    Guard(
        "SSRF: no private address in an URL",
        "service/outbound/addresses.py",
        "    if not (listed or is_public(host)):\n",
        "    if False:\n",
        (f"{OUTBOUND}/test_addresses.py::test_what_no_server_on_the_web_is_called_by_is_forbidden",),
    ),
    Guard(
        "SSRF: no odd spelling of an address",
        "service/outbound/addresses.py",
        " or _LIKE_A_NUMBER.fullmatch(host)",
        "",
        (f"{OUTBOUND}/test_addresses.py::test_what_no_server_on_the_web_is_called_by_is_forbidden",),
    ),
    Guard(
        "SSRF: https alone",
        "service/outbound/addresses.py",
        '    if scheme == "http" and not listed:\n',
        "    if False:\n",
        (f"{OUTBOUND}/test_addresses.py::test_what_no_server_on_the_web_is_called_by_is_forbidden",),
    ),
    Guard(
        "SSRF: no name or password in an URL",
        "service/outbound/addresses.py",
        "    if parts.username is not None or parts.password is not None:\n",
        "    if False:\n",
        (f"{OUTBOUND}/test_addresses.py::test_what_no_server_on_the_web_is_called_by_is_forbidden",),
    ),
    Guard(
        "SSRF: the address that was checked is connected to",
        "service/outbound/http.py",
        "sock = connect(addresses, deadline)",
        "sock = connect(addresses_of(target.host, target.port, deadline), deadline)",
        (f"{OUTBOUND}/test_http.py::test_a_name_is_asked_for_once_and_its_first_answer_connected_to",),
    ),
    Guard(
        "SSRF: no redirect is followed",
        "service/outbound/http.py",
        "                return _read(response, most_bytes)\n",
        '                if response.getheader("Location"):\n'
        '                    onwards = url.rpartition("/")[0] + response.getheader("Location")\n'
        "                    return self._call(method, onwards, body,"
        " headers=headers, seconds=seconds, most_bytes=most_bytes)\n"
        "                return _read(response, most_bytes)\n",
        (f"{OUTBOUND}/test_http.py::test_every_status_is_an_answer_and_no_redirect_is_followed",),
    ),
    Guard(
        "redirects stay here",
        "service/pages/kept_forms.py",
        'return address if address and _leads_to(address, "GET") else "/"',
        'return address or "/"',
        (f"{SECURITY}/test_redirects.py",),
    ),
    Guard(
        "SQL: values are bound",
        "service/records/search.py",
        "ids.where(contents.c.patient == filters.patient)",
        "ids.where(__import__('sqlalchemy').text(f\"patient = '{filters.patient}'\"))",
        (f"{SECURITY}/test_injection.py::test_a_text_that_is_sql_finds_nothing_and_changes_nothing",),
    ),
    Guard(
        "markup is escaped",
        "service/pages/rendering.py",
        '"trim_blocks": True,',
        '"trim_blocks": True, "autoescape": False,',
        ESCAPED,
    ),
    Guard(
        "no formula in CSV",
        "service/records/csv_lines.py",
        "if _FORMULA.match(cell) else cell",
        "if False else cell",
        ("tests/records/test_checklist_export.py::test_no_cell_is_a_formula",),
    ),
    Guard(
        "rate limit",
        "service/app.py",
        "    counted.register(app)\n",
        "",
        (f"{SECURITY}/test_rates.py::test_what_costs_more_counts_more",),
    ),
    Guard(
        "rate limit of strangers",
        "service/web/guard.py",
        "            count_refused()\n",
        "",
        (
            f"{SECURITY}/test_rates.py::test_strangers_are_counted_by_their_address_and_do_not_shut_out_who_is_known",
            f"{SECURITY}/test_rates.py::test_who_may_not_is_counted_too",
        ),
    ),
    Guard(
        "size of a body",
        "service/api/checklists.py",
        "    if not fits(body):\n",
        "    if False:\n",
        ("tests/api/test_refused_requests.py::test_a_body_above_the_limit_is_refused",),
    ),
    Guard(
        "size of a form",
        "service/app.py",
        '    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES + 1\n',
        "",
        (f"{BODIES}::test_a_form_is_so_long_and_no_longer",),
    ),
    Guard(
        "depth of JSON",
        "service/intake/json_text.py",
        "    if not deeper and isinstance(value, dict | list):\n",
        "    if False:\n",
        (f"{BODIES}::test_json_is_nested_so_deep_and_no_deeper",),
    ),
    Guard(
        "an EHR's token is good once",
        "service/ehr/tokens.py",
        '            raise NotTrusted("it was used before")\n',
        "            pass\n",
        ("tests/ehr/test_tokens.py::test_a_token_is_good_once",),
    ),
    Guard(
        "an EHR's token is for this address",
        "service/ehr/tokens.py",
        "if audience != url and not (isinstance(audience, list) and url in audience):",
        "if False:",
        ("tests/ehr/test_tokens.py::test_a_token_is_for_the_exact_address",),
    ),
    Guard(
        "an EHR's token is signed",
        "service/ehr/tokens.py",
        "        if not signed:\n",
        "        if False:\n",
        ("tests/ehr/test_tokens.py::test_a_token_that_was_changed_by_one_bit_is_refused",),
    ),
    Guard(
        "a sender's message is signed",
        "service/webhooks/signing.py",
        "    if not sum(hmac.compare_digest(ours, theirs)",
        "    if False and not sum(hmac.compare_digest(ours, theirs)",
        ("tests/webhooks/test_signing.py::test_what_was_altered_is_refused",),
    ),
)


def copied(folder: Path) -> Path:
    """A copy of the tree, which another interpreter sees as it is here."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy2(source, folder / name)
    return folder


def tried(guard: Guard, folder: Path) -> str:
    """What came of it: "red", "green", or why it could not be tried."""
    file = folder / guard.file
    whole = file.read_text()
    if guard.there not in whole:
        return "NOT FOUND"
    file.write_text(whole.replace(guard.there, guard.gone))
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *_HOW, "--basetemp", str(folder / "base"), *guard.tests],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        file.write_text(whole)
    # 1: tests failed. An error is an edit that is no Python; anything else, a test that does not exist.
    noticed = "red" if " failed in " in done.stdout[-500:] or " failed, " in done.stdout[-500:] else "BROKEN"
    return {0: "GREEN", 1: noticed}.get(done.returncode, "NOT RUN")


def main() -> int:
    """Try each guard, or those whose names hold a word that is given; the number that nobody noticed."""
    wanted = [
        guard for guard in GUARDS if not sys.argv[1:] or any(word in guard.name for word in sys.argv[1:])
    ]
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(AT_ONCE) as pool:
        folders = [copied(Path(temporary) / str(each)) for each in range(AT_ONCE)]

        def each(number: int) -> str:
            folder = folders.pop()
            try:
                return tried(wanted[number], folder)
            finally:
                folders.append(folder)

        unnoticed = 0
        print(f"{'guard':<52}{'taken away from':<34}{'tests':<76}noticed")
        for guard, came in zip(wanted, pool.map(each, range(len(wanted))), strict=True):
            unnoticed += came != "red"
            tests = guard.tests[0].removeprefix("tests/")
            print(
                f"{guard.name:<52}{guard.file.removeprefix('service/'):<34}{tests[:74]:<76}{came}", flush=True
            )
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
