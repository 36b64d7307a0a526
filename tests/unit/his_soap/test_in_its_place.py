"""`HIS_DIALECT=soap` puts this hospital in the place of the other: the same name, ports and certificates."""

import subprocess
import sys
from pathlib import Path

import pytest

from simulators.his_soap.settings import read
from simulators.server import Reader, SettingError
from standalone.processes import BY_NAME, as_asked

ROOT = Path(__file__).parents[3]
WORLD = ROOT / "tests" / "contract" / "samples" / "his" / "world"


@pytest.mark.parametrize(("dialect", "runs"), [("soap", "his_soap"), ("fhir", "his"), ("", "his")])
def test_the_dialect_says_which_hospital_runs(dialect: str, runs: str) -> None:
    process = as_asked(BY_NAME["his"], {"HIS_DIALECT": dialect})

    assert process.arguments == (runs,)
    assert (process.name, process.offsets) == ("his", BY_NAME["his"].offsets)


def test_no_other_process_changes() -> None:
    assert as_asked(BY_NAME["gateway-a"], {"HIS_DIALECT": "soap"}) is BY_NAME["gateway-a"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"HIS_WORLD": "/nowhere"}, "HIS_WORLD holds no world.json"),
        ({"HOST": "192.0.2.1"}, "HIS_TLS_CERT is not set"),
        ({"HIS_NAMES": "/nowhere"}, "HIS_NAMES names no file"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, more: dict[str, str], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        read(Reader({"HIS_WORLD": str(WORLD), "HIS_DATA": str(tmp_path), **more}))


def test_two_elements_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "names.json").write_text('{"PatientNo": "A", "VisitNo": "A"}', encoding="utf-8")
    given = {"HIS_WORLD": str(WORLD), "HIS_DATA": str(tmp_path), "HIS_NAMES": str(tmp_path / "names.json")}

    with pytest.raises(SettingError, match="the same"):
        read(Reader(given))


def test_a_world_that_cannot_be_read_ends_it_with_2(tmp_path: Path) -> None:
    (tmp_path / "world.json").write_text("{}", encoding="utf-8")
    env = {
        "HIS_WORLD": str(tmp_path), "HIS_DATA": str(tmp_path), "PORT": "0", "HEALTH_PORT": "0", "PYTHONPATH": str(ROOT),
    }  # fmt: skip

    ended = subprocess.run(
        [sys.executable, "-m", "simulators", "his_soap"],
        env=env,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert ended.returncode == 2
    assert "HIS_WORLD cannot be used" in ended.stderr
