"""A wrong setting is one line and status 2; production takes neither mock nor plain http."""

import os
import subprocess
import sys
from typing import Any

import pytest

from foundation.settings import Env, SettingsError, load
from miniapp_mock.front.settings import Driver, Settings

GOOD = {
    "BACKEND_URL": "http://127.0.0.1:8100", "FRONT_URL": "http://127.0.0.1:8000/", "API_URL": "http://127.0.0.1:8100",
    "MEDIA_URLS": "http://127.0.0.1:8110,https://media.test", "WECHAT_PAGES_URL": "http://127.0.0.1:8010",
    "WECHAT_APPID": "wx1",
}  # fmt: skip


def test_addresses_become_origins() -> None:
    settings = load(Settings, GOOD)

    assert settings.front_url == settings.origin == "http://127.0.0.1:8000"
    assert settings.sockets == ["ws://127.0.0.1:8100", "ws://127.0.0.1:8110", "wss://media.test"]
    assert (settings.port, settings.wechat_driver) == (8000, Driver.MOCK)


@pytest.mark.parametrize("name", [name for name in GOOD if name != "MEDIA_URLS"])
def test_a_missing_setting_is_one_line_and_exit_2(name: str) -> None:
    environment = {key: value for key, value in GOOD.items() if key != name}

    done = subprocess.run(
        [sys.executable, "-m", "miniapp_mock", "front"], env={"PATH": os.environ["PATH"], **environment},
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip

    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert f"{name} is missing" in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BACKEND_URL", "127.0.0.1:8100"),
        ("FRONT_URL", "ftp://x"),
        ("MEDIA_URLS", "http://a, b"),
        ("API_URL", "http://["),
    ],
)
def test_a_malformed_address_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name} is malformed"):
        load(Settings, GOOD | {name: value})


def test_production_refuses_the_mock_and_plain_http() -> None:
    with pytest.raises(SettingsError) as refused:
        load(Settings, GOOD | {"ENV": "production"})

    words = str(refused.value)
    for part in ("FRONT_URL must be https", "API_URL must be https", "WECHAT_DRIVER", "WECHAT_PAGES_URL"):
        assert part in words


def test_production_takes_what_is_real() -> None:
    real: dict[str, Any] = {
        name: value.replace("http://127.0.0.1", "https://h.test") for name, value in GOOD.items()
    }

    settings = load(
        Settings, real | {"ENV": "production", "WECHAT_DRIVER": "h5", "BACKEND_URL": "http://api:8100"}
    )

    assert settings.env is Env.PRODUCTION
