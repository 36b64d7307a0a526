"""LIS and RIS, as our simulator plays them, for a gateway and for a test that speaks MLLP by hand."""

import contextlib
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.contract.hospitals import WORLD, environment
from tests.contract.started import free_port, running

SAMPLES = Path(__file__).parent / "samples" / "hl7"


@dataclass(frozen=True)
class Laboratory:
    """`port` speaks MLLP, `control` is the tester's."""

    port: int
    control: httpx.Client

    @property
    def url(self) -> str:
        """For LIS_URL and RIS_URL."""
        return f"mllp://127.0.0.1:{self.port}"

    def faults(self, **wished: Any) -> None:
        """Exactly these, from now on."""
        assert self.control.put("/_test/faults", json=wished).status_code == 200

    def plant(self, number: str, **report: Any) -> None:
        """A result of somebody; the rest as the world's files have it."""
        usual: dict[str, Any] = {
            "panel": "t",
            "name": "试验项目",
            "category": "lab",
            "conclusion": "",
            "items": [],
        }
        planted = self.control.put("/_test/reports", json={"number": number, "report": usual | report})
        assert planted.status_code == 201, planted.text

    def push(self, **wish: Any) -> dict[str, str]:
        """What was acknowledged."""
        answer = self.control.post("/_test/push", json=wish)
        assert answer.status_code == 200, answer.text
        said: dict[str, str] = answer.json()
        return said

    def orders(self) -> list[dict[str, str]]:
        """Every item that was ordered."""
        found: list[dict[str, str]] = self.control.get("/_test/orders").json()
        return found


@contextlib.contextmanager
def laboratory(folder: Path, send_to: str = "") -> Iterator[Laboratory]:
    """The simulator as a process."""
    port, health = free_port(), free_port()
    env = environment(
        PORT=str(port),
        HEALTH_PORT=str(health),
        LISRIS_WORLD=str(WORLD),
        LISRIS_DATA=str(folder),
        LISRIS_SEND_TO=send_to,
    )
    command = [sys.executable, "-m", "simulators", "lis_ris"]
    with (
        running(command, port=health, folder=folder, env=env, name="lis_ris"),
        httpx.Client(base_url=f"http://127.0.0.1:{health}", timeout=10) as control,
    ):
        yield Laboratory(port, control)


def exchanged(port: int, message: bytes) -> bytes:
    """Send one message by hand; the answer, without its frame."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(b"\x0b" + message + b"\x1c\r")
        got = b""
        while not got.endswith(b"\x1c\r"):
            piece = line.recv(65_536)
            if not piece:
                break
            got += piece
    return got.removeprefix(b"\x0b").removesuffix(b"\x1c\r")
