"""Names that lead where a test says, and an authority whose certificates it trusts."""

import socket

import pytest

from tests.outbound.servers import Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority.made(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def trusted(authority, monkeypatch):
    """The authority, trusted by what is made in this test."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    return authority


@pytest.fixture
def names(monkeypatch):
    """What names lead to: of each a list of addresses for each time that it is asked for. Keeps who asked."""
    real, answers, asked = socket.getaddrinfo, {}, []

    def getaddrinfo(host, port, *rest, **options):
        if host not in answers:
            return real(host, port, *rest, **options)
        asked.append(host)
        addresses = answers[host][min(asked.count(host), len(answers[host])) - 1]
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [found for address in addresses for found in real(address, port, *rest, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    getaddrinfo.lead = lambda host, *turns: answers.__setitem__(host, turns)
    getaddrinfo.asked = asked
    return getaddrinfo
