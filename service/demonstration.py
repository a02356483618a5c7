"""The demonstration clinic: a site of its own, where every patient, person and password is made up."""

import json
import re
import secrets
import shlex
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import inspect, select

from service.access.account import NoSuchAccount
from service.access.accounts import Accounts
from service.access.keys import ApiKeys
from service.access.passwords import pin_fault
from service.access.roles import SCOPES, Role
from service.intake.answers import answer_to
from service.knowledge.library import Library
from service.records import migrate
from service.records.database import Database
from service.records.journal import Act
from service.records.site import DEMONSTRATION, SiteRecords
from service.records.store import Store
from service.records.stored import Basis, StoredChecklist
from service.records.tables import chains, contents
from service.settings import Settings
from service.webhooks.listed import UploadedLists

_DATABASE, _SIGNING_KEY = "sqlite:///demonstration.db", Path("demonstration-signing.pem")
_KEY_NAME, _KEY_VALID = "demonstration", timedelta(days=30)
_MADE_UP = {
    Role.NURSE: ("nora.quill", "Nora Quill"),
    Role.PRESCRIBER: ("pavel.orme", "Pavel Orme"),
    Role.PHARMACIST: ("farah.lund", "Farah Lund"),
    Role.AUDITOR: ("aldo.weir", "Aldo Weir"),
    Role.ADMIN: ("ada.moss", "Ada Moss"),
}
_DAY = timedelta(days=1)
_DATED = re.compile(r"(\d{4}-\d\d-\d\d)(|T.*)")
# An example, and the facts of it that are other ones; None is not known. Each has a patient of its own.
_VISITS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("inebilizumab", {}),
    ("ibalizumab", {}),
    ("inotuzumab_ozogamicin", {}),
    ("blocked", {}),
    ("inebilizumab", {"active_infection": "resolved"}),
    ("ibalizumab", {"infusion_minutes": 10}),
    ("inotuzumab_ozogamicin", {"platelets": None}),
)
# What is planned: how many days from now, and at which hour, for whom, and which drug.
_PLANNED = (
    (0, 15, "DEMO-0008", "ibalizumab"),
    (1, 9, "DEMO-0004", "inebilizumab"),
    (1, 11, "DEMO-0002", "ibalizumab"),
    (2, 10, "DEMO-0003", "inotuzumab_ozogamicin"),
)


class NotForDemonstration(Exception):
    """The database that is set holds what is no demonstration; the message is one line."""


@dataclass(frozen=True)
class Person:
    """Somebody made up, and how to sign in as them until the next start."""

    role: Role
    name: str
    password: str
    pin: str


@dataclass(frozen=True)
class Clinic:
    """What is told once, when the demonstration starts: people, an API key's token, where all is kept."""

    people: tuple[Person, ...]
    token: str
    database: str

    def lines(self, url: str) -> list[str]:
        """What is printed when the service listens at that address."""
        rows = [("role", "name", "password", "PIN")]
        rows += [(person.role.value, person.name, person.password, person.pin) for person in self.people]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        request = shlex.quote(str(_example_file(_VISITS[3][0])))
        return [
            f"{DEMONSTRATION}: every patient here is made up. Enter nothing of a real one.",
            "",
            *("  " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in rows),
            "",
            f"  pages          {url}/",
            f"  documentation  {url}/api/v1/docs",
            "  a request      "
            f"curl -sS {url}/api/v1/checklists -H 'Authorization: Bearer {self.token}'"
            f" -H 'Content-Type: application/json' --data-binary @{request}",
            "",
            f"  commands       export DOSEGATE_SITE={DEMONSTRATION} DOSEGATE_SIGNING_KEYS={_SIGNING_KEY}"
            f" DOSEGATE_DATABASE_URL={self.database}",
            "",
            "Passwords, PINs and the key are new at every start; what is recorded stays.",
        ]


def settings_for(settings: Settings) -> Settings:
    """The settings of the demonstration.

    It shares nothing with the site that these are of but the rules, the time zone, the private hosts, how
    often one may ask, and what is logged and traced. A database that is set is used where it is empty or the
    demonstration's own.

    Raises NotForDemonstration, StoreUnavailable.
    """
    given = settings.database != Settings.database
    own = Settings(
        database=settings.database if given else _DATABASE,
        owner=settings.owner if given else None,
        site=DEMONSTRATION,
        keys=_SIGNING_KEY,
        time_zone=settings.time_zone,
        private_hosts=settings.private_hosts,
        requests_per_minute=settings.requests_per_minute,
        log_level=settings.log_level,
        tracing=settings.tracing,
        demonstration=True,
    )
    if others := _others(own.database):
        raise NotForDemonstration(
            f"the database that DOSEGATE_DATABASE_URL names holds {others}, which a demonstration never"
            " touches: unset it, or name an empty database"
        )
    return replace(own, rules=settings.rules, policy=settings.policy)


def _others(url: str) -> str | None:
    """What a database holds that is not of the demonstration, in words."""
    database = Database(url)
    try:
        found = migrate.state(database)
        with database.reading() as connection:
            if found.age is migrate.Age.EMPTY:
                return "the tables of something else" if inspect(connection).get_table_names() else None
            others = select(chains.c.site).where(chains.c.site != DEMONSTRATION)
            sites = connection.scalars(others.order_by(chains.c.site)).all()
    finally:
        database.close()
    return f"the records of the site {sites[0]}" if sites else None


def prepare(records: SiteRecords, library: Library, at: datetime, zone: ZoneInfo) -> Clinic:
    """Give everybody new passwords and PINs, make a new key, and a day's checklists where today has none.

    Today is that of the time zone. Raises StoreUnavailable.
    """
    act = Act("service", "service", "demonstration", at)
    people = tuple(_person(Accounts(records), role, act) for role in Role)
    clinic = Clinic(people, _token(records, act), records.database.url.render_as_string())
    day = at.astimezone(zone).date()
    if not _has_visits(records, day, zone):
        nurse = Act(f"user:{_MADE_UP[Role.NURSE][0]}", Role.NURSE.value, "demonstration", at)
        for number, (example, facts) in enumerate(_VISITS, 1):
            _visit(records, library, _request(number, example, facts, day), nurse)
        _plan(UploadedLists(records, library, zone), day, nurse)
    return clinic


def _plan(lists: UploadedLists, day: date, act: Act) -> None:
    """Plan the next days as a clinic does: from a list."""
    lines = [
        f"{day}-{number},{patient},{drug},{day + ahead * _DAY},{hour:02}:00"
        for number, (ahead, hour, patient, drug) in enumerate(_PLANNED, 1)
    ]
    text = "\n".join(["reference,patient,drug,date,time", *lines])
    lists.take(text, act, seen=lists.preview(text, act).digest, without_bad=False)


def _has_visits(records: SiteRecords, day: date, zone: ZoneInfo) -> bool:
    """Whether an infusion of that day was checked."""
    begin, end = (datetime.combine(each, time(), zone).astimezone(UTC) for each in (day, day + _DAY))
    then = (contents.c.infusion_utc >= begin, contents.c.infusion_utc < end)
    wanted = select(contents.c.checklist).where(contents.c.site == records.site, *then)
    with records.reading() as connection:
        return connection.execute(wanted.limit(1)).first() is not None


def _person(accounts: Accounts, role: Role, act: Act) -> Person:
    name, full_name = _MADE_UP[role]
    password = "-".join(secrets.token_hex(2) for _ in range(5))
    while pin_fault(pin := f"{secrets.randbelow(10**6):06}"):
        pass
    try:
        accounts.by_name(name)
    except NoSuchAccount:
        accounts.add(name, full_name, role, password, act, pin=pin)
    else:
        accounts.change(name, act, full_name=full_name, role=role, password=password, pin=pin, disabled=False)
    return Person(role, name, password, pin)


def _token(records: SiteRecords, act: Act) -> str:
    """The token of a new key; those of earlier starts are taken back."""
    keys = ApiKeys(records)
    for key in keys.all():
        if key.name == _KEY_NAME and key.revoked_at is None:
            keys.revoke(key.prefix, act)
    return keys.make(_KEY_NAME, SCOPES, _KEY_VALID, act)[1]


def _request(number: int, example: str, facts: Mapping[str, Any], day: date) -> bytes:
    """The example as if its infusion were on that day: whatever it dates is as long before as it was."""
    document = json.loads(_example_file(example).read_bytes())
    document["patient"] = {"id": f"DEMO-{number:04}"}
    document["facts"] |= facts
    return json.dumps(_moved(document, day - datetime.fromisoformat(document["infusion_at"]).date())).encode()


def _moved(value: Any, by: timedelta) -> Any:
    """A document with every date in it moved."""
    if isinstance(value, dict):
        return {name: _moved(each, by) for name, each in value.items()}
    if isinstance(value, list):
        return [_moved(each, by) for each in value]
    dated = _DATED.fullmatch(value) if isinstance(value, str) else None
    return f"{date.fromisoformat(dated[1]) + by}{dated[2]}" if dated else value


def _example_file(example: str) -> Path:
    return Path(str(files("service").joinpath("examples", f"{example}.json")))


def _visit(records: SiteRecords, library: Library, body: bytes, act: Act) -> None:
    answered = answer_to(body, library, id=str(uuid.uuid4()), evaluated_at=act.at, site=records.site)
    made = StoredChecklist.of(answered, body, at=act.at, actor=act.actor)
    Store(records).add(made, Basis.of(library, answered.request.pack), act)
