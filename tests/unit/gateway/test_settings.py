"""Settings: one line, every mistake in it, status 2."""

import subprocess
import sys
from pathlib import Path

import pytest

from foundation.settings import SettingsError, load
from front_gateway.settings import Settings, mistakes

ROOT = Path(__file__).parents[3]


@pytest.fixture
def good(tmp_path: Path) -> dict[str, str]:
    pem = tmp_path / "some.pem"
    pem.write_text("", encoding="ascii")
    names = (
        "SERVER_CERT",
        "SERVER_KEY",
        "CLIENT_ROOT",
        "HIS_CERT",
        "HIS_KEY",
        "HIS_ROOT",
        "CITY_CERT",
        "CITY_KEY",
        "CITY_ROOT",
    )
    return {
        **dict.fromkeys(names, str(pem)),
        "HIS_URL": "https://his.example:8400",
        "CITY_URL": "https://city.example",
        "AUDIT_FOLDER": str(tmp_path),
    }


def test_good_settings_have_no_mistakes(good: dict[str, str]) -> None:
    assert mistakes(load(Settings, good)) == []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("HIS_URL", "http://his.example", "HIS_URL is plain http, which only loopback may be"),
        ("CITY_URL", "http://10.0.0.1", "CITY_URL is plain http"),
        ("HIS_URL", "ftp://his.example", "HIS_URL is malformed"),
        ("HIS_URL", "https://user:pw@his.example", "HIS_URL is malformed"),
        ("HIS_URL", "https://his.example/?x=1", "HIS_URL is malformed"),
        ("HIS_URL", "https://his.example:port", "HIS_URL is malformed"),
        ("HIS_CERT", "", "HIS_CERT is missing (HIS_URL is https)"),
        ("HIS_KEY", "/nowhere/key.pem", "HIS_KEY names no file"),
        ("WHITELIST", "/nowhere/list.toml", "WHITELIST names no file"),
        ("AUDIT_FOLDER", "/nowhere", "AUDIT_FOLDER names no folder"),
        ("GATEWAY_NAME", "../a", "GATEWAY_NAME is malformed"),
        ("PORT", "70000", "PORT is malformed"),
        ("PACS_URL", "http://pacs.example/dicom-web", "PACS_URL is plain http"),
        ("PACS_URL", "https://pacs.example/dicom-web", "PACS_ROOT is missing (PACS_URL is https)"),
        ("PACS_ROOT", "/nowhere/root.pem", "PACS_ROOT names no file"),
        ("LIS_IDENTITY", "spiffe://hospital/lis", "LIS_IDENTITY is set, but LIS_URL is plain MLLP"),
    ],
)
def test_a_mistake_names_the_setting(good: dict[str, str], name: str, value: str, said: str) -> None:
    assert any(
        said in one
        for one in mistakes(load(Settings, {**good, "LIS_URL": "mllp://127.0.0.1:2575", name: value}))
    )


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8090/fhir", "http://localhost:8090", "http://[::1]:1/fhir"]
)
def test_plain_http_is_for_this_machine(good: dict[str, str], url: str) -> None:
    assert mistakes(load(Settings, {**good, "HIS_URL": url})) == []


@pytest.mark.parametrize("name", ["HIS_URL", "CITY_URL"])
def test_production_refuses_plain_http_even_on_this_machine(good: dict[str, str], name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is plain http, which ENV=production refuses"):
        load(Settings, {**good, name: "http://127.0.0.1:8090/fhir", "ENV": "production"})


def started(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "front_gateway"], env={"PYTHONPATH": str(ROOT), **environment}, capture_output=True,
        text=True, timeout=30, check=False,
    )  # fmt: skip


def test_a_process_without_settings_says_so_in_one_line_and_ends_with_2() -> None:
    ended = started({})

    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "HIS_URL is missing" in ended.stderr


def test_a_whitelist_with_mistakes_ends_the_process_with_2(good: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "list.toml").write_text("[callers]\n", encoding="utf-8")

    ended = started({**good, "WHITELIST": str(tmp_path / "list.toml")})

    assert ended.returncode == 2
    assert "callers: the file names none; entry: the file has none" in ended.stderr
