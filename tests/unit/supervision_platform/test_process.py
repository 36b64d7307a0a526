"""The real process: started by its command, spoken to over mutual TLS, killed."""

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.unit.supervision_platform.certificates import Files
from tests.unit.supervision_platform.sender import Platform
from tests.unit.supervision_platform.shanghai_records import Hospital


@pytest.fixture
def ready(environment: dict[str, str], tls: Files) -> Iterator[tuple[dict[str, str], Platform]]:
    ports = {name: str(free_port()) for name in ("PORT", "HEALTH_PORT")}
    context = ssl.create_default_context(cafile=str(tls.authority))
    context.load_cert_chain(tls.client, tls.client_key)
    with httpx.Client(verify=context, trust_env=False) as client:
        base, console = f"https://127.0.0.1:{ports['PORT']}", f"http://127.0.0.1:{ports['HEALTH_PORT']}"
        yield {**os.environ, **environment, **ports}, Platform(base, console, "/shanghai/api", client)


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


@contextlib.contextmanager
def started(environment: dict[str, str], platform: Platform) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "simulators", "supervision"], env=environment, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(httpx.TransportError):
                if platform.client.get(f"{platform.console}/healthz").status_code == 200:
                    break
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


def test_what_was_answered_outlives_a_kill(ready: tuple[dict[str, str], Platform]) -> None:
    environment, platform = ready
    hospital = Hospital()
    records = [hospital.booked(f"V-{number}") for number in range(20)]

    with started(environment, platform) as process:
        receipts = [platform.send("uploadBooking", [one])["body"]["receipts"][0] for one in records]
        process.kill()
        process.wait()
    with started(environment, platform):
        again = [platform.send("uploadBooking", [one])["body"]["receipts"][0] for one in records]
        stored = platform.stored(method="uploadBooking")

    assert again == [one | {"duplicate": True} for one in receipts]
    assert [row["event_id"] for row in stored] == [one["eventId"] for one in records]


def test_one_event_sent_from_many_sides_at_once_is_kept_once(ready: tuple[dict[str, str], Platform]) -> None:
    environment, platform = ready
    booked = Hospital().booked()

    with started(environment, platform), ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: platform.send("uploadBooking", [booked]), range(24)))
        stored = platform.stored()

    receipts = [answer["body"]["receipts"][0] for answer in answers]
    assert len({one["receipt"] for one in receipts}) == 1
    assert [one["duplicate"] for one in receipts].count(False) == 1
    assert len(stored) == 1


def test_it_stops_cleanly_when_asked(ready: tuple[dict[str, str], Platform]) -> None:
    environment, platform = ready

    with started(environment, platform) as process:
        process.send_signal(signal.SIGTERM)

        assert process.wait(timeout=20) == 0
