"""A customer of identity, CA and courier, written from docs/counterparts.md alone."""

import hashlib
import hmac
import json
import time
from typing import Any

import httpx

KEY = "app-key-of-a-test"
SECRET = "secret-of-a-test"


def sign(secret: str, method: str, target: str, timestamp: int, body: bytes) -> str:
    text = f"{method}\n{target}\n{timestamp}\n{hashlib.sha256(body).hexdigest()}"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def call(
    base: str,
    method: str,
    target: str,
    body: Any = None,
    *,
    key: str = KEY,
    secret: str = SECRET,
    seconds_off: float = 0,
) -> httpx.Response:
    """A signed request; `body` is sent as it is when it is bytes, as JSON otherwise."""
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    timestamp = int(time.time() + seconds_off)
    headers: dict[bytes, bytes] = {
        b"X-App-Key": key.encode(),
        b"X-Timestamp": str(timestamp).encode(),
        b"X-Signature": sign(secret, method, target, timestamp, raw).encode(),
        b"Content-Type": b"application/json",
    }
    return httpx.request(method, base + target, content=raw, headers=headers, trust_env=False, verify=False)


def faults(base: str, **values: object) -> None:
    """Set exactly these faults."""
    assert httpx.put(f"{base}/_test/faults", json=values, trust_env=False, verify=False).status_code == 200


def move_clock(base: str, seconds: float) -> None:
    """Set the service's clock to the machine's plus `seconds`."""
    answer = httpx.post(
        f"{base}/_test/clock", json={"offset_seconds": seconds}, trust_env=False, verify=False
    )
    assert answer.status_code == 200
