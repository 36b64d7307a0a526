"""A supervisor's question at the hospital: kept once for its id, answered once by staff, read by who asked it."""

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select

from backend.alarm.model import Alarm
from backend.app import create_app
from backend.context import Context
from backend.encounter.model import Encounter
from backend.inquiry.model import Inquiry
from foundation.clock import Clock
from foundation.db.audit import AuditEvent
from foundation.db.unit_of_work import unit_of_work
from tests.small_world import CLERK, QUALITY
from tests.unit.desk.conftest import SITE, Browser
from tests.unit.recordings.made import a_visit
from tests.unit.recordings.test_supervisors_door import GATEWAY, WHO, Door, door_for

pytestmark = pytest.mark.anyio
OTHER = {"account": "supervisor2", "name": "监管员乙"}
WORDS = "这张处方为何没有监护人在场的记录？"
ANSWER = "监护人在场，已补充录像截图说明。"


def a_question(**changes: object) -> dict[str, object]:
    return {
        "supervisor": WHO, "question_id": str(uuid4()), "authority": "沪卫监〔2026〕12号", "title": "六岁以下处方",
        "words": WORDS, "answer_by": "2026-12-01T10:00:00+08:00", **changes,
    }  # fmt: skip


@pytest.fixture
async def door(running: Context) -> AsyncIterator[Door]:
    async with await door_for(running, GATEWAY) as client:
        yield Door(client)


@pytest.fixture
async def visit(running: Context) -> Encounter:
    async with unit_of_work(running.db) as session:
        return (await a_visit(session, running))[1]


@pytest.fixture
async def browser(running: Context, clock: Clock) -> AsyncIterator[Browser]:
    """Signed in as the quality department."""
    transport = httpx.ASGITransport(create_app(running))
    async with httpx.AsyncClient(transport=transport, base_url=SITE) as http:
        made = Browser(http, clock)
        assert (await made.logs_in(QUALITY)).status_code == 303
        yield made


async def inquiries(running: Context) -> list[Inquiry]:
    async with unit_of_work(running.db) as session:
        return list(await session.scalars(select(Inquiry).order_by(Inquiry.asked_at)))


async def test_a_question_is_answered_at_the_desk_and_read_by_who_asked(
    running: Context, door: Door, browser: Browser, visit: Encounter
) -> None:
    asked = a_question(visit_number=str(visit.appointment_id))
    taken = await door.ask("ask-hospital", **asked)
    before = await door.ask("read-answer", supervisor=WHO, question_id=asked["question_id"])
    [row] = await inquiries(running)
    page = await browser.get(f"/desk/inquiries/{row.id}")
    said = await browser.post(f"/desk/inquiries/{row.id}/answer", text=ANSWER)
    after = await door.ask("read-answer", supervisor=WHO, question_id=asked["question_id"])

    assert (taken.status_code, taken.json()["state"]) == (200, "open")
    assert (row.encounter_id, row.supervisor) == (visit.id, "监管员")
    assert (before.json()["answer"], before.json()["answered_at"]) == ("", None)
    assert WORDS in page.text
    assert said.status_code == 303
    assert (after.json()["state"], after.json()["answer"], after.json()["answered_by"]) == (
        "answered", ANSWER, QUALITY.name,
    )  # fmt: skip


async def test_the_same_question_again_is_one_and_another_under_its_id_is_refused(
    running: Context, door: Door
) -> None:
    asked = a_question()
    first, again = [await door.ask("ask-hospital", **asked) for _ in range(2)]
    other = await door.ask("ask-hospital", **asked | {"words": "完全不同的问题"})
    stranger = await door.ask("ask-hospital", **asked | {"supervisor": OTHER})

    assert (first.status_code, again.status_code) == (200, 200)
    assert [one.json()["code"] for one in (other, stranger)] == ["question_differs"] * 2
    assert len(await inquiries(running)) == 1


async def test_an_answer_is_for_who_asked(door: Door) -> None:
    asked = a_question()
    await door.ask("ask-hospital", **asked)

    assert (
        await door.ask("read-answer", supervisor=OTHER, question_id=asked["question_id"])
    ).status_code == 404
    assert (await door.ask("read-answer", supervisor=WHO, question_id=str(uuid4()))).status_code == 404


async def test_an_answer_is_given_once(running: Context, door: Door, browser: Browser) -> None:
    await door.ask("ask-hospital", **a_question())
    [row] = await inquiries(running)
    await browser.post(f"/desk/inquiries/{row.id}/answer", text=ANSWER)
    await browser.post(f"/desk/inquiries/{row.id}/answer", text="改口：没有监护人。")

    assert [one.answer for one in await inquiries(running)] == [ANSWER]


async def test_too_short_an_answer_is_sent_back(running: Context, door: Door, browser: Browser) -> None:
    await door.ask("ask-hospital", **a_question())
    [row] = await inquiries(running)

    assert (await browser.post(f"/desk/inquiries/{row.id}/answer", text="嗯")).status_code == 422
    assert "待答复" in (await browser.get("/desk/inquiries")).text


async def test_a_question_rings_until_it_is_answered(running: Context, door: Door, browser: Browser) -> None:
    await door.ask("ask-hospital", **a_question())
    [row] = await inquiries(running)

    async def open_alarms() -> list[str]:
        async with unit_of_work(running.db) as session:
            return [one.link for one in await session.scalars(select(Alarm).where(Alarm.closed_at.is_(None)))]

    rung = await open_alarms()
    await browser.post(f"/desk/inquiries/{row.id}/answer", text=ANSWER)

    assert rung == [f"/desk/inquiries/{row.id}"]
    assert await open_alarms() == []


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"words": "   "}, "words"), ({"authority": ""}, "authority"), ({"title": ""}, "title"), ({"question_id": "1"}, "question_id")],
)  # fmt: skip
async def test_what_is_missing_is_named(
    running: Context, door: Door, wrong: dict[str, str], field: str
) -> None:
    answer = await door.ask("ask-hospital", **a_question(**wrong))

    assert answer.status_code == 422
    assert [issue["field"] for issue in answer.json()["issues"]] == [field]
    assert await inquiries(running) == []


async def test_an_unknown_visit_is_no_question_and_is_written_down(running: Context, door: Door) -> None:
    answer = await door.ask("ask-hospital", **a_question(visit_number=str(uuid4())))

    async with unit_of_work(running.db) as session:
        query = select(AuditEvent).where(AuditEvent.actor_kind == "platform")
        [line] = list(await session.scalars(query))
    assert answer.status_code == 404
    assert (line.action, line.outcome) == ("supervision.ask-hospital", "refused")


async def test_a_clerk_does_not_answer_for_the_hospital(running: Context, clock: Clock, door: Door) -> None:
    await door.ask("ask-hospital", **a_question())
    [row] = await inquiries(running)
    transport = httpx.ASGITransport(create_app(running))
    async with httpx.AsyncClient(transport=transport, base_url=SITE) as http:
        clerk = Browser(http, clock)
        await clerk.logs_in(CLERK)

        assert (await clerk.get("/desk/inquiries")).status_code == 403
        assert (await clerk.post(f"/desk/inquiries/{row.id}/answer", text=ANSWER)).status_code == 403
    assert [one.answer for one in await inquiries(running)] == [""]
