"""The report of a day: the kept one, made anew when it has grown old. However many read it, one of them makes it."""

from datetime import date, timedelta

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
from foundation.db.unit_of_work import clock_of
from foundation.errors import NotFound
from foundation.ids import new_id

DAYS = 30
FRESH = timedelta(minutes=10)
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
        await _make(session, today, wait=row is None)
        row = await _kept(session, today)
    assert row is not None
    return _view(row)


async def _make(session: AsyncSession, today: date, *, wait: bool) -> None:
    """Count and keep; who finds somebody at it shows the old one, unless there is none."""
    if not await session.scalar(_MAKING) and not wait:
        return
    now = clock_of(session).now()
    first = today - timedelta(days=DAYS - 1)
    found = await queries.figures(session, local_day_start(first), now)
    values = {"first_day": first, "made_at": now, "figures": msgspec.to_builtins(found)}
    statement = insert(FairnessReport).values(id=new_id(), hospital_id=hospital_id(), day=today, **values)
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
