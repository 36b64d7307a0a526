"""Looking in and reading a conversation: what is shown of persons, and what stands in the trail; a hospital's door of the test's own."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.server import Listener, Reader, TlsFiles, in_background
from simulators.supervision.settings import read
from tests.unit.supervision_platform import certificates
from tests.unit.supervision_platform.at_the_console import (
    ORDER,
    SECOND,
    figures,
    lines,
    send_a_visit,
    signed_in,
)
from tests.unit.supervision_platform.conftest import Running, environment_in, start
from tests.unit.supervision_platform.sender import Platform

LOOK_IN = "01930000-0000-7000-8000-00000000c001"
AT = "2026-11-22T09:03:00+08:00"
CHAT = [
    {"sequence": 1, "at": AT, "sender": "patient", "kind": "text", "text": "我是王小丽，电话19900000001"},
    {"sequence": 2, "at": AT, "sender": "doctor", "kind": "text", "text": "小丽您好，血压多少？"},
]
GOOD: "Answers" = {
    "open-look-in": (200, {"look_in_id": LOOK_IN, "ends_at": "2026-11-22T10:00:00+08:00"}),
    "end-look-in": (200, {}),
    "read-chat": (200, {"lines": CHAT, "more": False}),
}
NO = (404, {"code": "not_found", "detail": "没有找到该次问诊"})
Answers = dict[str, tuple[int, dict[str, Any]]]


@pytest.fixture(scope="module")
def hospital() -> Answers:
    return {}


@pytest.fixture(scope="module")
def system(
    tmp_path_factory: pytest.TempPathFactory, tls: certificates.Files, hospital: Answers
) -> Iterator[Running]:
    async def answer(request: Request) -> Response:
        status, body = hospital[request.path_params["operation"]]
        return JSONResponse(body, status)

    files = TlsFiles(certificate=tls.server, key=tls.server_key, authority=tls.authority)
    app = Starlette(routes=[Route("/supervision/v1/{operation}", answer, methods=["POST"])])
    with in_background([Listener(app, "127.0.0.1", 0, files)]) as [base]:
        environment = environment_in(tmp_path_factory.mktemp("looking"), tls) | {
            "SUPERVISION_HOSPITAL_URLS": base, "SUPERVISION_HOSPITAL_CERT": str(tls.client),
            "SUPERVISION_HOSPITAL_KEY": str(tls.client_key), "SUPERVISION_HOSPITAL_CA": str(tls.authority),
        }  # fmt: skip
        yield from start(read(Reader(environment)))


@pytest.fixture
def platform(system: Running, hospital: Answers) -> Platform:
    hospital |= GOOD
    empty = dataclasses.replace(system.emptied(), path="/shanghai/api")
    send_a_visit(empty)
    return empty


@pytest.fixture
def browser(platform: Platform) -> Iterator[httpx.Client]:
    with signed_in(platform) as client:
        yield client


def told(browser: httpx.Client) -> list[tuple[object, object]]:
    """(action, subject) of the trail, without looks at pages."""
    return [
        (one["action"], one["subject"]) for one in lines(browser) if not str(one["action"]).endswith("view")
    ]


def test_a_conversation_is_shown_without_its_persons(browser: httpx.Client) -> None:
    page = browser.post("/visits/V-1/chat", data=ORDER)

    assert "我是王*，电话199****0001" in page.text
    assert "**您好，血压多少？" in page.text
    assert "小丽" not in page.text
    assert told(browser) == [("chat.read", "visit V-1")]


def test_under_an_open_reveal_it_is_shown_in_the_clear_and_counted(
    browser: httpx.Client, platform: Platform
) -> None:
    reveal = browser.post("/visits/V-1/reveals", data=ORDER).url.path
    with signed_in(platform, SECOND) as second:
        second.post(f"{reveal}/decision", data={"decision": "grant"})
        assert "小丽" not in second.post("/visits/V-1/chat", data=ORDER).text

    page = browser.post("/visits/V-1/chat", data=ORDER)

    assert "我是王小丽，电话19900000001" in page.text
    assert ("reveal.chat", "visit V-1") in told(browser)
    assert figures(browser.get("/concerns").text)["未脱敏查看"][0] == "1次"
    assert "查阅未脱敏的文字记录" in browser.get(reveal).text
    platform.move_clock(15 * 60 + 1)
    assert "小丽" not in browser.post("/visits/V-1/chat", data=ORDER).text


def test_a_look_in_is_in_the_trail_from_its_beginning_to_its_end(browser: httpx.Client) -> None:
    browser.post("/visits/V-1/look-in", data=ORDER)
    browser.post(f"/look-ins/{LOOK_IN}/end")

    assert told(browser) == [("look-in.open", "visit V-1"), ("look-in.end", "visit V-1")]


@pytest.mark.parametrize(
    ("form", "operation", "action"),
    [("look-in", "open-look-in", "look-in.refused"), ("chat", "read-chat", "chat.refused")],
)
def test_what_the_hospital_refuses_is_in_the_trail_with_its_reason(
    browser: httpx.Client, hospital: Answers, form: str, operation: str, action: str
) -> None:
    hospital[operation] = NO

    page = browser.post(f"/visits/V-1/{form}", data=ORDER)

    assert page.status_code == 404
    assert "没有找到该次问诊" in page.text
    assert told(browser) == [(action, "visit V-1")]
    assert "没有找到该次问诊" in browser.get("/trail").text


def test_an_end_that_the_hospital_refuses_is_no_end(browser: httpx.Client, hospital: Answers) -> None:
    hospital["end-look-in"] = NO

    assert browser.post(f"/look-ins/{LOOK_IN}/end").status_code == 404
    assert told(browser) == []
