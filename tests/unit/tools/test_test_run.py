"""What failed beside others is run once more; only what passes alone is forgiven, and it is named."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ONCE = """
from pathlib import Path

def test_fails_once():
    mark = Path(__file__).with_name("was here")
    seen = mark.exists()
    mark.touch()
    assert seen

def test_passes():
    pass
"""
ALWAYS = "def test_fails():\n    assert False\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        [sys.executable, "-m", "tools.test_run", "-q"], cwd=folder, env=environ, capture_output=True, text=True, check=False
    )  # fmt: skip


def test_what_passes_alone_is_named_and_forgiven(folder: Path) -> None:
    (folder / "test_once.py").write_text(ONCE)

    done = run(folder)

    assert done.returncode == 0, done.stdout
    assert done.stdout.rstrip().endswith(
        "UNSTEADY: failed beside others and passed alone:\n  test_once.py::test_fails_once"
    )
    assert (folder / "artefacts/unsteady.txt").read_text() == "test_once.py::test_fails_once\n"


def test_what_fails_again_fails_the_run(folder: Path) -> None:
    (folder / "test_once.py").write_text(ONCE)
    (folder / "test_always.py").write_text(ALWAYS)

    done = run(folder)

    assert done.returncode == 1
    assert "UNSTEADY" not in done.stdout
    assert not (folder / "artefacts/unsteady.txt").exists()


def test_more_than_a_few_are_no_matter_of_chance(folder: Path) -> None:
    for number in range(4):
        (folder / f"test_once_{number}.py").write_text(ONCE.replace("was here", f"was here {number}"))

    done = run(folder)

    assert done.returncode == 1
    assert "once more" not in done.stdout


def test_a_race_is_never_forgiven(folder: Path) -> None:
    (folder / "tests/races").mkdir(parents=True)
    (folder / "tests/races/test_once.py").write_text(ONCE)

    done = run(folder)

    assert done.returncode == 1
    assert "once more" not in done.stdout


def test_a_file_that_cannot_be_read_is_no_matter_of_chance(folder: Path) -> None:
    (folder / "test_broken.py").write_text("import nothing_of_this_name\n")

    done = run(folder)

    assert done.returncode == 2
    assert "once more" not in done.stdout
