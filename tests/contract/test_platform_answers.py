"""What the platform answers to good and bad envelopes, and what the adapter makes of it; samples/supervision/answers has both."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from foundation.clock import Clock
from foundation.suites.secret_keys import KeyInMemory, secret_key
from foundation.tls import client_context
from regulator_adapter import profiles
from regulator_adapter.city_wire import Credentials, Message, seal
from regulator_adapter.replies import read
from standalone.certificates import Certificates
from tests.contract import platforms
from tests.contract.platforms import ACCESS, SAMPLES

ANSWERS = SAMPLES / "answers"
CREDENTIALS = Credentials(ACCESS["APP_KEY"], secret_key(ACCESS["APP_SECRET"]), bytes.fromhex(ACCESS["IV"]))


@dataclass(frozen=True)
class Posted:
    """One envelope on its way: everything about it may be spoilt."""

    records: list[dict[str, Any]]
    method: str = "uploadRealName"
    profile: str = "shanghai"
    credentials: Credentials = CREDENTIALS
    age_millis: int = 0
    spoil: Callable[[dict[str, str]], dict[str, str]] = lambda headers: headers

    def message(self) -> tuple[str, Message]:
        """Path and sealed request."""
        profile = profiles.profile(self.profile)
        millis = int(Clock().now().timestamp() * 1000) - self.age_millis
        message = seal(
            self.records,
            self.credentials,
            service=profile.service,
            method=self.method,
            nonce=uuid4(),
            millis=millis,
        )
        return profile.path, Message(self.spoil(dict(message.headers)), message.body, message.digest)


def real_name(**changes: Any) -> dict[str, Any]:
    """The sample record, changed."""
    [place] = (SAMPLES / "uploadRealName").glob("1-*-request.json")
    record: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))["record"]
    return {name: value for name, value in (record | changes).items() if value is not None}


def other_key(key: str = "", secret: bytes = b"") -> Credentials:
    """Somebody else's credentials."""
    return Credentials(
        key or CREDENTIALS.app_key, KeyInMemory(secret) if secret else CREDENTIALS.key, CREDENTIALS.iv
    )


CASES = {
    "1-accepted": Posted([real_name()]),
    "2-missing-fields": Posted([real_name(eventId="e-2", name=None, certNo=" ")]),
    "3-unknown-code": Posted([real_name(eventId="e-3", authMethod="7")]),
    "4-unknown-field": Posted([real_name(eventId="e-4", colour="red")]),
    "5-empty-list": Posted([]),
    "6-unknown-key": Posted([real_name()], credentials=other_key(key="nobody")),
    "7-wrong-secret": Posted([real_name()], credentials=other_key(secret=b"z" * 16)),
    "8-signature-wrong": Posted([real_name()], spoil=lambda headers: headers | {"X-Ca-Nonce": str(uuid4())}),
    "9-too-old": Posted([real_name()], age_millis=301_000),
    "10-no-time-stamp": Posted([real_name()], spoil=lambda headers: headers | {"X-Ca-Timestamp": "soon"}),
}


@pytest.fixture(scope="module")
def platform_client(
    tmp_path_factory: pytest.TempPathFactory, certificates: Certificates
) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("answers")
    pair = certificates.platform["gateway-a"]
    tls = client_context(pair.certificate, pair.key, certificates.platform.root)
    with (
        platforms.platform(folder, certificates) as city,
        httpx.Client(base_url=city.url, verify=tls, timeout=20) as client,
    ):
        yield client


def sample(case: str) -> dict[str, Any]:
    [place] = ANSWERS.glob(f"{case}-response-*.json")
    found: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    return found | {"status": int(place.stem.rsplit("-", 1)[1])}


@pytest.mark.parametrize("case", CASES)
def test_the_platform_answers_as_the_sample_says(platform_client: httpx.Client, case: str) -> None:
    expected = sample(case)
    path, message = CASES[case].message()

    reply = platform_client.post(path, content=message.body, headers=dict(message.headers))

    assert reply.status_code == expected["status"]
    assert without_times(reply.json()) == without_times(expected["body"])


@pytest.mark.parametrize("case", CASES)
def test_the_adapter_reads_the_sample_as_it_is_meant(case: str) -> None:
    expected = sample(case)

    reply = read(expected["status"], json.dumps(expected["body"]).encode())

    assert reply.meaning.value == expected["meaning"]


def test_every_sample_has_a_case() -> None:
    assert {place.name.rsplit("-response-", 1)[0] for place in ANSWERS.iterdir()} == set(CASES)


def without_times(body: dict[str, Any]) -> dict[str, Any]:
    """Receipt numbers and times differ from day to day; messages in words are the platform's own."""
    text = json.loads(json.dumps(body))
    inner = text.get("body", {})
    for receipt in inner.get("receipts", []):
        receipt["receivedAt"] = receipt["receipt"] = "…"
    if text["code"] != 200:
        text["msg"] = "…"
    if inner.get("msgCode") == -1:
        inner["msg"] = inner["msg"][:4]
    result: dict[str, Any] = text
    return result


def write(folder: Path, client: httpx.Client) -> None:
    """Write what a platform answers now and how it is read; a person looks at the diff."""
    folder.mkdir(parents=True, exist_ok=True)
    for case, posted in CASES.items():
        path, message = posted.message()
        reply = client.post(path, content=message.body, headers=dict(message.headers))
        content = {"meaning": read(reply.status_code, reply.content).meaning.value, "body": reply.json()}
        place = folder / f"{case}-response-{reply.status_code}.json"
        place.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
