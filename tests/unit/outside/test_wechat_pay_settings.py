"""In which mode WeChat Pay's signature is known: what each needs, and what is said when it is missing."""

from pathlib import Path
from typing import Any, cast

import pytest

from backend.composition import wechat_pay
from backend.settings import WeChatKeyMode
from foundation.clock import Clock
from foundation.db.unit_of_work import Database
from foundation.settings import SettingsError
from tests.builders.settings import settings

NOBODY = cast(Database, None)


def test_public_key_mode_is_the_default_and_names_the_key(tmp_path: Path) -> None:
    made = settings(tmp_path)

    keys = wechat_pay(made, Clock(), NOBODY).signed.keys

    assert made.wechat_key_mode is WeChatKeyMode.PUBLIC_KEY
    assert (keys.named, list(keys.public)) == (made.wechat_public_key_id, [made.wechat_public_key_id])


def test_certificate_mode_needs_no_key_and_names_none(tmp_path: Path) -> None:
    made = settings(
        tmp_path, wechat_key_mode=WeChatKeyMode.CERTIFICATE, wechat_public_key=None, wechat_public_key_id=""
    )

    keys = wechat_pay(made, Clock(), NOBODY).signed.keys

    assert (keys.named, dict(keys.public)) == ("", {})


def test_a_second_host_is_asked_after_the_first(tmp_path: Path) -> None:
    made = settings(tmp_path, wechat_pay_backup_url="http://127.0.0.1:10")

    exchange = wechat_pay(made, Clock(), NOBODY).signed.exchange

    assert list(exchange.urls) == ["http://127.0.0.1:9", "http://127.0.0.1:10"]


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"wechat_public_key": None}, "WECHAT_PUBLIC_KEY"),
        ({"wechat_public_key_id": "KEY_1"}, "WECHAT_PUBLIC_KEY"),
        ({"wechat_public_keys": Path("nowhere")}, "WECHAT_PUBLIC_KEYS"),
        ({"wechat_pay_backup_url": "ftp://api2"}, "WECHAT_PAY_BACKUP_URL"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError) as refused:
        settings(tmp_path, **wrong)

    assert len(refused.value.problems) == 1
    assert named in refused.value.problems[0]


def test_production_wants_the_second_host_over_https_too(tmp_path: Path) -> None:
    problems = settings(tmp_path, wechat_pay_backup_url="http://127.0.0.1:10").production_problems()

    assert "WECHAT_PAY_BACKUP_URL is not https to a public host" in problems
