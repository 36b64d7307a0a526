import hashlib
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from simulators.ca.app import create_app, declared_faults
from simulators.ca.holders import load
from simulators.ca.settings import read
from simulators.server import Clock, Listener, Reader, in_background
from tests.unit.signed_calls import KEY, SECRET, call

Openssl = Callable[..., "subprocess.CompletedProcess[bytes]"]


def holders(count: int) -> list[dict[str, str]]:
    return [
        {
            "holder": f"doctor-{number}",
            "name": f"演示医师{number}",
            "id_number_digest": hashlib.sha256(str(number).encode()).hexdigest(),
            "kind": "doctor",
            "pin": f"{number:06d}",
        }
        for number in range(1, count + 1)
    ]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    world = tmp_path / "ca_holders.json"
    world.write_text(json.dumps(holders(36), ensure_ascii=False), encoding="utf-8")
    return {
        "ENV": "test",
        "CA_WORLD": str(world),
        "CA_DATA": str(tmp_path / "data"),
        "CA_APP_KEY": KEY,
        "CA_SECRET": SECRET,
        "CA_PUBLIC_URL": "http://127.0.0.1:8440",
    }


@pytest.fixture
def service(environment: dict[str, str]) -> Iterator[str]:
    settings = read(Reader(environment))
    app = create_app(settings, load(settings.world), Clock(), declared_faults())
    with in_background([Listener(app, "127.0.0.1", 0)]) as (base,):
        yield base


@pytest.fixture
def session(service: str) -> str:
    """A session of doctor-1."""
    answer = call(service, "POST", "/v1/sessions", {"holder": "doctor-1", "pin": "000001", "seconds": 3600})
    assert answer.status_code == 201
    return str(answer.json()["session"])


@pytest.fixture
def openssl(tmp_path: Path) -> Openssl:
    """Runs openssl in the test's folder; paths may be relative to it."""

    def run(*arguments: str) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(["openssl", *arguments], cwd=tmp_path, capture_output=True, check=False)

    return run
