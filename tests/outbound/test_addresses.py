"""Which addresses are called: told by the address alone, and by what its name leads to."""

import pytest

from service.outbound.addresses import Forbidden, Target, is_public, target_of

NONE = frozenset()


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://a.example", Target("a.example", 443, "/", True, False)),
        ("https://A.Example.:8443/x?y=1&z", Target("a.example", 8443, "/x?y=1&z", True, False)),
        ("HTTPS://a_b.example/%7Cx|", Target("a_b.example", 443, "/%7Cx|", True, False)),
        ("https://8.8.8.8/", Target("8.8.8.8", 443, "/", True, False)),
        ("https://[2606:4700::1111]:444/", Target("2606:4700::1111", 444, "/", True, False)),
        ("https://xn--bcher-kva.example", Target("xn--bcher-kva.example", 443, "/", True, False)),
    ],
)
def test_an_address_on_the_web_is_called(url, target):
    assert target_of(url, NONE) == target


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example",
        "//a.example/",
        "https:",
        "https:///x",
        "https://",
        "http://a.example/",
        "ftp://a.example/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://a.example/#",
        "https://a.example/#part",
        "https://user@a.example/",
        "https://user:secret@a.example/",
        "https://:secret@a.example/",
        "https://@a.example/",
        "https://a.example:0/",
        "https://a.example:65536/",
        "https://a.example:-1/",
        "https://a.example:4a/",
        "https://a.example:443:443/",
        "https://a.example/ x",
        "https://a.example/\r\nHost: b.example",
        "https://a.example/\t",
        "https://a.example\\@b.example/",
        "https://bücher.example/",
        "https://a.example/ü",
        "https://a..example/",
        "https://-a.example/",
        "https://a%2eexample/",
        "https://.a.example/",
        "https://a.example../",
        f"https://{'a' * 64}.example/",
        f"https://{'a.' * 127}example/",
        "https://[::1",
        "https://[a.example]/",
        "https://localhost/",
        "https://LOCALHOST./",
        "https://a.localhost/",
        "https://127.0.0.1/",
        "https://10.1.2.3:8443/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:8.8.8.8]/",
        "https://[2606:4700::1111%25eth0]/",
        "https://[fe80::1%eth0]/",
        # The same addresses, and public ones, in ways of writing that only some programs read.
        "http://2130706433/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://017700000001/",
        "https://127.1/",
        "https://127.0.0.1./",
        "https://127.0.0.01/",
        "https://134744072/",
        "https://8.8.8.0x/",
        "https://1.2.3.4.5/",
    ],
)
def test_what_no_server_on_the_web_is_called_by_is_forbidden(url):
    with pytest.raises(Forbidden) as refused:
        target_of(url, NONE)
    assert refused.value.reason == str(refused.value)
    for part in ("secret", "example", "127", "10.1", "meta-data"):
        assert part not in refused.value.reason


@pytest.mark.parametrize(
    ("listed", "url", "allowed"),
    [
        ("localhost:8443", "https://localhost:8443/", True),
        ("localhost:8443", "http://localhost:8443/", True),
        ("localhost:8443", "https://localhost/", False),
        ("localhost:8443", "http://localhost:8444/", False),
        ("localhost", "http://localhost:8444/", True),
        ("127.0.0.1", "http://127.0.0.1:1/", True),
        ("127.0.0.1", "http://127.0.0.2/", False),
        ("127.0.0.1", "http://2130706433/", False),
        ("fhir.example", "http://FHIR.Example/base", True),
        ("fhir.example", "http://a.fhir.example/", False),
        ("fhir.example:443", "https://fhir.example/", True),
        ("fhir.example:80", "http://fhir.example/", True),
        ("fhir.example", "http://user:secret@fhir.example/", False),
        ("fhir.example", "ftp://fhir.example/", False),
    ],
)
def test_a_listed_server_may_be_inside_and_without_tls(listed, url, allowed):
    if allowed:
        assert target_of(url, frozenset({listed})).listed
    else:
        with pytest.raises(Forbidden):
            target_of(url, frozenset({listed}))


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "1.1.1.1", "192.0.1.1", "223.255.255.255", "2606:4700::1111", "2a00::1", "64:ff9b::808:808"],
)
def test_an_address_of_one_server_on_the_internet_is_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",  # IPv4-compatible
        "::808:808",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:8.8.8.8",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",  # NAT64 to 127.0.0.1, 10.0.0.1, 169.254.169.254
        "64:ff9b::a00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::808:808",
        "100::1",
        "2001::1",  # Teredo
        "2001:db8::1",
        "2002:7f00:1::1",  # 6to4 of 127.0.0.1, and of a public address
        "2002:808:808::1",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "fe80::1%eth0",
        "2606:4700::1111%eth0",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
        "",
        "a.example",
        "2130706433",
    ],
)
def test_what_leads_inside_or_to_many_or_nowhere_is_not(address):
    assert not is_public(address)
