"""The media process as it runs for real, and the tickets that the API would write."""

import contextlib
import hashlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import UUID

import redis

from standalone.stores import StoreUrls

HOSPITAL_ID = UUID("01900000-0000-7000-8000-000000000001")
ROOT = Path(__file__).parents[3]
DESK = "http://desk.example"
RUN = "import sys; from backend.media import main; sys.exit(main())"


def free_port() -> int:
    """A port of the kernel's choice, free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(urls: StoreUrls, folder: Path, port: int, front_url: str) -> dict[str, str]:
    """Settings of one media process."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "ENV": "test",
        "PORT": str(port),
        "DATABASE_URL": urls.database,
        "REDIS_URL": urls.redis,
        "FRONT_URL": front_url,
        "API_URL": DESK,
        "OBJECT_FOLDER": str(folder),
        "FIELD_KEYS": "t1:" + (b"k" * 32).hex(),
        "FIELD_KEY_CURRENT": "t1",
        "INDEX_KEY": (b"i" * 32).hex(),
        "HOSPITAL_ID": str(HOSPITAL_ID),
        "MEDIA_BIND": "127.0.0.1",
    }


@contextlib.contextmanager
def media_process(
    settings: Mapping[str, str], log: Path, *, host: str = "127.0.0.1"
) -> Iterator["subprocess.Popen[bytes]"]:
    """Runs until the block ends; ready when it begins. Killed when it does not stop by itself."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", RUN], cwd=ROOT, env=dict(settings), stdout=output, stderr=output
        )
    try:
        _wait_ready(process, f"http://{host}:{settings['PORT']}/readyz", log)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_ready(process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(address, timeout=2) as reply:
                reply.read()
            return
        except (urllib.error.URLError, OSError):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)


def ticket(
    urls: StoreUrls,
    encounter_id: UUID,
    participant_id: UUID,
    role: str,
    *,
    purpose: str = "signalling",
    **more: object,
) -> str:
    """A fresh ticket, written as the API writes it (docs/processes.md)."""
    text = secrets.token_urlsafe(24)
    content = {
        "purpose": purpose, "encounter_id": str(encounter_id), "participant_id": str(participant_id), "role": role, "name": "测试",
        "kind": "account" if role == "patient" else "staff", **more,
    }  # fmt: skip
    with redis.Redis.from_url(urls.redis) as client:
        client.set(f"ticket:{hashlib.sha256(text.encode()).hexdigest()}", json.dumps(content), ex=60)
    return text
