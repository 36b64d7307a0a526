import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from miniapp_mock.wechat.app import create_app
from miniapp_mock.wechat.mock import Mock
from miniapp_mock.wechat.serving import in_background
from miniapp_mock.wechat.settings import Reader, SettingError
from tests.contract.started import free_port, listens, wait_until
from tests.unit.wechat_mock.merchant import Merchant


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "miniapp_mock", *arguments]
    env = {"PATH": os.environ["PATH"]} | environment
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env, timeout=60)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENV", "production"),
        ("ENV", "moon"),
        ("PORT", "many"),
        ("LOG_LEVEL", "loud"),
        ("WECHAT_DATA", "/nowhere/at/all"),
        ("WECHAT_WORLD", "/nowhere"),
        ("WECHAT_FRONT_URL", "127.0.0.1:8000"),
        ("WECHAT_FRONT_URL", "http://127.0.0.1:x"),
        ("WECHAT_FRONT_URL", "https://api.weixin.qq.com"),
        ("WECHAT_API_URL", "https://api.weixin.qq.com"),
        ("WECHAT_PAY_URL", "https://api.mch.weixin.qq.com"),
        ("WECHAT_PAY_URL", "https://API2.mch.weixin.QQ.com:443/"),
        ("HOST", "api.mch.weixin.qq.com"),
        ("WECHAT_APPID", ""),
        ("WECHAT_SECRET", ""),
        ("WECHAT_MCHID", ""),
        ("WECHAT_APIV3_KEY", "too short"),
        ("WECHAT_MERCHANT_CERT", "/nowhere.pem"),
        ("WECHAT_MERCHANT_KIND", "ancient"),
        ("WECHAT_PUBLIC_KEY_ID", "KEY_1"),
        ("WECHAT_PRIVATE_KEY", ""),
    ],
)
def test_a_setting_that_is_wrong_is_named(environment: dict[str, str], name: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"^{name} ") as problem:
        Mock.from_environment(Reader(environment | {name: value}))

    assert len(str(problem.value).splitlines()) == 1


@pytest.mark.parametrize("name", ["WECHAT_PLATFORM_CERT", "WECHAT_PLATFORM_KEY"])
@pytest.mark.parametrize("kind", ["old", "migrating"])
def test_certificate_mode_needs_its_certificate(environment: dict[str, str], name: str) -> None:
    with pytest.raises(SettingError, match=f"^{name} is not set"):
        Mock.from_environment(Reader(environment | {name: ""}))


def test_a_key_that_is_none_or_belongs_to_another_is_named(environment: dict[str, str], keys: Path) -> None:
    old = environment | {"WECHAT_MERCHANT_KIND": "old"}
    for changes, name in (
        ({"WECHAT_MERCHANT_CERT": str(keys / "merchant.key")}, "WECHAT_MERCHANT_CERT"),
        ({"WECHAT_PLATFORM_KEY": str(keys / "merchant.key")}, "WECHAT_PLATFORM_KEY"),
        ({"WECHAT_PLATFORM_KEY": str(keys / "merchant.pem")}, "WECHAT_PLATFORM_KEY"),
    ):
        with pytest.raises(SettingError, match=f"^{name} "):
            Mock.from_environment(Reader(old | changes))


def test_a_world_without_good_phones_is_named(environment: dict[str, str]) -> None:
    phones = Path(environment["WECHAT_WORLD"]) / "phones.json"
    phones.write_text(json.dumps([{"openid": "o-1"}]))
    with pytest.raises(SettingError, match=r"^WECHAT_WORLD has a phones\.json that is wrong: .*phone"):
        Mock.from_environment(Reader(environment))

    phones.unlink()

    with pytest.raises(SettingError, match=r"^WECHAT_WORLD has no phones\.json"):
        Mock.from_environment(Reader(environment))


def test_a_store_that_is_none_is_named(environment: dict[str, str]) -> None:
    folder = Path(environment["WECHAT_DATA"])
    folder.mkdir()
    (folder / "wechat.sqlite").write_text("something else, long enough to be looked at" * 100)

    with pytest.raises(SettingError, match=r"^WECHAT_DATA holds a file that cannot be used"):
        Mock.from_environment(Reader(environment))


def test_a_wrong_start_is_one_line_and_exit_2(environment: dict[str, str]) -> None:
    done = run(environment | {"ENV": "production"}, "wechat")

    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert done.stderr.startswith("ENV ")


@pytest.mark.parametrize("arguments", [[], ["nobody"], ["wechat", "again"]])
def test_an_unknown_part_is_one_line_and_exit_2(arguments: list[str]) -> None:
    done = run({}, *arguments)

    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


def test_the_process_serves_and_ends_cleanly_on_sigterm(environment: dict[str, str]) -> None:
    port = free_port()
    env = {"PATH": os.environ["PATH"], "PORT": str(port)} | environment
    command = [sys.executable, "-m", "miniapp_mock", "wechat"]
    with subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL) as process:
        wait_until(lambda: listens(port) or process.poll() is not None, "the mock listening")
        base = f"http://127.0.0.1:{port}"
        assert httpx.get(f"{base}/healthz", trust_env=False).json() == {"status": "ok"}
        assert httpx.get(f"{base}/readyz", trust_env=False).status_code == 200
        process.send_signal(signal.SIGTERM)

        assert process.wait(10) == 0


def test_a_port_in_use_is_one_line_and_exit_1(environment: dict[str, str], base: str, tmp_path: Path) -> None:
    other = environment | {"PORT": base.rpartition(":")[2], "WECHAT_DATA": str(tmp_path / "other")}

    done = run(other, "wechat")

    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)


def test_the_clock_moves_under_test_only(environment: dict[str, str]) -> None:
    with in_background(
        create_app(Mock.from_environment(Reader(environment | {"ENV": "development"})))
    ) as base:
        answer = httpx.post(f"{base}/_test/clock", json={"offset_seconds": 1}, trust_env=False)
        switched = httpx.put(f"{base}/_test/faults", json={"signtest": True}, trust_env=False)

    assert answer.status_code == 404
    assert switched.status_code == 200


def test_what_happened_survives_a_restart(environment: dict[str, str], merchant: Merchant) -> None:
    with in_background(create_app(Mock.from_environment(Reader(environment)))) as merchant.base:
        number = merchant.paid_order()

    with in_background(create_app(Mock.from_environment(Reader(environment)))) as merchant.base:
        assert merchant.query(number)["trade_state"] == "SUCCESS"


def test_secrets_are_not_in_what_is_printed(environment: dict[str, str]) -> None:
    mock = Mock.from_environment(Reader(environment))
    mock.store.close()

    shown = repr(mock.settings)

    assert environment["WECHAT_SECRET"] not in shown
    assert environment["WECHAT_APIV3_KEY"] not in shown


def test_the_mock_knows_nothing_of_what_it_tests() -> None:
    folder = Path(__file__).parents[3] / "miniapp_mock" / "wechat"
    ours = r"(foundation|contracts|backend|front_gateway|regulator_adapter|simulators|standalone)"

    texts = {path: path.read_text("utf-8") for path in folder.rglob("*.py")}

    assert len(texts) > 30
    assert [
        path for path, text in texts.items() if re.search(rf"^\s*(from|import) {ours}\b", text, re.M)
    ] == []
