import hashlib
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from standalone.people import make_world
from standalone.people.demo import add_months, last_day_back
from tests.unit.people.conftest import TODAY, ReadFile

FILES = (
    *("hospital", "departments", "staff", "residents", "identity", "phones"),
    *("ca_holders", "drugs", "demo", "canaries", "load_patients", "insured", "imaging", "world"),
)


def test_every_promised_file_is_written_and_described(world: Path, read: ReadFile) -> None:
    assert sorted(path.name for path in world.iterdir()) == sorted(f"{name}.json" for name in FILES)
    about = read("world.json")
    assert (about["seed"], about["size"], about["made_on"], about["demo"]) == (7, "s", "2026-11-22", True)
    for name, digest in about["files"].items():
        assert hashlib.sha256((world / name).read_bytes()).hexdigest() == digest


def test_the_same_seed_size_and_day_give_the_same_bytes(world: Path, tmp_path: Path) -> None:
    make_world(tmp_path, "s", 7, today=TODAY)

    for path in world.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name


def test_another_process_makes_the_same_bytes(world: Path, tmp_path: Path) -> None:
    """Nothing hangs on the order of a set or a dictionary's hash."""
    command = [sys.executable, "-m", "standalone.people", "--out", str(tmp_path), "--size", "s"]

    subprocess.run([*command, "--seed", "7", "--today", str(TODAY)], check=True, capture_output=True)

    assert (world / "world.json").read_bytes() == (tmp_path / "world.json").read_bytes()


def test_another_seed_gives_other_people(read: ReadFile, tmp_path: Path) -> None:
    make_world(tmp_path, "s", 8, today=TODAY)

    assert (tmp_path / "residents.json").read_text() != "".join(map(str, read("residents.json")))
    assert (
        read("world.json")["files"]["staff.json"]
        != hashlib.sha256((tmp_path / "staff.json").read_bytes()).hexdigest()
    )


def test_an_unknown_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="size"):
        make_world(tmp_path, "xxl", today=TODAY)


def test_a_folder_that_cannot_be_made_is_one_line_and_exit_2(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    done = subprocess.run(
        [sys.executable, "-m", "standalone.people", "--out", str(tmp_path / "file" / "x")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


@pytest.mark.parametrize(
    "today", [date(2024, 2, 29), date(2024, 3, 1), date(2024, 3, 31), date(2026, 1, 1), date(2026, 12, 31)]
)
def test_a_world_can_be_made_on_any_day(today: date, tmp_path: Path) -> None:
    make_world(tmp_path, "s", 1, today=today)

    assert add_months(last_day_back(today), 1) >= today
