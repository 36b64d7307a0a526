"""What the commands around a system print, delete and refuse."""

import io
import json
from pathlib import Path

import pyotp
import pytest
from rich.console import Console

from foundation.clock import Clock
from standalone import screen
from standalone.__main__ import main
from standalone.failure import StoreError
from standalone.options import read
from standalone.paths import data_folder
from standalone.people.world import make_world
from standalone.removing import reset


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data"
    make_world(data_folder(folder).world, "s", today=Clock().today())
    monkeypatch.setenv("DATA", str(folder))
    return folder


def test_every_member_of_staff_has_a_one_time_code(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    demo = json.loads((data / "world" / "demo.json").read_text())

    for who, secret in (
        ("doctor01", demo["doctor"]["totp_secret"]),
        ("pharmacist", demo["pharmacist"]["totp_secret"]),
        (demo["doctors"][3]["login"], demo["doctors"][3]["totp_secret"]),
    ):
        assert main(["code", who]) == 0
        assert pyotp.TOTP(secret).verify(capsys.readouterr().out.strip(), valid_window=1)


def test_nobody_has_no_code(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["code", "nobody"]) == 1
    assert "nobody" in capsys.readouterr().err


def test_reset_deletes_a_data_folder(data: Path) -> None:
    reset(read({"DATA": str(data)}), sure=True)

    assert not data.exists()


def test_reset_deletes_no_folder_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ten years of work")

    with pytest.raises(StoreError, match="does not look like a data folder"):
        reset(read({"DATA": str(tmp_path)}), sure=True)

    assert (tmp_path / "thesis.txt").exists()


def test_the_screen_says_how_everybody_signs_in(data: Path) -> None:
    demo = json.loads((data / "world" / "demo.json").read_text())
    console = Console(file=io.StringIO(), width=200)

    console.print(screen.people(demo))

    shown = console.file.getvalue()  # type: ignore[attr-defined]
    doctor = demo["doctor"]
    assert f"{doctor['login']} / {doctor['password']}  PIN {doctor['pin']}" in shown
    assert demo["patient"]["phone"] in shown
    assert "均为生成" in shown
