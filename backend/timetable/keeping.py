"""What all doctors' plans rest on: holidays and make-up days, and when pharmacists are planned to review."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.policy import policy
from backend.practitioner.model import Practitioner
from backend.timetable import rules
from backend.timetable.laying import Laid, lay_anew, refuse_sold
from backend.timetable.model import CalendarDay, PharmacistHours, WeeklySession
from backend.timetable.opening import STREAM, ask_to_open
from backend.timetable.service import week_word
from foundation.actor import Actor
from foundation.db.audit import audit
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import Conflict, Invalid, Issue, NotFound, invalid
from foundation.ids import new_id

KINDS = {"holiday": "放假", "workday": "调休上班"}


async def mark_day(
    session: AsyncSession, actor: Actor, day: date, *, kind: str, name: str, as_weekday: int | None = None
) -> tuple[CalendarDay, Laid]:
    """A holiday, or a day that works as another weekday. Refused while somebody has a place that would go (practice.md 10)."""
    if day < clock_of(session).today():
        raise invalid("day", "past", "不能早于今天")
    row = await session.scalar(select(CalendarDay).where(CalendarDay.day == day))
    if row is None:
        row = CalendarDay(id=new_id(), day=day)
        session.add(row)
    row.kind, row.name, row.as_weekday = kind, name, as_weekday or day.isoweekday()
    laid = await _everybody(session, day)
    audit(session, actor, "timetable.mark_day", "timetable", row.id,
          detail={"who": name, "what": _said(row)})  # fmt: skip
    return row, laid


async def clear_day(session: AsyncSession, actor: Actor, day: date) -> Laid:
    """An ordinary day again."""
    row = await session.scalar(select(CalendarDay).where(CalendarDay.day == day))
    if row is None:
        raise NotFound("这一天没有特殊安排")
    await session.delete(row)
    laid = await _everybody(session, day)
    audit(session, actor, "timetable.clear_day", "timetable", row.id,
          detail={"who": row.name, "what": f"{day} 恢复为普通日"})  # fmt: skip
    return laid


def _said(row: CalendarDay) -> str:
    return f"{row.day} {KINDS[row.kind]}" + (
        f"，按周{week_word(row.as_weekday)}出诊" if row.kind == "workday" else ""
    )


async def _everybody(session: AsyncSession, day: date) -> Laid:
    """The day of every doctor, arranged anew if it is open already; doctors in one order, as locks want it."""
    await session.flush()
    today = clock_of(session).today()
    touch(session, STREAM)
    if not today <= day <= today + timedelta(days=policy().open_days):
        return Laid()
    doctors = await session.scalars(select(WeeklySession.practitioner_id).distinct())
    found = [await lay_anew(session, doctor, [day], [(0, rules.DAY)]) for doctor in sorted(doctors)]
    whole = Laid(
        sum(one.opened for one in found), sum(one.changed for one in found), sum(one.closed for one in found),
        [slot for one in found for slot in one.kept], sum(one.uncovered for one in found),
    )  # fmt: skip
    refuse_sold(whole)
    return whole


async def plan_pharmacist(
    session: AsyncSession, actor: Actor, pharmacist_id: UUID, *, weekday: int | None, day: date | None, begins: int,
    ends: int, valid_from: date, valid_to: date | None = None,
) -> PharmacistHours:  # fmt: skip
    """A pharmacist reviews every week on a weekday, or on one day; `ends` beyond midnight is the next morning."""
    pharmacist = await _pharmacist(session, pharmacist_id)
    issues = []
    if (weekday is None) == (day is None):
        issues.append(Issue("weekday", "one_of", "请选择星期或日期之一"))
    if not 0 <= begins < rules.DAY or not begins < ends <= 2 * rules.DAY:
        issues.append(Issue("ends", "before_begin", "结束时间要晚于开始时间"))
    if valid_to is not None and valid_to < valid_from:
        issues.append(Issue("valid_to", "before_begin", "截止日期不能早于生效日期"))
    if issues:
        raise Invalid(issues[0].message, issues=issues)
    row = PharmacistHours(
        id=new_id(), practitioner_id=pharmacist_id, weekday=weekday, day=day, begins=begins, ends=ends,
        valid_from=valid_from, valid_to=valid_to,
    )  # fmt: skip
    session.add(row)
    await ask_to_open(session)
    _note(session, actor, "timetable.plan_pharmacist", pharmacist, row, hours_words(row))
    return row


async def end_pharmacist(session: AsyncSession, actor: Actor, hours_id: UUID, *, last_day: date) -> None:
    """Held for the last time on `last_day`. Slots that are open without a pharmacist then are shown, not closed unasked."""
    row = await session.get(PharmacistHours, hours_id, with_for_update=True)
    if row is None:
        raise NotFound("没有找到这条药师值班")
    if row.valid_to is not None and row.valid_to <= last_day:
        raise Conflict("该值班已经在此之前结束", code="hours_ended")
    row.valid_to = last_day
    pharmacist = await _pharmacist(session, row.practitioner_id)
    _note(
        session,
        actor,
        "timetable.end_pharmacist",
        pharmacist,
        row,
        f"{hours_words(row)}，最后一天 {last_day}",
    )


async def pharmacists(session: AsyncSession) -> Sequence[Practitioner]:
    """Active ones."""
    query = select(Practitioner).where(Practitioner.kind == "pharmacist", Practitioner.active)
    return (await session.scalars(query.order_by(Practitioner.code))).all()


def hours_words(row: PharmacistHours) -> str:
    """`每周一 08:00–20:00`."""
    when = f"每周{week_word(row.weekday)}" if row.weekday else str(row.day)
    return f"{when} {rules.clock_words(row.begins)}–{rules.clock_words(row.ends)}"


async def _pharmacist(session: AsyncSession, pharmacist_id: UUID) -> Practitioner:
    row = await session.get(Practitioner, pharmacist_id)
    if row is None or row.kind != "pharmacist":
        raise NotFound("没有找到该药师")
    return row


def _note(
    session: AsyncSession, actor: Actor, action: str, who: Practitioner, row: PharmacistHours, said: str
) -> None:
    touch(session, STREAM)
    audit(session, actor, action, "timetable", row.id, detail={"who": who.name, "what": said})
