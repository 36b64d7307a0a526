"""Every process says in one line which setting is missing or malformed, and exits with 2."""

import os
import subprocess
import sys

import pytest

from standalone.processes import PROCESSES

TWINS = {"media-b", "gateway-b"}
DOUBLES = {one.name for one in PROCESSES if one.package == "simulators"} | {"wechat"}
PACKAGES = {one.name: (one.package, *one.arguments) for one in PROCESSES if one.name not in TWINS}
COMMANDS = {**PACKAGES, "migrate": ("backend", "migrate")}


def start(name: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a process with nothing but these variables."""
    package, *arguments = COMMANDS[name]
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    return subprocess.run(
        [sys.executable, "-m", package, *arguments], env={**kept, **environment}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_missing_and_what_is_malformed_are_named_in_one_line(name: str) -> None:
    ended = start(name, PORT="eighty")

    assert ended.returncode == 2
    assert len(ended.stderr.strip().splitlines()) == 1
    words = ended.stderr.replace(",", " ").split()
    lacking = any(word.isupper() and "_" in word for word in words)
    if name in DOUBLES:  # they stop at the first
        assert lacking or "PORT" in words
    else:
        assert lacking
        assert "PORT" in words
