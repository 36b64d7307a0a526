"""The report of a day: the kept one, made anew when it has grown old. However many read it, one of them makes it.

When a day is over its report is made for the last time, whether anybody read it or not.
"""

from datetime import date, datetime, timedelta

import msgspec
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from backend.fairness_report import queries
from backend.fairness_report.model import FairnessReport
from backend.fairness_report.wire import FairnessView, Figures, Rules
from backend.policy import policy
from foundation.clock import local_day_start
from foundation.db.base import hospital_id
from foundation.db.intents import intend
from foundation.db.unit_of_work import clock_of
from foundation.errors import NotFound
from foundation.ids import new_id

DAYS = 30
FRESH = timedelta(minutes=10)
KEEP = "fairness_report.keep"
AFTER_MIDNIGHT = timedelta(minutes=10)
_MAKING = text("SELECT pg_try_advisory_xact_lock(hashtextextended('fairness_report', 0))")


async def report(session: AsyncSession, day: date | None = None) -> FairnessView:
    """Today's report, or a past day's as it was kept; `NotFound` for a day without one."""
    today = clock_of(session).today()
    row = await _kept(session, day or today)
    if day is not None and day != today:
        if row is None:
            raise NotFound("没有这一天的公示", code="no_report")
        return _view(row)
    if row is None or clock_of(session).now() - row.made_at >= FRESH:
        await _make_for_reader(session, today, wait=row is None)
        row = await _kept(session, today)
    assert row is not None
    return _view(row)


async def unfinished(session: AsyncSession) -> list[date]:
    """Days that are over and have no final report, from the first that was ever published; yesterday at least."""
    today = clock_of(session).today()
    query = select(FairnessReport.day, FairnessReport.made_at).where(
        FairnessReport.day >= today - timedelta(days=DAYS), FairnessReport.day < today
    )
    made = {row.day: row.made_at for row in await session.execute(query)}
    yesterday = today - timedelta(days=1)
    first = min([yesterday, *made])
    days = [first + timedelta(days=n) for n in range((yesterday - first).days + 1)]
    return [day for day in days if day not in made or made[day] < _end_of(day)]


async def finish(session: AsyncSession, day: date) -> None:
    """The last report of a day that is over: all of it, and nothing that came after."""
    await _make(session, day)


async def ask_again(session: AsyncSession) -> None:
    """Today's report is finished shortly after midnight."""
    due = _end_of(clock_of(session).today()) + AFTER_MIDNIGHT
    await intend(session, KEEP, hospital_id(), due=due)


def _end_of(day: date) -> datetime:
    return local_day_start(day + timedelta(days=1))


async def _make_for_reader(session: AsyncSession, today: date, *, wait: bool) -> None:
    """Who finds somebody at it shows the old one, unless there is none."""
    if await session.scalar(_MAKING) or wait:
        await _make(session, today)


async def _make(session: AsyncSession, day: date) -> None:
    """Count and keep."""
    now = clock_of(session).now()
    first = day - timedelta(days=DAYS - 1)
    found = await queries.figures(session, local_day_start(first), min(now, _end_of(day)))
    values = {"first_day": first, "made_at": now, "figures": msgspec.to_builtins(found)}
    statement = insert(FairnessReport).values(id=new_id(), hospital_id=hospital_id(), day=day, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["day"], set_=values))


async def _kept(session: AsyncSession, day: date) -> FairnessReport | None:
    query = select(FairnessReport).where(FairnessReport.day == day).execution_options(populate_existing=True)
    return await session.scalar(query)


def _view(row: FairnessReport) -> FairnessView:
    limits = policy()
    rules = Rules(
        limits.quota_person_day, limits.quota_doctor_day, limits.draw_seconds, limits.noshow_limit,
        limits.noshow_window_days, limits.noshow_pause_days,
    )  # fmt: skip
    figures = msgspec.convert(row.figures, Figures)
    return FairnessView(row.first_day, row.day, row.made_at, figures, rules)
