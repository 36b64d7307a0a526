"""A supervisor's question when the hospital is away, refuses, answers, or answers late: a hospital's door of the test's own."""

import asyncio
import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.server import Clock, Listener, Reader, TlsFiles, in_background
from simulators.supervision.hospital_door import HospitalDoor, Said
from simulators.supervision.oversight import matters, questions
from simulators.supervision.settings import Supervisor, read
from simulators.supervision.store import Database
from tests.unit.supervision_platform import certificates
from tests.unit.supervision_platform.at_the_console import lines, signed_in
from tests.unit.supervision_platform.conftest import Running, environment_in, start
from tests.unit.supervision_platform.shanghai_records import BOY, Hospital

ASKS = {"authority": "沪卫监〔2026〕12号", "words": "为何没有监护人在场的记录？"}
ANSWERED_AT = "2026-11-23T10:00:00+08:00"

WHO = Supervisor("supervisor", "监管员", "")
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


class Telling(HospitalDoor):
    """A way to a hospital that takes every question and has no answer yet."""

    def __init__(self) -> None:
        super().__init__(("https://hospital.test",), None)
        self.asked: list[tuple[str, str]] = []

    async def ask(self, operation: str, asked: Mapping[str, Any], by: Supervisor) -> Said:
        self.asked.append((operation, str(asked["question_id"])))
        return Said(200, {})


@dataclass
class Door:
    """What gateway and hospital would say; `away` stands for both gone."""

    asked: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    away: bool = False
    refuses: bool = False
    loses_reply: bool = False

    async def ask(self, request: Request) -> Response:
        if self.away:
            return JSONResponse({"code": "backend_unreachable", "detail": "医院暂时没有应答"}, 503)
        if self.refuses:
            return JSONResponse({"code": "not_found", "detail": "没有找到该次问诊"}, 404)
        body = await request.json()
        self.asked.append(body)
        if self.loses_reply:
            return JSONResponse({"code": "backend_unreachable", "detail": "医院暂时没有应答"}, 503)
        return JSONResponse({"question_id": body["question_id"], "state": "open"})

    async def read(self, request: Request) -> Response:
        number = (await request.json())["question_id"]
        if number not in [one["question_id"] for one in self.asked]:
            return JSONResponse({"code": "not_found", "detail": "没有找到该询问"}, 404)
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
    door.away = door.refuses = door.loses_reply = False
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
    assert "迟到的答复。" in page
    assert [line["action"] for line in lines(browser)][-1] == "question.answered_late"


def test_a_question_withdrawn_before_it_was_sent_is_never_sent(browser: httpx.Client, door: Door) -> None:
    door.away = True
    browser.post("/matters/1/ask", data=ASKS)
    browser.post("/matters/1/withdraw", data={"note": "换一个问法"})
    door.away = False

    browser.post("/matters/1/ask", data=ASKS | {"words": "请提供监护人签字"})

    assert [one["words"] for one in door.asked] == ["请提供监护人签字"]
    assert "询问已撤回" in browser.get("/matters/1").text


def test_only_an_answer_to_the_open_question_moves_the_matter(browser: httpx.Client, door: Door) -> None:
    browser.post("/matters/1/ask", data=ASKS)
    browser.post("/matters/1/withdraw", data={"note": "换一个问法"})
    browser.post("/matters/1/ask", data=ASKS | {"words": "请提供监护人签字"})
    older, newer = (one["question_id"] for one in door.asked)

    door.answers[older] = "答的是前一问。"
    first = browser.post("/matters/1/answers").text
    door.answers[newer] = "签字附后。"
    second = browser.post("/matters/1/answers").text

    assert "答的是前一问。" in first
    assert 'aria-current="step">已询问医院' in first
    assert "签字附后。" in second
    assert 'aria-current="step">医院已答复' in second


def test_a_withdrawn_question_that_reached_the_hospital_unnoticed_is_still_listened_to(
    browser: httpx.Client, door: Door
) -> None:
    door.loses_reply = True
    browser.post("/matters/1/ask", data=ASKS)
    browser.post("/matters/1/withdraw", data={"note": "换一个问法"})
    door.answers[door.asked[0]["question_id"]] = "医院其实收到了。"

    assert "医院其实收到了。" in browser.post("/matters/1/answers").text


def test_a_question_in_hand_is_not_sent_once_it_is_withdrawn(
    browser: httpx.Client, system: Running, door: Door
) -> None:
    """Between the list of what waits and its own turn."""
    door.away = True
    browser.post("/matters/1/ask", data=ASKS)
    with system.database.reading() as connection:
        [question] = questions.of_matter(connection, 1)
    browser.post("/matters/1/withdraw", data={"note": "已电话了解"})
    told = Telling()

    asyncio.run(questions.deliver(system.database, told, system.clock, question))

    assert told.asked == []


def test_those_that_wait_longest_do_not_hold_up_the_newest(tmp_path: Path) -> None:
    many, told, clock = questions.AT_ONCE + 5, Telling(), Clock()
    with closing(Database(tmp_path)) as database:
        for number in range(many):
            ask_about(database, f"k{number}")

        for _ in range(4):  # two rounds send what waits, the rest ask for answers
            asyncio.run(questions.sweep(database, told, clock))

    assert len({question for operation, question in told.asked if operation == "ask-hospital"}) == many
    assert len({question for operation, question in told.asked if operation == "read-answer"}) == many


def test_a_store_of_before_questions_could_be_withdrawn_is_brought_up_to_date(tmp_path: Path) -> None:
    with closing(Database(tmp_path)) as database:
        matter = ask_about(database, "k0")
        with database.writing() as connection:
            matters.move(connection, matter, "withdraw", WHO, NOW, "换一个问法")
        ask_about(database, "k0")
        database.writer.execute("DROP INDEX questions_waiting")
        for column in ("withdrawn_at", "tried_at"):
            database.writer.execute(f"ALTER TABLE questions DROP COLUMN {column}")

    with closing(Database(tmp_path)) as database, database.reading() as connection:
        assert [one.withdrawn for one in questions.of_matter(connection, matter.id)] == [True, False]


def ask_about(database: Database, key: str) -> matters.Matter:
    """A matter with a question that is on its way."""
    about = matters.Subject("finding", key, "t", "d", None, None, "2026-11-22T00:00:00.000Z")
    with database.writing() as connection:
        matter = matters.take_up(connection, about, WHO, NOW)
        at = NOW + timedelta(seconds=len(questions.of_matter(connection, matter.id)))
        questions.write(connection, matter, WHO, at, ASKS["authority"], ASKS["words"])
    return matter


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
    assert all(text in refused.text for name, text in ASKS.items() if name != missing)
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
