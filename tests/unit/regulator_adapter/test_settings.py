from pathlib import Path

import pytest

from foundation.settings import SettingsError, load
from regulator_adapter.settings import Settings, Timing
from tests.builders.events import HOSPITAL_ID


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


def test_secrets_are_not_shown_when_printed(environ: dict[str, str]) -> None:
    shown = repr(load(Settings, environ))

    assert "11" * 32 not in shown
    assert "x00" * 4 not in shown
