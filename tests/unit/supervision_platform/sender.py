"""A tiny sender written from the interface's description, sharing nothing with the platform it tries."""

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

UNIT = "U0001"
KEY = "hospital-key"
SECRET = "00112233445566778899aabbccddeeff"
IV = "0f0e0d0c0b0a09080706050403020100"
ORGAN = "12310114MB0000001X"
SERVICES = {
    "/openapi/api": "his.provinceDataUploadService",
    "/shanghai/api": "sh.internetHospitalSupervision",
}


def sm3(data: bytes) -> str:
    context = hashes.Hash(hashes.SM3())
    context.update(data)
    return context.finalize().hex().upper()


def encrypt(plain: bytes, secret: str = SECRET, iv: str = IV) -> bytes:
    padded = plain + b"\x80"
    padded += bytes(-len(padded) % 16)
    encryptor = Cipher(algorithms.SM4(bytes.fromhex(secret)), modes.CBC(bytes.fromhex(iv))).encryptor()
    return (encryptor.update(padded) + encryptor.finalize()).hex().encode()


def signed(service: str, method: str, body: bytes, **changes: str) -> dict[str, str]:
    """Headers for a body; `changes` (x_ca_nonce=…) are made before signing."""
    values = {
        "x-ca-key": KEY,
        "x-ca-nonce": str(uuid.uuid4()),
        "x-ca-timestamp": str(int(time.time() * 1000)),
        "x-content-md5": sm3(body),
        "x-service-id": service,
        "x-service-method": method,
    } | {name.replace("_", "-"): value for name, value in changes.items()}
    text = "&".join(f"{name}:{values[name]}" for name in sorted(values))
    return values | {"x-ca-signature": sm3(text.encode()), "content-type": "application/json"}


def to_json(records: Any) -> bytes:
    """UTF-8; half a surrogate pair can travel as an escape only."""
    try:
        return json.dumps(records, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(records).encode()


@dataclass(frozen=True)
class Platform:
    """Where the platform listens; `send` posts records under one path."""

    base: str
    console: str
    path: str = "/openapi/api"
    client: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False), repr=False)

    def send(self, method: str, records: Any, **changes: str) -> dict[str, Any]:
        body = encrypt(to_json(records))
        answer = self.post(body, signed(SERVICES[self.path], method, body, **changes))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def post(self, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        return self.client.post(self.base + self.path, content=body, headers=headers)

    def post_records(self, method: str, records: Any) -> httpx.Response:
        """As `send`, with the whole answer, for senders that go on at the same time."""
        body = encrypt(to_json(records))
        return httpx.post(
            self.base + self.path,
            content=body,
            headers=signed(SERVICES[self.path], method, body),
            trust_env=False,
        )

    def result(self, method: str, records: Any) -> tuple[int, str]:
        """Inner code and message."""
        answer = self.send(method, records)
        assert answer["code"] == 200, answer
        return answer["body"]["msgCode"], answer["body"]["msg"]

    def stored(self, **query: str) -> list[dict[str, Any]]:
        return list(self.client.get(f"{self.console}/_test/records", params=query).json()["records"])

    def summary(self) -> dict[str, Any]:
        return dict(self.client.get(f"{self.console}/_test/summary").json())

    def alerts(self) -> list[str]:
        rows = self.client.get(f"{self.console}/_test/alerts").json()["alerts"]
        return [row["rule"] for row in rows]

    def faults(self, **faults: Any) -> None:
        self.client.put(f"{self.console}/_test/faults", json=faults).raise_for_status()

    def move_clock(self, seconds: float) -> None:
        body = {"offset_seconds": seconds}
        self.client.post(f"{self.console}/_test/clock", json=body).raise_for_status()
