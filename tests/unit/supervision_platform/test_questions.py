"""A supervisor's question when the hospital is away, refuses, answers, or answers late: a hospital's door of the test's own."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
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
from tests.unit.supervision_platform.at_the_console import signed_in
from tests.unit.supervision_platform.conftest import Running, environment_in, start
from tests.unit.supervision_platform.shanghai_records import BOY, Hospital

ASKS = {"authority": "沪卫监〔2026〕12号", "words": "为何没有监护人在场的记录？"}
ANSWERED_AT = "2026-11-23T10:00:00+08:00"


@dataclass
class Door:
    """What gateway and hospital would say; `away` stands for both gone."""

    asked: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    away: bool = False
    refuses: bool = False

    async def ask(self, request: Request) -> Response:
        if self.away:
            return JSONResponse({"code": "backend_unreachable", "detail": "医院暂时没有应答"}, 503)
        if self.refuses:
            return JSONResponse({"code": "not_found", "detail": "没有找到该次问诊"}, 404)
        body = await request.json()
        self.asked.append(body)
        return JSONResponse({"question_id": body["question_id"], "state": "open"})

    async def read(self, request: Request) -> Response:
        number = (await request.json())["question_id"]
        answer = self.answers.get(number, "")
        told = (
            {"answered_by": "于敏", "answered_at": ANSWERED_AT}
            if answer
            else {"answered_by": "", "answered_at": None}
        )
        return JSONResponse(
            {"question_id": number, "state": "answered" if answer else "open", "answer": answer, **told}
        )


@pytest.fixture(scope="module")
def door() -> Door:
    return Door()


@pytest.fixture(scope="module")
def system(
    tmp_path_factory: pytest.TempPathFactory, tls: certificates.Files, door: Door
) -> Iterator[Running]:
    routes = [
        Route("/supervision/v1/ask-hospital", door.ask, methods=["POST"]),
        Route("/supervision/v1/read-answer", door.read, methods=["POST"]),
    ]
    files = TlsFiles(certificate=tls.server, key=tls.server_key, authority=tls.authority)
    with in_background([Listener(Starlette(routes=routes), "127.0.0.1", 0, files)]) as [base]:
        environment = environment_in(tmp_path_factory.mktemp("asking"), tls) | {
            "SUPERVISION_HOSPITAL_URLS": base, "SUPERVISION_HOSPITAL_CERT": str(tls.client),
            "SUPERVISION_HOSPITAL_KEY": str(tls.client_key), "SUPERVISION_HOSPITAL_CA": str(tls.authority),
        }  # fmt: skip
        yield from start(read(Reader(environment)))


@pytest.fixture
def browser(system: Running, door: Door) -> Iterator[httpx.Client]:
    platform = system.emptied()
    door.asked.clear()
    door.answers.clear()
    door.away = door.refuses = False
    shanghai = dataclasses.replace(platform, path="/shanghai/api")
    shanghai.send("uploadPrescription", [Hospital().signed(**BOY)])
    with signed_in(shanghai) as client:
        client.post("/alerts/1")
        yield client


def test_a_question_reaches_the_hospital_with_name_order_and_deadline(
    browser: httpx.Client, door: Door
) -> None:
    page = browser.post("/matters/1/ask", data=ASKS)

    [asked] = door.asked
    assert "已送达，等待答复" in page.text
    assert asked["supervisor"] == {"account": "supervisor", "name": "监管员"}
    assert (asked["words"], asked["authority"]) == (ASKS["words"], ASKS["authority"])
    assert asked["title"] == "六岁以下处方缺少监护人或专科医师在场确认"
    assert "answer_by" in asked
    assert "visit_number" not in asked  # V-1 is no number of the hospital's


def test_an_answer_moves_the_matter_once(browser: httpx.Client, door: Door) -> None:
    browser.post("/matters/1/ask", data=ASKS)
    door.answers[door.asked[0]["question_id"]] = "监护人在场，已补录。"

    pages = [browser.post("/matters/1/answers").text for _ in range(2)]

    assert all("监护人在场，已补录。" in page for page in pages)
    assert pages[1].count("<strong>医院</strong>") == 1
    assert browser.post("/matters/1/close", data={"note": "答复属实"}).status_code == 200


def test_a_question_waits_for_a_hospital_that_is_away(browser: httpx.Client, door: Door) -> None:
    door.away = True
    kept = browser.post("/matters/1/ask", data=ASKS).text
    door.away = False

    sent = browser.post("/matters/1/answers").text

    assert "尚未送达" in kept
    assert "医院暂时没有应答" in kept
    assert "已送达，等待答复" in sent
    assert len(door.asked) == 1


def test_what_the_hospital_refuses_is_said_and_not_sent_again(browser: httpx.Client, door: Door) -> None:
    door.refuses = True
    page = browser.post("/matters/1/ask", data=ASKS).text
    door.refuses = False
    browser.post("/matters/1/answers")

    assert "没有找到该次问诊" in page
    assert door.asked == []
    assert "已查看" in browser.post("/matters/1/withdraw", data={"note": "换一个问法"}).text


def test_an_answer_after_the_question_was_withdrawn_moves_nothing(browser: httpx.Client, door: Door) -> None:
    browser.post("/matters/1/ask", data=ASKS)
    door.answers[door.asked[0]["question_id"]] = "迟到的答复。"
    browser.post("/matters/1/withdraw", data={"note": "已电话了解"})

    page = browser.post("/matters/1/answers").text

    assert 'aria-current="step">已查看' in page


def test_a_matter_may_be_asked_about_again(browser: httpx.Client, door: Door) -> None:
    browser.post("/matters/1/ask", data=ASKS)
    door.answers[door.asked[0]["question_id"]] = "已核实。"
    browser.post("/matters/1/answers")

    browser.post("/matters/1/ask", data=ASKS | {"words": "请提供监护人签字"})

    assert [one["words"] for one in door.asked] == [ASKS["words"], "请提供监护人签字"]
    assert "已询问医院" in browser.get("/matters/1").text


@pytest.mark.parametrize("missing", ASKS)
def test_without_order_or_words_nothing_is_written(browser: httpx.Client, door: Door, missing: str) -> None:
    refused = browser.post("/matters/1/ask", data=ASKS | {missing: " "})

    assert refused.status_code == 409
    assert door.asked == []
    assert 'aria-current="step">新' in browser.get("/matters/1").text


def test_the_door_needs_a_certificate_we_trust(tmp_path: Path, tls: certificates.Files) -> None:
    """A stranger with an address of the hospital's is nobody."""
    stranger = certificates.make(tmp_path)
    files = TlsFiles(certificate=stranger.server, key=stranger.server_key, authority=tls.authority)
    door = Door()
    routes = [Route("/supervision/v1/ask-hospital", door.ask, methods=["POST"])]
    (tmp_path / "platform").mkdir()
    with in_background([Listener(Starlette(routes=routes), "127.0.0.1", 0, files)]) as [base]:
        environment = environment_in(tmp_path / "platform", tls) | {
            "SUPERVISION_HOSPITAL_URLS": base, "SUPERVISION_HOSPITAL_CERT": str(tls.client),
            "SUPERVISION_HOSPITAL_KEY": str(tls.client_key), "SUPERVISION_HOSPITAL_CA": str(tls.authority),
        }  # fmt: skip
        for running in start(read(Reader(environment))):
            shanghai = dataclasses.replace(running.platform, path="/shanghai/api")
            shanghai.send("uploadPrescription", [Hospital().signed(**BOY)])
            with signed_in(shanghai) as browser:
                browser.post("/alerts/1")
                assert "尚未送达" in browser.post("/matters/1/ask", data=ASKS).text
    assert door.asked == []
