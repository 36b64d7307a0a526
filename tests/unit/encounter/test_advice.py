"""Whether advice was given before a visit was stopped: the doctor says it, she is shown what it looks like, the money follows her word."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.chat.service import say
from backend.context import Context
from backend.encounter import service
from backend.encounter.model import Encounter
from backend.encounter.rules import looks_like_advice, together
from backend.payment.model import Refund
from backend.video.model import Recording
from foundation.db.audit import AuditEvent
from foundation.db.unit_of_work import unit_of_work
from foundation.ids import new_id
from tests.builders.requests import Headers, a_person, staff_session
from tests.builders.visits import a_patient, accepted
from tests.database import MORNING, moves_on
from tests.small_world import DOCTOR

pytestmark = pytest.mark.anyio

LEAST = timedelta(minutes=3)
BACK = [("referred_before_advice", 5000)]


def span(first: int, last: int) -> tuple[timedelta, timedelta]:
    return timedelta(minutes=first), timedelta(minutes=last)


@pytest.mark.parametrize(
    ("patient", "doctor", "minutes"),
    [
        ([], [], 0),
        ([span(0, 30)], [], 0),
        ([span(0, 10)], [span(10, 20)], 0),
        ([span(0, 10)], [span(4, 20)], 6),
        ([span(0, 5), span(3, 8), span(20, 30)], [span(2, 25)], 11),
    ],
)
def test_seen_together_is_when_both_were_there(
    patient: list[tuple[timedelta, timedelta]], doctor: list[tuple[timedelta, timedelta]], minutes: int
) -> None:
    both = [[(MORNING + begins, MORNING + ends) for begins, ends in spans] for spans in (patient, doctor)]

    assert together(*both) == together(*reversed(both)) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("written", "minutes", "expected"),
    [(False, 0, False), (False, 2, False), (False, 3, True), (False, 30, True), (True, 0, True)],
)
def test_it_looks_like_advice_when_something_was_written_or_they_saw_each_other_for_minutes(
    written: bool, minutes: int, expected: bool
) -> None:
    found = looks_like_advice(written=written, on_video=timedelta(minutes=minutes), least=LEAST)

    assert found is expected


async def refunds(session: AsyncSession) -> list[tuple[str, int]]:
    return [(row.reason, row.amount) for row in await session.scalars(select(Refund))]


async def judged(session: AsyncSession) -> dict[str, str]:
    query = select(AuditEvent).where(AuditEvent.action == "encounter.judge_advice")
    return (await session.scalars(query)).one().detail


@pytest.fixture
async def visit(session: AsyncSession, context: Context) -> Encounter:
    return await accepted(session, context, await a_patient(session))


async def says(session: AsyncSession, visit: Encounter, text: str) -> None:
    await say(session, DOCTOR.actor, visit, client_id=f"message-{new_id()}", kind="text", body=text)
    await session.flush()


@pytest.mark.parametrize(
    ("text", "video", "expected"),
    [("您好", 0, BACK), ("您好", 30, []), ("请低盐饮食，继续服药", 0, [])],
)
async def test_without_the_doctors_word_the_money_follows_what_it_looks_like(
    session: AsyncSession, visit: Encounter, text: str, video: int, expected: list[tuple[str, int]]
) -> None:
    """practice.md 17: stop-and-refer before and after advice."""
    await says(session, visit, text)

    await service.refer_offline(
        session, DOCTOR.actor, visit, reason="请到急诊", on_video=timedelta(minutes=video)
    )

    assert await refunds(session) == expected
    assert (await judged(session))["said_by"] == "rule"


@pytest.mark.parametrize(("advised", "expected"), [(False, BACK), (True, [])])
async def test_the_doctors_word_decides_and_is_written_down_beside_what_it_looked_like(
    session: AsyncSession, visit: Encounter, advised: bool, expected: list[tuple[str, int]]
) -> None:
    text = "您好" if advised else "请低盐饮食，继续服药"
    await says(session, visit, text)

    await service.refer_offline(session, DOCTOR.actor, visit, reason="请到急诊", advised=advised)

    assert visit.advice_given is advised
    assert await refunds(session) == expected
    assert await judged(session) == {
        "given": str(advised), "seemed": str(not advised), "said_by": "doctor", "video_minutes": "0",
    }  # fmt: skip


async def on_video(context: Context, visit: Encounter, role: str, minutes: int | None) -> None:
    """One side, from now; None: she is still there."""
    now = context.clock.now()
    async with unit_of_work(context.db) as session:
        session.add(
            Recording(
                id=new_id(), encounter_id=visit.id, participant_id=new_id(), role=role, segment=1, node="media-1",
                object_key=f"recordings/{new_id().hex}", started_at=now,
                ended_at=None if minutes is None else now + timedelta(minutes=minutes),
            )
        )  # fmt: skip


async def test_the_doctor_is_shown_what_it_looks_like_before_she_says(
    running: Context, api: httpx.AsyncClient
) -> None:
    patient, as_patient = await a_person(running)
    async with unit_of_work(running.db) as session:
        visit = await accepted(session, running, patient)
    as_doctor: Headers = await staff_session(running, DOCTOR)
    path = f"/encounters/{visit.id}"

    async def shown() -> dict[str, object]:
        found: dict[str, object] = (await api.get(f"{path}/advice", headers=as_doctor)).json()
        return found

    assert await shown() == {"seems": False, "written": False, "video_minutes": 0}
    await on_video(running, visit, "patient", 20)
    await on_video(running, visit, "doctor", None)
    moves_on(running.clock, minutes=5)
    assert await shown() == {"seems": True, "written": False, "video_minutes": 5}
    assert (await api.get(f"{path}/advice", headers=as_patient)).status_code == 403

    body = {"reason": "需要当面检查", "advice_given": False}
    answer = await api.post(f"{path}/refer-offline", json=body, headers=as_doctor)

    assert answer.json()["state"] == "discontinued"
    async with unit_of_work(running.db) as session:
        assert await refunds(session) == BACK
        assert (await judged(session))["video_minutes"] == "5"
