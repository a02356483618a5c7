"""Any sequence of signing in, waiting, unlocking, disabling and signing out, against a simple model."""

import uuid
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import HealthCheck
from hypothesis import settings as of_hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    rule,
    run_state_machine_as_test,
)

from service.access.accounts import Accounts, WrongSecret
from service.access.principal import NotSignedIn, SessionLocked
from service.access.roles import Role
from service.access.sessions import IDLE, LIFETIME, MOST_WRONG, Sessions
from service.app import records_of
from service.records.journal import Act
from tests.access.conftest import NOW
from tests.people import PASSWORD, PIN

NOTED_EVERY = timedelta(seconds=20)


@dataclass
class Expected:
    """What a session ought to be."""

    began: datetime
    seen: datetime
    locked: bool = False
    wrong: int = 0
    over: bool = False


class People(RuleBasedStateMachine):
    """One account, several sessions, a clock that only goes on."""

    tokens = Bundle("tokens")

    def __init__(self, records):
        super().__init__()
        self.records, self.now = records, NOW
        self.accounts = Accounts(records)
        self.sessions = Sessions(records, self.accounts)
        self.expected, self.disabled = {}, False
        self.name = f"n{uuid.uuid4().hex}"
        self.account = self.accounts.add(self.name, "N", Role.NURSE, PASSWORD, self.setup, pin=PIN)

    @property
    def setup(self):
        return Act("cli:setup", "operator", "setup", self.now)

    @property
    def act(self):
        return self.account.principal.act("a-request", self.now)

    def outcome(self, work):
        try:
            return work()
        except (NotSignedIn, SessionLocked, WrongSecret) as error:
            return type(error)

    def good(self, token):
        """The session that is expected, unless it ought to be over."""
        session = self.expected[token]
        return None if session.over or self.now - session.began >= LIFETIME else session

    @rule(seconds=st.sampled_from([1, 19, 20, 60, 279, 280, 300, 3600, 6 * 3600]))
    def wait(self, seconds):
        self.now += timedelta(seconds=seconds)

    @rule(target=tokens)
    def sign_in(self):
        token = self.outcome(lambda: self.sessions.begin(self.account, self.act))
        assert (token is NotSignedIn) == self.disabled
        if token is not NotSignedIn:
            self.expected[token] = Expected(self.now, self.now)
        return token

    @rule(token=tokens)
    def use(self, token):
        if token is NotSignedIn:
            return
        answer, session = (
            self.outcome(lambda: self.sessions.use(token, self.now).account.principal),
            self.good(token),
        )
        if session is None:
            assert answer is NotSignedIn
        elif session.locked or self.now - session.seen >= IDLE:
            session.locked = True
            assert answer is SessionLocked
        else:
            assert answer.name == "N"
            if self.now - session.seen >= NOTED_EVERY:
                session.seen = self.now

    @rule(target=tokens, token=tokens, secret=st.sampled_from([PIN, PASSWORD]))
    def unlock(self, token, secret):
        if token is NotSignedIn:
            return token
        answer, session = (
            self.outcome(lambda: self.sessions.unlock(token, secret, self.act)),
            self.good(token),
        )
        if session is None:
            assert answer is NotSignedIn
        else:
            assert answer not in self.expected
            session.over = True
            self.expected[answer] = Expected(session.began, self.now)
        return answer

    @rule(token=tokens)
    def mistype(self, token):
        if token is NotSignedIn:
            return
        answer, session = (
            self.outcome(lambda: self.sessions.unlock(token, "314159", self.act)),
            self.good(token),
        )
        if session is not None:
            session.locked, session.wrong = True, session.wrong + 1
            session.over = session.wrong == MOST_WRONG
        assert answer is (NotSignedIn if session is None or session.over else WrongSecret)

    @rule(token=tokens)
    def lock(self, token):
        if token is NotSignedIn:
            return
        answer, session = self.outcome(lambda: self.sessions.lock(token, self.act)), self.good(token)
        assert answer is (NotSignedIn if session is None else None)
        if session is not None:
            session.locked = True

    @rule(token=tokens)
    def sign_out(self, token):
        if token is NotSignedIn:
            return
        answer, session = self.outcome(lambda: self.sessions.end(token, self.act)), self.good(token)
        assert answer is (NotSignedIn if session is None else None)
        self.expected[token].over = True

    @rule()
    def disable_or_enable(self):
        self.disabled = not self.disabled
        self.accounts.change(self.name, self.setup, disabled=self.disabled)
        self.end_all()

    @rule()
    def change_password(self):
        self.accounts.change(self.name, self.setup, password=PASSWORD)
        self.end_all()

    def end_all(self):
        for session in self.expected.values():
            session.over = True


def test_a_session_is_always_what_the_model_says(settings):
    quick = of_hypothesis(
        max_examples=12,
        stateful_step_count=30,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    with closing(records_of(settings, NOW)) as records:
        run_state_machine_as_test(lambda: People(records), settings=quick)
