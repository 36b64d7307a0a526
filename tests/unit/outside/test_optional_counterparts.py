"""An optional counterpart is whole or absent: an address alone would fail at the first patient instead of at the start."""

import ast
from pathlib import Path

import pytest

from backend import settings as module
from foundation.settings import SettingsError
from tests.builders.settings import settings

WHOLE = {"sms_url": "http://127.0.0.1:9", "sms_app_key": "key", "sms_secret": "secret"}


@pytest.mark.parametrize("missing", ["sms_app_key", "sms_secret"])
def test_text_messages_need_key_and_secret(tmp_path: Path, missing: str) -> None:
    with pytest.raises(SettingsError) as refused:
        settings(tmp_path, **WHOLE | {missing: ""})

    assert refused.value.problems == [f"{missing.upper()} is missing"]


def test_everything_wrong_with_them_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        settings(tmp_path, sms_url="ftp://127.0.0.1")

    assert refused.value.problems == [
        "SMS_APP_KEY is missing", "SMS_SECRET is missing", "SMS_URL is malformed: not http or https",
    ]  # fmt: skip


def test_whole_or_absent_they_are_taken(tmp_path: Path) -> None:
    assert settings(tmp_path).sms_url == ""
    assert settings(tmp_path, **WHOLE).sms_url == WHOLE["sms_url"]


def test_every_check_of_the_settings_is_made() -> None:
    """One was written and never called."""

    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    methods = {
        one.name
        for one in ast.walk(tree)
        if isinstance(one, ast.FunctionDef) and one.name.startswith("_") and not one.name.startswith("__")
    }
    used = {one.attr for one in ast.walk(tree) if isinstance(one, ast.Attribute)}
    called = used | {one.id for one in ast.walk(tree) if isinstance(one, ast.Name)}

    assert methods <= called
