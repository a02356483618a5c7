"""The settings for sign-in by an identity provider."""

import pytest

from service.settings import BadSetting, IdentityProvider, Settings


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """Sets what it is given on top of settings that are good; a name with None is not set."""
    (tmp_path / "secret").write_text("a secret: 1+1\n")
    good = {
        "PUBLIC_URL": "https://dosegate.example/",
        "OIDC_ISSUER": "https://sign-in.example/realms/clinic",
        "OIDC_CLIENT_ID": "dosegate",
        "OIDC_CLIENT_SECRET_FILE": str(tmp_path / "secret"),
    }

    def set_(changes):
        for name, value in {**good, **changes}.items():
            if value is None:
                monkeypatch.delenv(f"DOSEGATE_{name}", raising=False)
            else:
                monkeypatch.setenv(f"DOSEGATE_{name}", value)

    return set_


def test_the_secret_is_read_from_its_file_and_not_shown(environment):
    environment({})
    found = Settings.from_environment()
    wanted = IdentityProvider("https://sign-in.example/realms/clinic", "dosegate", "a secret: 1+1")
    assert (found.public_url, found.identity_provider) == ("https://dosegate.example", wanted)
    assert "1+1" not in repr(found)


def test_without_the_settings_there_is_no_identity_provider(environment):
    environment(dict.fromkeys(["OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET_FILE"], ""))
    assert Settings.from_environment().identity_provider is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_URL", None),
        ("PUBLIC_URL", "http://dosegate.example"),
        ("PUBLIC_URL", "https://dosegate.example/path"),
        ("PUBLIC_URL", "https://dosegate.example\\@elsewhere.example"),
        ("PUBLIC_URL", "dosegate.example"),
        ("OIDC_ISSUER", None),
        ("OIDC_ISSUER", "http://sign-in.example"),
        ("OIDC_ISSUER", "https://name:word@sign-in.example"),
        ("OIDC_ISSUER", "https://sign-in.example/?realm=1"),
        ("OIDC_CLIENT_ID", None),
        ("OIDC_CLIENT_ID", "ｄosegate"),
        ("OIDC_CLIENT_SECRET_FILE", None),
        ("OIDC_CLIENT_SECRET_FILE", "/no/such/file"),
        ("OIDC_CLIENT_SECRET_FILE", "/"),
    ],
)
def test_a_setting_that_is_missing_or_wrong_is_named_in_one_line(environment, name, value):
    environment({name: value})
    with pytest.raises(BadSetting) as refused:
        Settings.from_environment()
    said = str(refused.value)
    assert f"DOSEGATE_{name}" in said
    assert "\n" not in said
    assert "1+1" not in said


@pytest.mark.parametrize("content", [b"", b"\n", b"two\nlines", "sécret".encode(), b"x" * 256, b"\0"])
def test_a_file_that_holds_no_secret_is_refused_and_not_repeated(environment, tmp_path, content):
    path = tmp_path / "other"
    path.write_bytes(content)
    environment({"OIDC_CLIENT_SECRET_FILE": str(path)})
    with pytest.raises(
        BadSetting, match=r"^DOSEGATE_OIDC_CLIENT_SECRET_FILE names .*other, which must hold"
    ) as said:
        Settings.from_environment()
    assert "two" not in str(said.value)
