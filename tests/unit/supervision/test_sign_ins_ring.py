"""A sign-in that a platform refused rings like a record that waits for people."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from backend.alarm.model import Alarm
from backend.context import Context
from backend.outside.adapter import NoAdapter
from backend.supervision import tasks
from contracts import supervision_desk as wire
from foundation.clock import local_day_start
from foundation.db.unit_of_work import unit_of_work

pytestmark = pytest.mark.anyio


class Refused(NoAdapter):
    async def overview(self) -> wire.Overview:
        return wire.Overview(0, 0, [], *(0,) * 12, None, [], [], sign_ins_refused=1)

    async def connections(self) -> wire.Connections:
        return wire.Connections(local_day_start(date(2026, 11, 23)), [], [], None, None, None)


async def test_a_refused_sign_in_rings(running: Context) -> None:
    await tasks._ring(replace(running, adapter=Refused()), [])

    async with unit_of_work(running.db) as session:
        query = select(Alarm.detail).where(Alarm.kind == tasks.WAITING, Alarm.closed_at.is_(None))
        assert list(await session.scalars(query)) == ["1 条记录"]
