"""Jobs of the chat: the end of the time to talk, and pieces of files that nobody needs any more."""

from backend.chat import uploads
from backend.chat.cards import NoticeCard
from backend.chat.service import post_card
from backend.context import Context
from backend.encounter import queries
from backend.encounter.model import Encounter
from backend.encounter.service import TIME_EXTENDED, TIME_OVER, TIME_WARNING
from backend.encounter.states import RUNNING
from backend.policy import policy
from foundation.db.intents import Handler, Work
from foundation.db.locks import lock_stream
from foundation.db.unit_of_work import unit_of_work


async def warn(work: Work[Context]) -> None:
    """Both are told that the time is nearly over; a time that was prolonged meanwhile has a warning of its own."""
    async with unit_of_work(work.context.db) as session:
        row = await session.get_one(Encounter, work.subject)
        await lock_stream(session, row.stream)
        await session.refresh(row)
        now, time = work.context.clock.now(), queries.talk_time(row)
        if row.state not in RUNNING or time is None:
            return
        ends = time.ends(now)
        if not ends - policy().visit_warning <= now < ends:
            return
        minutes = max(1, round((ends - now).total_seconds() / 60))
        card = NoticeCard(f"本次问诊还剩 {minutes} 分钟", "没有说完也不要紧，医生可以延长时间。")
        await post_card(session, row, card, key=f"time-warning-{ends.timestamp():.0f}")


async def end(work: Work[Context]) -> None:
    """Both are told that the time is over; the visit itself ends by the doctor's hand alone."""
    async with unit_of_work(work.context.db) as session:
        row = await session.get_one(Encounter, work.subject)
        await lock_stream(session, row.stream)
        await session.refresh(row)
        now, time = work.context.clock.now(), queries.talk_time(row)
        if row.state not in RUNNING or time is None or not time.over(now):
            return
        card = NoticeCard("本次问诊时间已到", "医生可以延长，也可以书写病历后结束问诊。")
        await post_card(session, row, card, key=f"time-over-{time.ends(now).timestamp():.0f}")


async def go_on(work: Work[Context]) -> None:
    """Both are told that the doctor prolonged it: what was kept back meanwhile goes out."""
    async with unit_of_work(work.context.db) as session:
        row = await session.get_one(Encounter, work.subject)
        if row.state in RUNNING:
            card = NoticeCard("医生延长了问诊时间", "可以继续发送消息。")
            await post_card(session, row, card, key=f"time-extended-{row.extensions}")


async def forget_upload(work: Work[Context]) -> None:
    """The pieces of an upload that arrived, was refused or was given up."""
    await uploads.forget(work.context, work.subject)


HANDLERS: dict[str, Handler] = {
    TIME_WARNING: warn,
    TIME_OVER: end,
    TIME_EXTENDED: go_on,
    uploads.FORGET: forget_upload,
}
