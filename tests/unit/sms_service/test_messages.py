"""The stand-in of the text-message company."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.notification.rules import ALL, sms_params
from simulators.server import Clock, Listener, Reader, in_background
from simulators.sms.app import create_app, declared_faults
from simulators.sms.service import NOTICE, TEMPLATES
from simulators.sms.settings import read
from tests.unit.signed_calls import KEY, SECRET, call

MESSAGE: dict[str, Any] = {
    "request_id": "MSG-00001", "phone": "19900000001", "template": "SMS_VISIT_WAITING",
    "params": {"count": "2", "link": "https://example/doctor"},
}  # fmt: skip


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def base(tmp_path: Path, clock: Clock) -> Iterator[str]:
    environment = {"ENV": "test", "SMS_DATA": str(tmp_path), "SMS_APP_KEY": KEY, "SMS_SECRET": SECRET}
    app = create_app(read(Reader(environment)), clock, declared_faults())
    with in_background([Listener(app, "127.0.0.1", 0)]) as (address,):
        yield address


def send(base: str, **changes: Any) -> httpx.Response:
    return call(base, "POST", "/v1/messages", MESSAGE | changes)


def texts(base: str) -> list[str]:
    found = httpx.get(f"{base}/phones/19900000001/messages", trust_env=False).json()
    assert found["notice"] == NOTICE
    return [one["text"] for one in found["messages"]]


def test_a_message_is_taken_and_arrives_a_little_later(base: str, clock: Clock) -> None:
    taken = send(base)
    clock.set_offset(5)

    assert (taken.status_code, taken.json()["status"]) == (201, "accepted")
    assert call(base, "GET", f"/v1/messages/{taken.json()['id']}").json()["status"] == "delivered"
    assert texts(base) == ["【示范医院】有2位患者正在候诊，请登录接诊：https://example/doctor"]


def test_the_same_request_is_the_same_message_and_with_other_content_refused(base: str) -> None:
    first = send(base)

    again, other = send(base), send(base, phone="19900000002")

    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    assert (other.status_code, other.json()["code"]) == (409, "REQUEST_ID_USED")
    assert len(texts(base)) == 1


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"template": "SMS_NONE"}, 422, "UNKNOWN_TEMPLATE"),
        ({"params": {"count": "2"}}, 422, "BAD_PARAMS"),
        ({"phone": "123"}, 400, "BAD_REQUEST"),
        ({"extra": 1}, 400, "BAD_REQUEST"),
    ],
)
def test_what_it_does_not_know_is_refused(base: str, changes: dict[str, Any], status: int, code: str) -> None:
    answer = send(base, **changes)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_message_that_nobody_signed_is_not_taken(base: str) -> None:
    assert httpx.post(f"{base}/v1/messages", json=MESSAGE, trust_env=False).status_code == 401


def test_faults_are_switched_on_and_off(base: str, clock: Clock) -> None:
    httpx.put(f"{base}/_test/faults", json={"undelivered": True}, trust_env=False)
    lost = send(base).json()["id"]
    clock.set_offset(5)
    httpx.put(f"{base}/_test/faults", json={"down": True}, trust_env=False)

    assert send(base).status_code == 503
    httpx.put(f"{base}/_test/faults", json={}, trust_env=False)
    assert call(base, "GET", f"/v1/messages/{lost}").json()["status"] == "undelivered"


def test_the_page_says_that_nothing_is_real_and_masks_numbers(base: str) -> None:
    send(base)

    page = httpx.get(f"{base}/sent", trust_env=False).text

    assert NOTICE in page
    assert "199****0001" in page
    assert "19900000001" not in page


def test_our_templates_are_registered_with_the_same_fields() -> None:
    """Both sides write them down by themselves."""
    for template in ALL:
        text = TEMPLATES[template.sms]
        filled = text.format(**sms_params(template, "LINK", 3))
        assert "LINK" in filled
        assert "{" not in filled
