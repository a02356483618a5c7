"""The door for people whom a site's identity provider vouches for. It makes no account."""

from collections.abc import Mapping

from service.access.account import Account, NoSuchAccount
from service.access.accounts import Accounts
from service.access.addresses import counted_as
from service.access.oidc import OidcClient, Refusal, SignInRefused
from service.access.principal import NotSignedIn
from service.access.provider import ProviderUnavailable
from service.access.sessions import Sessions
from service.access.sign_in import AT_ONE_ADDRESS, NOBODY
from service.access.throttle import Throttle
from service.records.journal import Act, Event
from service.records.site import SiteRecords

HOW = "oidc"
_UNAVAILABLE = "unavailable"


class ExternalSignIn:
    """The door of one site with one provider."""

    def __init__(
        self, records: SiteRecords, accounts: Accounts, sessions: Sessions, client: OidcClient
    ) -> None:
        self._records, self._accounts, self._sessions = records, accounts, sessions
        self._client, self._throttle = client, Throttle(records)

    def start(self, address: str, act: Act) -> tuple[str, str]:
        """Where the browser goes, and the secret it keeps. Raises ProviderUnavailable, StoreUnavailable."""
        try:
            return self._client.start(act.at)
        except ProviderUnavailable:
            self._failed(address, act, {"why": _UNAVAILABLE})
            raise

    def finish(self, answer: Mapping[str, str], secret: str | None, address: str, act: Act) -> str:
        """The token of a new session of whoever the provider vouches for.

        Raises SignInRefused, ProviderUnavailable, StoreUnavailable.
        """
        try:
            issuer, subject = self._client.finish(answer, secret, act.at)
        except ProviderUnavailable:
            self._failed(address, act, {"why": _UNAVAILABLE})
            raise
        except SignInRefused as refused:
            claim = {"claim": refused.claim} if refused.claim is not None else {}
            self._failed(address, act, {"why": refused.refusal.value, **claim})
            raise
        account = None
        try:
            account = self._accounts.by_external(issuer, subject)
            return self._sessions.begin(account, account.principal.act(act.request, act.at), HOW)
        except (NoSuchAccount, NotSignedIn):
            disabled = {"disabled": True} if account is not None else {}
            self._failed(address, act, {"why": Refusal.ACCOUNT.value, **disabled}, account)
            raise SignInRefused(Refusal.ACCOUNT) from None

    def _failed(
        self, address: str, act: Act, details: Mapping[str, object], account: Account | None = None
    ) -> None:
        """Enter a failure; of those from one address so many only, since anybody can make one.

        However many there are, they keep nobody out, since there is nothing to guess.
        """
        bucket = self._throttle.bucket(AT_ONE_ADDRESS, HOW, counted_as(address))
        with self._records.writing() as writing:
            writing.alone()
            if self._throttle.is_full(writing.connection, bucket, act.at):
                writing.wrote_nothing = True
                return
            self._throttle.failed(writing.connection, [bucket], act.at)
            last = self._throttle.is_full(writing.connection, bucket, act.at)
            full = {"limit_reached": ["address"]} if last else {}
            subject = account.actor if account is not None else NOBODY
            writing.enter(act, Event.SIGN_IN_FAILED, subject, {"how": HOW, **details, **full})
