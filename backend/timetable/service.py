"""Sessions of the week, changes of single days: each verb writes the plan and arranges the slots that are open already.

A verb that would touch a place somebody has is refused as a whole (`places_sold`): who has it is stopped or moved first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.policy import policy
from backend.practitioner.model import Practitioner
from backend.practitioner.queries import require_filed
from backend.pricing.service import price, visit_price_code
from backend.timetable import planning, rules
from backend.timetable.laying import Laid, lay_anew, lock_timetable, refuse_sold
from backend.timetable.model import DaySession, WeeklySession
from backend.timetable.opening import STREAM
from backend.timetable.rules import Span
from foundation.actor import Actor
from foundation.db.audit import audit
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import Conflict, Forbidden, Invalid, Issue, NotFound, invalid
from foundation.ids import new_id

_FIELDS = {"practitioner": "practitioner_id", "department": "department_code"}


@dataclass(frozen=True)
class Period:
    """When a session is held: from a day on, until a day or without end, on holidays too or not."""

    valid_from: date
    valid_to: date | None = None
    on_holidays: bool = False


async def add_session(
    session: AsyncSession, actor: Actor, *, practitioner_id: UUID, department_code: str, weekday: int, span: Span,
    period: Period,
) -> tuple[WeeklySession, Laid]:  # fmt: skip
    """A doctor sits every week from now on. Refused: not filed for the department, overlapping, a form that makes no sense."""
    await lock_timetable(session, practitioner_id)
    doctor = await _filed(session, practitioner_id, department_code, period.valid_from)
    span = await _checked(session, doctor, span, period)
    row = WeeklySession(
        id=new_id(), series_id=new_id(), version=1, practitioner_id=practitioner_id, department_code=department_code,
        weekday=weekday, on_holidays=period.on_holidays, valid_from=period.valid_from, valid_to=period.valid_to,
        **_columns(span),
    )  # fmt: skip
    await _refuse_overlap(session, row)
    session.add(row)
    laid = await _arranged(session, practitioner_id, period.valid_from, [span])
    _note(
        session,
        actor,
        "timetable.add_session",
        doctor,
        row.series_id,
        f"每周{week_word(weekday)} {words(span)}",
    )
    return row, laid


async def change_session(
    session: AsyncSession, actor: Actor, series_id: UUID, *, span: Span, period: Period
) -> tuple[WeeklySession, Laid]:
    """A new version from `period.valid_from` on; the one before ends on the day before."""
    old = await newest(session, series_id)
    await lock_timetable(session, old.practitioner_id)
    await session.refresh(old)
    doctor = await _filed(session, old.practitioner_id, old.department_code, period.valid_from)
    span = await _checked(session, doctor, span, period)
    before = old.span
    old.valid_to = period.valid_from - timedelta(days=1)
    row = WeeklySession(
        id=new_id(), series_id=series_id, version=old.version + 1, practitioner_id=old.practitioner_id,
        department_code=old.department_code, weekday=old.weekday, on_holidays=period.on_holidays,
        valid_from=period.valid_from, valid_to=period.valid_to, **_columns(span),
    )  # fmt: skip
    await session.flush()
    await _refuse_overlap(session, row)
    session.add(row)
    laid = await _arranged(session, old.practitioner_id, period.valid_from, [before, span])
    said = f"每周{week_word(old.weekday)} {words(before)} → {words(span)}，自 {period.valid_from}"
    _note(session, actor, "timetable.change_session", doctor, series_id, said)
    return row, laid


async def end_session(session: AsyncSession, actor: Actor, series_id: UUID, *, last_day: date) -> Laid:
    """The session is held on `last_day` for the last time."""
    row = await newest(session, series_id)
    await lock_timetable(session, row.practitioner_id)
    await session.refresh(row)
    if row.valid_to is not None and row.valid_to <= last_day:
        raise Conflict("该出诊已经在此之前结束", code="session_ended", issues=[_issue("last_day", "已结束")])
    if last_day < clock_of(session).today() - timedelta(days=1):
        raise invalid("last_day", "past", "不能早于昨天")
    row.valid_to = last_day
    laid = await _arranged(session, row.practitioner_id, last_day + timedelta(days=1), [row.span])
    doctor = await session.get_one(Practitioner, row.practitioner_id)
    said = f"每周{week_word(row.weekday)} {words(row.span)}，最后一次 {last_day}"
    _note(session, actor, "timetable.end_session", doctor, series_id, said)
    return laid


async def change_day(
    session: AsyncSession, actor: Actor, series_id: UUID, day: date, *, span: Span | None, reason: str
) -> tuple[DaySession, Laid]:
    """Other hours or places on one day; none at all when `span` is None."""
    weekly = await in_force_on(session, series_id, day)
    await lock_timetable(session, weekly.practitioner_id)
    doctor = await _filed(session, weekly.practitioner_id, weekly.department_code, day)
    checked = await _checked(session, doctor, span, Period(day)) if span else weekly.span
    query = select(DaySession).where(DaySession.series_id == series_id, DaySession.day == day)
    row = await session.scalar(query)
    before = weekly.span if row is None or row.dropped else row.span
    if row is None:
        row = DaySession(
            id=new_id(), series_id=series_id, practitioner_id=weekly.practitioner_id,
            department_code=weekly.department_code, day=day,
        )  # fmt: skip
        session.add(row)
    for name, value in _columns(checked).items():
        setattr(row, name, value)
    row.dropped, row.reason = span is None, reason
    laid = await _arranged(session, row.practitioner_id, day, [before, checked], last=day)
    said = f"{day} {words(before)} → {words(checked) if span else '不出诊'}"
    _note(session, actor, "timetable.change_day", doctor, row.id, said, reason)
    return row, laid


async def add_day(
    session: AsyncSession, actor: Actor, *, practitioner_id: UUID, department_code: str, day: date, span: Span,
    reason: str,
) -> tuple[DaySession, Laid]:  # fmt: skip
    """One more session on one day (加开)."""
    await lock_timetable(session, practitioner_id)
    doctor = await _filed(session, practitioner_id, department_code, day)
    span = await _checked(session, doctor, span, Period(day))
    row = DaySession(
        id=new_id(), practitioner_id=practitioner_id, department_code=department_code, day=day, reason=reason,
        dropped=False, **_columns(span),
    )  # fmt: skip
    session.add(row)
    laid = await _arranged(session, practitioner_id, day, [span], last=day)
    _note(session, actor, "timetable.add_day", doctor, row.id, f"{day} 加开 {words(span)}", reason)
    return row, laid


async def undo_day(session: AsyncSession, actor: Actor, day_session_id: UUID) -> Laid:
    """The day is as the week has it again."""
    row = await session.get(DaySession, day_session_id)
    if row is None:
        raise NotFound("没有找到这条单日调整")
    await lock_timetable(session, row.practitioner_id)
    doctor = await session.get_one(Practitioner, row.practitioner_id)
    spans = [row.span]
    if row.series_id is not None:
        spans.append((await in_force_on(session, row.series_id, row.day)).span)
    await session.delete(row)
    laid = await _arranged(session, row.practitioner_id, row.day, spans, last=row.day)
    _note(session, actor, "timetable.undo_day", doctor, row.id, f"{row.day} 恢复按周排班")
    return laid


async def newest(session: AsyncSession, series_id: UUID) -> WeeklySession:
    """The last version of a session; `NotFound`."""
    query = select(WeeklySession).where(WeeklySession.series_id == series_id)
    row = await session.scalar(query.order_by(WeeklySession.version.desc()).limit(1))
    if row is None:
        raise NotFound("没有找到该出诊安排")
    return row


async def in_force_on(session: AsyncSession, series_id: UUID, day: date) -> WeeklySession:
    """The version that holds on a day; `NotFound` when the session is not held then."""
    query = select(WeeklySession).where(WeeklySession.series_id == series_id)
    for row in await session.scalars(query.order_by(WeeklySession.version.desc())):
        if rules.in_force(row, day):
            return row
    raise NotFound("该出诊安排在这一天不生效")


def words(span: Span) -> str:
    """`08:00–12:00 每 60 分钟 6 号`."""
    hours = f"{rules.clock_words(span.begins)}–{rules.clock_words(span.ends)}"
    return f"{hours} 每 {span.segment} 分钟 {span.capacity} 号"


def week_word(weekday: int) -> str:
    """1 → 一."""
    return rules.WEEKDAYS[weekday - 1]


async def _filed(
    session: AsyncSession, practitioner_id: UUID, department_code: str, day: date
) -> Practitioner:
    """`Forbidden` naming the field of the form unless the doctor may practise there on that day (诊疗办法 Art 14)."""
    try:
        return await require_filed(session, practitioner_id, department_code, day)
    except Forbidden as error:
        issues = [Issue(_FIELDS.get(one.field, one.field), one.code, one.message) for one in error.issues]
        raise Forbidden(error.detail, code=error.code, issues=issues) from None


async def _checked(session: AsyncSession, doctor: Practitioner, span: Span, period: Period) -> Span:
    """The span with its price; `Invalid` with everything that is wrong."""
    if not span.price_code:
        span = Span(**{**vars(span), "price_code": visit_price_code(doctor.title_code)})
    issues = rules.span_issues(span)
    if period.valid_from < clock_of(session).today():
        issues.append(Issue("valid_from", "past", "不能早于今天"))
    if period.valid_to is not None and period.valid_to < period.valid_from:
        issues.append(Issue("valid_to", "before_begin", "截止日期不能早于生效日期"))
    try:
        await price(session, span.price_code)
    except NotFound:
        issues.append(Issue("price_code", "price_not_found", "价格表中没有该项目"))
    if issues:
        raise Invalid(issues[0].message, issues=issues)
    return span


async def _refuse_overlap(session: AsyncSession, row: WeeklySession) -> None:
    query = select(WeeklySession).where(
        WeeklySession.practitioner_id == row.practitioner_id, WeeklySession.weekday == row.weekday,
        WeeklySession.series_id != row.series_id,
    )  # fmt: skip
    for other in await session.scalars(query):
        held = other.valid_to is None or other.valid_to >= other.valid_from
        if held and rules.ever_together(row, other) and rules.overlap(row.span, other.span):
            said = f"与每周{week_word(other.weekday)} {words(other.span)} 的出诊重叠"
            raise Conflict(said, code="sessions_overlap", issues=[Issue("begins", "overlaps", said)])


async def _arranged(
    session: AsyncSession,
    practitioner_id: UUID,
    first: date,
    spans: Sequence[Span],
    *,
    last: date | None = None,
) -> Laid:
    """Slots of the days that are open already, arranged anew; `Conflict` when two sessions meet or a place is somebody's."""
    await session.flush()
    today = clock_of(session).today()
    horizon = today + timedelta(days=policy().open_days)
    await _refuse_clashes(session, practitioner_id, max(first, today), last or horizon)
    days = planning.days_between(max(first, today), min(last or horizon, horizon))
    laid = await lay_anew(session, practitioner_id, days, [(span.begins, span.ends) for span in spans])
    refuse_sold(laid)
    touch(session, STREAM)
    return laid


async def _refuse_clashes(session: AsyncSession, practitioner_id: UUID, first: date, last: date) -> None:
    """Also on days beyond the horizon that have changes of their own."""
    query = select(DaySession.day).where(
        DaySession.practitioner_id == practitioner_id, DaySession.day >= first
    )
    changed = set(await session.scalars(query))
    far = max([last, *changed])
    plan = await planning.load(session, practitioner_id, first, far)
    for day in sorted({*planning.days_between(first, last), *changed}):
        found = rules.sittings(day, plan.weekly, plan.changed, plan.calendar)
        for one, other in rules.clashes(found):
            said = f"{day} {words(one.span)} 与 {words(other.span)} 重叠"
            raise Conflict(said, code="sessions_overlap", issues=[Issue("begins", "overlaps", said)])


def _columns(span: Span) -> dict[str, int | str]:
    return dict(vars(span))


def _issue(field: str, message: str) -> Issue:
    return Issue(field, "not_possible", message)


def _note(
    session: AsyncSession,
    actor: Actor,
    action: str,
    doctor: Practitioner,
    about: UUID,
    said: str,
    reason: str = "",
) -> None:
    """An audit line in words that the log of the desk shows."""
    detail = {"who": doctor.name, "what": said} | ({"reason": reason} if reason else {})
    audit(session, actor, action, "timetable", about, detail=detail)
