"""Alarms: one open row for each trouble, over by itself or closed by a person who says how."""

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.alarm import service
from backend.alarm.model import Alarm
from backend.alarm.rules import KINDS, kind_of
from backend.context import Context
from backend.outside.wechat_pay_troubles import Trouble
from foundation.clock import Clock
from foundation.db.audit import AuditEvent
from foundation.db.unit_of_work import connect, unit_of_work
from foundation.errors import Conflict
from tests.builders.requests import patient_session, staff_session
from tests.database import SharedClock, moves_on
from tests.small_world import CLERK, DOCTOR

pytestmark = pytest.mark.anyio


def test_every_trouble_of_wechat_pay_has_its_words() -> None:
    assert {trouble.value for trouble in Trouble} <= KINDS.keys()
    assert all(kind.advice.endswith("。") and len(kind.title) <= 20 for kind in KINDS.values())
    assert kind_of("never heard of").title


async def test_the_same_trouble_again_is_counted_and_says_what_it_is_like_now(
    session: AsyncSession, clock: SharedClock
) -> None:
    await service.ring(session, "wechat_pay_clock", "wechat_pay", "慢 61 秒")
    moves_on(clock, minutes=5)
    await service.ring(session, "wechat_pay_clock", "wechat_pay", "慢 90 秒")
    await service.ring(session, "wechat_pay_clock", "another", "快 70 秒")

    row = await service.open_alarm(session, "wechat_pay_clock", "wechat_pay")

    assert row is not None
    await session.refresh(row)
    assert (row.times, row.detail) == (2, "慢 90 秒")
    assert row.last_at > row.first_at
    assert await session.scalar(select(func.count()).select_from(Alarm)) == 2
    rung = await session.scalars(select(AuditEvent).where(AuditEvent.action == "alarm.ring"))
    assert len(rung.all()) == 2


async def test_a_trouble_that_comes_back_after_it_was_over_is_a_new_alarm(session: AsyncSession) -> None:
    await service.ring(session, "refund_abnormal", "r-1", "退款异常")
    await service.over(session, "refund_abnormal", "r-1")
    assert await service.open_alarm(session, "refund_abnormal", "r-1") is None
    await service.over(session, "refund_abnormal", "r-1")
    await service.ring(session, "refund_abnormal", "r-1", "退款异常")

    rows = (await session.scalars(select(Alarm).order_by(Alarm.first_at))).all()
    assert [row.closed_at is None for row in rows] == [False, True]
    assert rows[0].closed_by is None


async def test_a_person_closes_an_alarm_once_and_says_how(session: AsyncSession) -> None:
    await service.ring(session, "payment_unknown_order", "X1", "42000… 30.00 元")
    row = await service.open_alarm(session, "payment_unknown_order", "X1")
    assert row is not None

    await service.close(session, CLERK.actor, row.id, "门诊窗口的收款，已与财务核对")

    assert (row.closed_by, row.note) == (CLERK.id, "门诊窗口的收款，已与财务核对")
    with pytest.raises(Conflict):
        await service.close(session, CLERK.actor, row.id, "再来一次")


async def test_the_staff_see_alarms_and_close_them_and_nobody_else_does(
    api: httpx.AsyncClient, running: Context
) -> None:
    async with unit_of_work(running.db) as session:
        await service.ring(session, "wechat_pay_clock", "wechat_pay", "慢 61 秒")
    clerk = await staff_session(running, CLERK)
    (shown,) = (await api.get("/alarms", headers=clerk)).json()
    doctor, patient = await staff_session(running, DOCTOR), (await patient_session(running))[1]

    assert (shown["title"], shown["closed_at"]) == ("服务器时钟不准", None)
    for stranger in (doctor, patient):
        assert (await api.get("/alarms", headers=stranger)).status_code == 403
        refused = await api.post(f"/alarms/{shown['id']}/close", headers=stranger, json={"note": "不行不行"})
        assert refused.status_code == 403
    short = await api.post(f"/alarms/{shown['id']}/close", headers=clerk, json={"note": "好"})
    assert short.status_code == 422
    closed = await api.post(f"/alarms/{shown['id']}/close", headers=clerk, json={"note": "已校准时间"})
    assert (closed.status_code, closed.json()["note"]) == (200, "已校准时间")
    again = await api.post(f"/alarms/{shown['id']}/close", headers=clerk, json={"note": "已校准时间"})
    assert (again.status_code, again.json()["code"]) == (409, "alarm_closed")
    assert (await api.get("/alarms", headers=clerk)).json() == []
    assert len((await api.get("/alarms?closed=true", headers=clerk)).json()) == 1
    missing = await api.post(
        f"/alarms/{running.settings.hospital_id}/close", headers=clerk, json={"note": "没有这条"}
    )
    assert missing.status_code == 404


async def test_a_bell_that_cannot_be_heard_does_not_stop_the_call_that_rang_it() -> None:
    nowhere = connect("postgresql+asyncpg://nobody@127.0.0.1:9/none", Clock(), pool=1)
    bell = service.Bell(nowhere, "wechat_pay")

    await bell.raised("wechat_pay_clock", "慢 61 秒")
    await bell.over("wechat_pay_clock")

    await nowhere.engine.dispose()


async def test_our_wechat_pay_client_rings_and_falls_silent_by_itself(
    running: Context, wechat: httpx.AsyncClient, clock: SharedClock
) -> None:
    ahead = (clock.now() - Clock().now()).total_seconds() + 120
    await wechat.post("/_test/clock", json={"offset_seconds": ahead})
    await running.pay.query("IH-NOTHING")
    async with unit_of_work(running.db) as session:
        rung = await service.open_alarm(session, "wechat_pay_clock", "wechat_pay")

    await wechat.post("/_test/clock", json={"offset_seconds": ahead - 120})
    await running.pay.query("IH-NOTHING")

    assert rung is not None
    assert "慢" in rung.detail
    async with unit_of_work(running.db) as session:
        assert await service.open_alarm(session, "wechat_pay_clock", "wechat_pay") is None
