import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulators.courier.app import create_app, declared_faults
from simulators.courier.settings import read
from simulators.server import Clock, Listener, Reader, in_background
from tests.unit.signed_calls import KEY, SECRET, call

CALLBACK_KEY = "callback-key-of-a-test"
CALLBACK_SECRET = "callback-secret-of-a-test"


@dataclass
class Heard:
    """One callback as it came over the wire."""

    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """The sender's side: hears callbacks and answers what the test wants."""

    url: str
    heard: list[Heard] = field(default_factory=list)
    answer: int = 204

    def wait_for(self, count: int, seconds: float = 5) -> list[Heard]:
        """The first `count` callbacks; fails when they do not come in time."""
        wait_until(lambda: len(self.heard) >= count, seconds)
        return self.heard[:count]


def wait_until(condition: Callable[[], Any], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.heard.append(Heard(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(found.answer)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Receiver(f"http://127.0.0.1:{server.server_address[1]}/callbacks/courier?from=%E5%BF%AB")
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {
        "ENV": "test",
        "COURIER_DATA": str(tmp_path / "data"),
        "COURIER_APP_KEY": KEY,
        "COURIER_SECRET": SECRET,
        "COURIER_CALLBACK_KEY": CALLBACK_KEY,
        "COURIER_CALLBACK_SECRET": CALLBACK_SECRET,
    }


@pytest.fixture
def service(environment: dict[str, str]) -> Iterator[str]:
    app = create_app(read(Reader(environment)), Clock(), declared_faults())
    with in_background([Listener(app, "127.0.0.1", 0)]) as (base,):
        yield base


def order(callback_url: str, number: str = "D20261122-1", **change: Any) -> dict[str, Any]:
    return {
        "order_number": number,
        "sender": {"name": "演示医院药房", "phone": "19900001000", "address": "上海市嘉定区南翔镇演示路1号"},
        "receiver": {"name": "张小明", "phone": "19900002000", "address": "上海市嘉定区马陆镇演示路2号"},
        "goods": [{"name": "硝苯地平控释片 30mg×7片", "quantity": 2}],
        "callback_url": callback_url,
        **change,
    }


def ship(base: str, receiver: Receiver, number: str = "D20261122-1") -> str:
    """The waybill of a new parcel, whose first callback has been heard."""
    before = len(receiver.heard)
    answer = call(base, "POST", "/v1/shipments", order(receiver.url, number))
    assert answer.status_code == 201
    receiver.wait_for(before + 1)
    return str(answer.json()["waybill"])


def move(base: str, waybill: str, status: str, **more: str) -> httpx.Response:
    url = f"{base}/operator/shipments/{waybill}/events"
    return httpx.post(url, json={"status": status, **more}, trust_env=False, verify=False)
