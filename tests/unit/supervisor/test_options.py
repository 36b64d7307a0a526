"""What a caller may say by variables, and how wrong ones are refused."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from standalone.doctor import examine
from standalone.options import read
from standalone.processes import DOORS, PROCESSES, ROOT_DOOR, ports


def test_nothing_said_is_the_default() -> None:
    options = read({})

    assert (str(options.data), options.port_base, options.size, options.demo) == (".data", 8000, "m", True)


@pytest.mark.parametrize("wrong", [
    {"PORT_BASE": "80"}, {"PORT_BASE": "65400"}, {"PORT_BASE": "x"}, {"SIZE": "xxl"}, {"DEMO": "no"},
    {"ENV": "production"},
])  # fmt: skip
def test_a_wrong_variable_is_named(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        read(wrong)


def test_a_wrong_variable_is_one_line_and_status_two(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "standalone", "doctor"],
        env=os.environ | {"SIZE": "xxl", "DATA": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 2
    assert done.stderr == "settings: SIZE is 'xxl': expected s or m or l or xl\n"


def test_the_doctor_names_the_port_that_is_taken(tmp_path: Path, port_base: int) -> None:
    with socket.create_server(("127.0.0.1", port_base + 100)):
        checks = list(examine(read({"DATA": str(tmp_path), "PORT_BASE": str(port_base)})))

    (ports,) = (check for check in checks if "taken" in check.says)
    assert f"{port_base + 100} taken" in ports.says
    assert ports.fatal
    assert not ports.good


def test_no_two_processes_share_a_port() -> None:
    listeners = [p.offset for p in PROCESSES] + [p.health for p in PROCESSES if p.health is not None]
    listeners += [p.inspection for p in PROCESSES if p.inspection is not None]
    listeners += [p.pushed for p in PROCESSES if p.pushed is not None]

    assert len(listeners) + 2 == len(set(listeners)) + 2 == len(ports(8000))
    assert not {8000 + offset for offset in (*DOORS.values(), ROOT_DOOR)} & set(ports(8000))
