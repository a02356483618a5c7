"""A nurse beside the programs: signs in, keeps a draft, answers a question on its page, and signs out."""

import json
import re
import uuid
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.crowd import answer, request
from benchmarks.pages import ANSWERS, FORM, JSON, QUESTION, REQUEST
from service.access.accounts import Accounts
from service.access.roles import Role
from service.records.drafting import ANSWERS as ANSWERED
from service.records.drafting import KEPT_BY
from service.records.journal import Act
from service.records.opening import open_records
from service.web.guard import COOKIE, FORM_KEY

NAME, PASSWORD = "nora", "wisteria over the porch"
DRAFT = json.dumps({**REQUEST, ANSWERED: {}, KEPT_BY: NAME}).encode()
SAME_SITE = {"Sec-Fetch-Site": "same-origin"}
GIVEN = re.compile(rf'name="{FORM_KEY}" value="([^"]+)"')
TOKEN = re.compile(rf"Set-Cookie: {re.escape(COOKIE)}=([^;]+)", re.IGNORECASE)


class Unwanted(Exception):
    """An answer had another status than the one wanted."""


class Nurse:
    """Has an account at a site; `visits` counts those that went as they should, `errors` the others."""

    def __init__(self, place, port):
        self._port, self.visits, self.errors = port, 0, Counter()
        keys, now = Path(place.environment["DOSEGATE_SIGNING_KEYS"]), datetime.now(UTC)
        with closing(open_records(place.database, None, "main", keys, now)) as records:
            Accounts(records).add(
                NAME, "Nora Quill", Role.NURSE, PASSWORD, Act("cli:b", "operator", "b", now)
            )

    async def visit(self):
        """All of it, once."""
        try:
            await self._visit()
            self.visits += 1
        except (OSError, ValueError, TimeoutError, Unwanted) as error:
            self.errors[f"{type(error).__name__} {error}"] += 1

    async def _visit(self):
        typed = json.dumps({"name": NAME, "password": PASSWORD}).encode()
        head, _ = await self._asked("POST", "/api/v1/session", typed, JSON | SAME_SITE, 201)
        cookie = {"Cookie": f"{COOKIE}={TOKEN.search(head)[1]}", **SAME_SITE}
        id = uuid.uuid4()
        await self._asked("PUT", f"/api/v1/drafts/{id}", DRAFT, {**JSON, **cookie}, 201)
        _, page = await self._asked("GET", f"/drafts/{id}", b"", cookie, 200)
        for chosen in ANSWERS:
            form = {FORM_KEY: GIVEN.search(page)[1], "fact": QUESTION, f"{QUESTION}.value": chosen}
            sent = urlencode(form).encode()
            await self._asked("POST", f"/drafts/{id}/answers", sent, {**FORM, **cookie}, 200)
        await self._asked("GET", "/today", b"", cookie, 200)
        await self._asked("DELETE", f"/api/v1/drafts/{id}", b"", cookie, 204)
        await self._asked("DELETE", "/api/v1/session", b"", cookie, 204)

    async def _asked(self, method, path, body, headers, wanted):
        sent = request(method, path, self._port, headers, body)
        status, head, content = await answer(self._port, sent)
        if status != wanted:
            raise Unwanted(f"{status} of {method} {path}")
        return head.decode(), content.decode()
