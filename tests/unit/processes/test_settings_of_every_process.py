"""Every process says in one line which setting is missing or malformed, and exits with 2."""

import os
import subprocess
import sys

import pytest

COMMANDS = {
    "api": ("backend", "api"),
    "worker": ("backend", "worker"),
    "media": ("backend", "media"),
    "migrate": ("backend", "migrate"),
    "gateway": ("front_gateway",),
    "adapter": ("regulator_adapter",),
    "front": ("miniapp_mock", "front"),
    "wechat": ("miniapp_mock", "wechat"),
    "his": ("simulators", "his"),
    "supervision": ("simulators", "supervision"),
    "courier": ("simulators", "courier"),
    "identity": ("simulators", "identity"),
    "ca": ("simulators", "ca"),
}


def start(name: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a process with nothing but these variables."""
    package, *arguments = COMMANDS[name]
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    return subprocess.run(
        [sys.executable, "-m", package, *arguments], env={**kept, **environment}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_a_missing_setting_is_named_in_one_line(name: str) -> None:
    ended = start(name)

    assert ended.returncode == 2
    assert len(ended.stderr.strip().splitlines()) == 1
    assert any(word.isupper() and "_" in word for word in ended.stderr.replace(",", " ").split())


@pytest.mark.parametrize("name", ["api", "worker", "media", "gateway", "adapter", "front"])
def test_a_malformed_setting_is_named_in_one_line(name: str) -> None:
    ended = start(name, PORT="eighty")

    assert ended.returncode == 2
    assert len(ended.stderr.strip().splitlines()) == 1
    assert "PORT" in ended.stderr
