from pathlib import Path

import gmssl_pyx
import pytest

from foundation.settings import SettingsError, load
from foundation.suites.key_files import sm2_pem
from foundation.suites.secret_keys import KeyInMemory
from regulator_adapter.settings import Settings, Timing
from tests.builders.events import HOSPITAL_ID
from tests.unit.suites.tokens import MODULE, token


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    files = {}
    for name in ("SERVER_CERT", "SERVER_KEY", "CLIENT_ROOT", "TLS_CERT", "TLS_KEY", "TLS_ROOT"):
        (tmp_path / name).touch()
        files[name] = str(tmp_path / name)
    hospital = tmp_path / "hospital.json"
    hospital.write_text('{"name":"示范医院","code":"H1","unified_social_credit_code":"12310114425001234X"}')
    return files | {
        "DATABASE_URL": "postgresql+asyncpg://nobody@127.0.0.1:1/none",
        "HOSPITAL_ID": str(HOSPITAL_ID),
        "FIELD_KEYS": "t0:" + "00" * 32 + ", t1:" + "11" * 32,
        "FIELD_KEY_CURRENT": "t1",
        "INDEX_KEY": "22" * 32,
        "ALLOWED_CALLERS": "spiffe://internet-hospital/backend-worker",
        "GATEWAY_URLS": "https://127.0.0.1:8201,https://127.0.0.1:8202",
        "ORGANISATION": str(hospital),
        "PLATFORM_UNIT_ID": "UNIT0001",
        "PLATFORM_APP_KEY": "app-1",
        "PLATFORM_APP_SECRET": "00" * 16,
        "PLATFORM_IV": "ff" * 16,
    }


def test_settings_are_read_with_their_defaults(environ: dict[str, str]) -> None:
    settings = load(Settings, environ)

    assert (settings.port, settings.health_port, settings.timing) == (8300, 8310, Timing.PROFILE)
    assert set(settings.keyring().keys) == {"t0", "t1"}
    assert settings.reporter().code == "12310114425001234X"
    assert len(settings.gateway_urls) == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PLATFORM_APP_SECRET", "00"),
        ("PLATFORM_IV", "xyz"),
        ("FIELD_KEYS", "t1"),
        ("FIELD_KEYS", "t1:00"),
        ("FIELD_KEY_CURRENT", "t9"),
        ("ORGANISATION", "nowhere.json"),
        ("TLS_CERT", "nowhere.pem"),
        ("GATEWAY_URLS", "http://127.0.0.1:1"),
        ("ALLOWED_CALLERS", ","),
        ("TIMING", "soon"),
        ("HOSPITAL_ID", "7"),
        ("CONCURRENCY", "many"),
    ],
)
def test_a_malformed_setting_is_named(environ: dict[str, str], name: str, value: str) -> None:
    with pytest.raises(SettingsError) as error:
        load(Settings, environ | {name: value})

    assert name in str(error.value)


def test_every_missing_setting_is_named_at_once(environ: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as error:
        load(Settings, {})

    assert len(error.value.problems) == len(environ)


def test_production_refuses_development_keys(environ: dict[str, str]) -> None:
    production = environ | {
        "ENV": "production",
        "FIELD_KEYS": "dev1:" + "11" * 32,
        "FIELD_KEY_CURRENT": "dev1",
    }

    with pytest.raises(SettingsError, match="FIELD_KEY_CURRENT"):
        load(Settings, production)


def test_production_refuses_the_platforms_key_out_of_a_handbook(environ: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="PLATFORM_APP_SECRET is an example's"):
        load(Settings, environ | {"ENV": "production"})

    load(Settings, environ | {"ENV": "production", "PLATFORM_APP_SECRET": "5a0f" * 8})


def test_the_platforms_key_may_lie_in_a_file_or_a_module(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("5a0f" * 8)
    held = token()
    inside = {
        "PLATFORM_APP_SECRET": held.uri("kept"),
        "PLATFORM_APP_SECRET_PIN": held.pin,
        "PKCS11_MODULE": MODULE,
    }

    filed = load(Settings, environ | {"PLATFORM_APP_SECRET": str(tmp_path / "secret")})
    kept = load(Settings, environ | inside)

    assert filed.credentials().key == KeyInMemory(bytes.fromhex("5a0f" * 8))
    assert kept.credentials().key == KeyInMemory(held.aes)


def test_a_key_of_aes_is_refused_where_a_platform_wants_sm4(environ: dict[str, str]) -> None:
    held = token()
    given = {
        "PLATFORM_APP_SECRET": held.uri("seal"),
        "PLATFORM_APP_SECRET_PIN": held.pin,
        "PKCS11_MODULE": MODULE,
    }

    with pytest.raises(SettingsError, match="AES"):
        load(Settings, environ | given)


def test_secrets_are_not_shown_when_printed(environ: dict[str, str]) -> None:
    shown = repr(load(Settings, environ))

    assert "11" * 32 not in shown
    assert "x00" * 4 not in shown


def own_access(tmp_path: Path, **changes: str) -> str:
    public, private = gmssl_pyx.sm2_key_generate()
    (tmp_path / "own.pem").write_bytes(sm2_pem(private, b"\x04" + public))
    entry = {
        "unit_id": "4400001", "app_key": "gd", "app_secret": "aa" * 16, "iv": "bb" * 16, "signing_key": str(tmp_path / "own.pem"),
    } | changes  # fmt: skip
    file = tmp_path / "access.toml"
    file.write_text("[guangdong]\n" + "".join(f'{name} = "{value}"\n' for name, value in entry.items()))
    return str(file)


def test_a_platform_may_have_an_access_of_its_own(environ: dict[str, str], tmp_path: Path) -> None:
    settings = load(Settings, environ | {"PLATFORM_ACCESS": own_access(tmp_path), "ROUTING": "guangdong"})

    own, other = (settings.accesses().of(name) for name in ("guangdong", "shanghai"))
    assert (own.unit_id, own.credentials.app_key) == ("4400001", "gd")
    assert (other.unit_id, other.credentials.app_key) == ("UNIT0001", "app-1")
    assert own.credentials.signer is not None
    assert [profile.name for profile in settings.lines()] == ["tianjin-1.0", "shanghai", "guangdong"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"app_secret": "zz"}, "hex"), ({"iv": "bb"}, "expected 16"), ({"signing_key": "nowhere.pem"}, "nowhere.pem"), ({"xyz": "1"}, "xyz")],
)  # fmt: skip
def test_an_access_that_cannot_be_is_refused_without_its_secret(
    environ: dict[str, str], tmp_path: Path, changes: dict[str, str], words: str
) -> None:
    with pytest.raises(SettingsError, match=words) as refused:
        load(Settings, environ | {"PLATFORM_ACCESS": own_access(tmp_path, **changes)})

    assert "aa" * 16 not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"ROUTING": "guangdong"}, "guangdong wants PLATFORM_SIGNING_KEY"),
        ({"ROUTING": "/nowhere/routing.toml"}, "ROUTING"),
        ({"PLATFORM_ACCESS": "/nowhere/access.toml"}, "PLATFORM_ACCESS"),
        ({"PLATFORM_SIGNING_KEY": "/nowhere/key.pem"}, "key.pem"),
        ({"PLATFORM_SIGNING_KEY": "pkcs11:object=x"}, "pkcs11"),
    ],
)
def test_what_a_table_needs_must_be_there_at_the_start(
    environ: dict[str, str], given: dict[str, str], words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        load(Settings, environ | given)


def test_without_a_key_the_platforms_that_want_one_are_left_alone(environ: dict[str, str]) -> None:
    assert [profile.name for profile in load(Settings, environ).lines()] == ["tianjin-1.0", "shanghai"]
