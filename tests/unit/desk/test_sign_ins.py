"""What the quality department sees of daily sign-ins, as the adapter tells it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from backend.app import create_app
from backend.context import Context
from backend.outside.adapter import NoAdapter
from contracts import supervision_desk as wire
from tests.small_world import QUALITY
from tests.unit.desk.conftest import Browser

pytestmark = pytest.mark.anyio

DAY = date(2026, 11, 20)
AT = datetime(2026, 11, 20, 17, 40, tzinfo=UTC)


def signed(state: str, label: str, code: str, text: str, records: int = 0) -> wire.SignInView:
    kind = "医疗争议与不良事件"
    return wire.SignInView(
        "tianjin-1.0", "pushMedicalDispute", kind, DAY, state, label, records, 1, code, text, AT
    )


REFUSED = signed("refused", "平台退回，待人工处理", "200/-98", "数据为空")


class Telling(NoAdapter):
    """An adapter with a refused sign-in and a day of everything."""

    async def overview(self) -> wire.Overview:
        return wire.Overview(0, 0, [], *(0,) * 12, None, [], [], sign_ins_refused=1)

    async def records(self, **_: str) -> wire.Records:
        return wire.Records(0, [], [REFUSED])

    async def day(self, day: date) -> wire.DayDetail:
        newest = wire.DayView(day, 0, "open", "未对账", 1, 1, [], [], None, None)
        several = [
            REFUSED,
            signed("closed", "已签到", "200", ""),
            signed("closed", "已签到", "records", "", 2),
            signed("closed", "已签到", "late", "已按“无”签到之后又收到当日记录 1 条", 1),
            signed("carried", "当日记录已结转", "carried", "当日 1 条记录中 1 条已结转", 1),
        ]
        return wire.DayDetail(newest, [newest], [], [], "", "", "", "", several)


@pytest.fixture
def app(context: Context) -> Any:
    return create_app(replace(context, adapter=Telling()))


async def test_a_refused_sign_in_waits_among_what_people_have_to_see_to(browser: Browser) -> None:
    await browser.logs_in(QUALITY)

    waiting = (await browser.get("/desk/submissions")).text
    glance = (await browser.get("/desk/supervision")).text

    assert "被退回的每日签到" in waiting
    assert f'<a href="/desk/statements/{DAY}">' in waiting
    assert "200/-98" in waiting
    assert '<b><a href="/desk/submissions">1</a></b><span>待人工处理</span>' in glance


async def test_a_day_tells_how_it_was_signed_in(browser: Browser) -> None:
    await browser.logs_in(QUALITY)

    page = (await browser.get(f"/desk/statements/{DAY}")).text

    for words in (
        "每日签到",
        "平台退回，待人工处理",
        "以“无”签到",
        "当日 2 条",
        "之后又收到当日记录",
        "当日记录已结转",
    ):
        assert words in page
