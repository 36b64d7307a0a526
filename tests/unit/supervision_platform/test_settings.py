import subprocess
import sys

import pytest

from simulators.server import Reader, SettingError
from simulators.supervision.settings import read


@pytest.mark.parametrize(
    "name",
    ["SUPERVISION_TLS_CERT", "SUPERVISION_TLS_CA", "SUPERVISION_DATA", "SUPERVISION_WORLD", "SUPERVISION_UNIT_ID",
     "SUPERVISION_APP_KEY", "SUPERVISION_APP_SECRET", "SUPERVISION_IV"],
)  # fmt: skip
def test_a_missing_setting_is_named(environment: dict[str, str], name: str) -> None:
    del environment[name]

    with pytest.raises(SettingError, match=name):
        read(Reader(environment))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SUPERVISION_APP_SECRET", "abc"),
        ("SUPERVISION_IV", "g" * 32),
        ("SUPERVISION_DEPENDENCIES", "some"),
        ("SUPERVISION_QUOTA", "yes"),
        ("SUPERVISION_FRESHNESS_SECONDS", "0"),
    ],
)
def test_a_malformed_setting_is_named(environment: dict[str, str], name: str, value: str) -> None:
    with pytest.raises(SettingError, match=name):
        read(Reader(environment | {name: value}))


@pytest.mark.parametrize(
    ("file", "content"), [("hospital.json", "{"), ("hospital.json", "{}"), ("demo.json", "{}")]
)
def test_a_world_that_lacks_something_is_named(environment: dict[str, str], file: str, content: str) -> None:
    from pathlib import Path

    (Path(environment["SUPERVISION_WORLD"]) / file).write_text(content, encoding="utf-8")

    with pytest.raises(SettingError, match="SUPERVISION_WORLD"):
        read(Reader(environment))


def test_secrets_are_not_shown(environment: dict[str, str]) -> None:
    text = repr(read(Reader(environment)))

    assert "correct-horse" not in text
    assert str(bytes.fromhex(environment["SUPERVISION_APP_SECRET"])) not in text


def test_the_command_says_in_one_line_what_is_missing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "simulators", "supervision"],
        env={"PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr == "SUPERVISION_TLS_CERT is not set\n"
