"""The schedule desk: the week, a doctor's plan, one day, what all plans rest on, and who did what."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account.queries import staff_names
from backend.desk.declared import DeskCall, Shown, action, page
from backend.edge import ADMIN, SCHEDULE_MANAGER
from backend.policy import policy
from backend.practitioner import queries as practitioners
from backend.practitioner.model import Practitioner
from backend.pricing.queries import current_prices
from backend.timetable import board, keeping, mirroring, opening, queries, routes, rules, service
from backend.timetable.board import PARTS
from foundation.db.audit import AuditEvent
from foundation.errors import NotFound
from foundation.web.parsing import decode_query

WHO = [SCHEDULE_MANAGER, ADMIN]
HOME = "/desk/schedule"
DOCTOR = "/desk/schedule/doctors/{doctor}"
DAY = "/desk/schedule/doctors/{doctor}/days/{day}"
SETTINGS = "/desk/schedule-settings"
KINDS = {"weekly": "按周", "changed": "单日调整", "extra": "加开", "dropped": "不出诊"}
ACTIONS_IN_WORDS = {
    "timetable.add_session": "新增出诊", "timetable.change_session": "修改出诊", "timetable.end_session": "结束出诊",
    "timetable.change_day": "单日调整", "timetable.add_day": "单日加开", "timetable.undo_day": "撤销单日调整",
    "timetable.resize": "调整号数", "timetable.mark_day": "设置节假日", "timetable.clear_day": "取消节假日",
    "timetable.plan_pharmacist": "安排药师值班", "timetable.end_pharmacist": "结束药师值班",
    "timetable.close_uncovered": "关闭无药师时段", "timetable.set_source": "号源来源", "rescheduling.stop": "停诊",
    "rescheduling.move": "改约", "rescheduling.lift": "恢复出诊",
}  # fmt: skip
MOST = 200


class Filter(msgspec.Struct, frozen=True):
    """A department and any day of a week."""

    department: str = ""
    week: str = ""
    said: str = ""


async def week(call: DeskCall) -> Shown:
    """A department's doctors and what is sold of each part of each day."""
    wanted = decode_query(call.request.query_params, Filter)
    session, departments = call.session, await practitioners.departments(call.session)
    codes = [one.code for one in departments]
    code = wanted.department if wanted.department in codes else next(iter(codes), "")
    first = _day(wanted.week) or call.clock.today()
    doctors = [row for row, filed in await practitioners.doctors(session, code or None) if filed == code]
    words = {
        "departments": departments, "code": code, "rows": await board.department_week(session, doctors, code, first),
        "parts": [name for name, *_ in PARTS], "uncovered": await opening.uncovered(session),
        **await _frame(session, first),
    }  # fmt: skip
    return Shown("timetable/week.html", words)


async def doctor(call: DeskCall) -> Shown:
    """A doctor's week and her weekly sessions."""
    wanted = decode_query(call.request.query_params, Filter)
    who = await _doctor(call)
    first = _day(wanted.week) or call.clock.today()
    words = {
        "doctor": who, "days": await board.doctor_days(call.session, who, board.week_from(first)),
        "sessions": await board.current_sessions(call.session, who), **await _choices(call.session, who),
        **await _frame(call.session, first),
    }  # fmt: skip
    return Shown("timetable/doctor.html", words)


async def session(call: DeskCall) -> Shown:
    """One weekly session with its versions: to be changed from a day on, or ended."""
    who = await _doctor(call)
    newest = await service.newest(call.session, call.id())
    if newest.practitioner_id != who.id:
        raise NotFound("没有找到该出诊安排")
    words = {
        "doctor": who, "row": newest, "versions": await queries.versions(call.session, newest.series_id),
        **await _choices(call.session, who), **await _frame(call.session, call.clock.today()),
    }  # fmt: skip
    return Shown("timetable/session.html", words)


async def day(call: DeskCall) -> Shown:
    """One day slot by slot."""
    who = await _doctor(call)
    wanted = _day(str(call.request.path_params["day"]))
    if wanted is None:
        raise NotFound("没有这一天")
    (found,) = await board.doctor_days(call.session, who, [wanted])
    words = {
        "doctor": who, "found": found, "before": wanted - timedelta(days=1), "after": wanted + timedelta(days=1),
        "past": wanted < call.clock.today(), **await _choices(call.session, who),
        **await _frame(call.session, wanted),
    }  # fmt: skip
    return Shown("timetable/day.html", words)


async def settings(call: DeskCall) -> Shown:
    """Holidays, pharmacists' hours and where slots come from."""
    session = call.session
    departments = await practitioners.departments(session)
    sources = await queries.sources(session)
    doctors = {row.id: row.name for row, _ in await practitioners.doctors(session)}
    words = {
        "special": await queries.special_days(session), "hours": await board.pharmacists_plan(session),
        "pharmacists": await keeping.pharmacists(session), "departments": departments, "sources": sources,
        "source_words": mirroring.WORDS, "doctors": doctors, "stale_ids": {row.id for row in await board.stale_sources(session)},
        "hours_words": keeping.hours_words, "day_kinds": keeping.KINDS, "uncovered": await opening.uncovered(session),
        "limits": policy(), **await _frame(session, call.clock.today()),
    }  # fmt: skip
    return Shown("timetable/settings.html", words)


async def log(call: DeskCall) -> Shown:
    """Who did what, newest first; what was refused too."""
    query = select(AuditEvent).where(
        AuditEvent.subject_kind.in_(("timetable", "schedule-change"))
        | AuditEvent.action.in_(ACTIONS_IN_WORDS)
    )
    lines = (await call.session.scalars(query.order_by(AuditEvent.ordinal.desc()).limit(MOST))).all()
    names = await staff_names(call.session, [one.actor_id for one in lines])
    words = {"lines": lines, "names": names, "deed": ACTIONS_IN_WORDS, "most": MOST}
    return Shown("timetable/log.html", words)


async def _doctor(call: DeskCall) -> Practitioner:
    row = await practitioners.practitioner(call.session, call.id("doctor"))
    if row.kind != "doctor":
        raise NotFound("没有找到该医生")
    return row


async def _choices(session: AsyncSession, who: Practitioner) -> dict[str, Any]:
    """What the forms of a doctor offer."""
    names = {one.code: one.name for one in await practitioners.departments(session)}
    filed = [code for row, code in await practitioners.doctors(session) if row.id == who.id]
    visits = {one.code: one.name for one in await current_prices(session) if one.code.startswith("visit.")}
    return {
        "names": names, "filed": filed, "prices": visits, "modes": rules.MODES, "kinds": KINDS,
        "clock": rules.clock_words, "weekdays": rules.WEEKDAYS,
    }  # fmt: skip


async def _frame(session: AsyncSession, first: date) -> dict[str, Any]:
    """The seven days of a page, and the banner about mirrors."""
    stale = await board.stale_sources(session)
    return {
        "first": first, "last": first + timedelta(days=6), "previous": first - timedelta(days=7),
        "next": first + timedelta(days=7), "week_days": board.week_from(first), "weekday_words": rules.WEEKDAYS,
        "stale": stale, "stale_names": await _names(session, [row.department_code for row in stale]),
    }  # fmt: skip


async def _names(session: AsyncSession, codes: Sequence[str]) -> dict[str, str]:
    return {one.code: one.name for one in await practitioners.departments(session) if one.code in codes}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


WEEK_PAGE = page(HOME, week, title="排班", roles=WHO, menu="排班", live=[opening.STREAM])
DOCTOR_PAGE = page(DOCTOR, doctor, title="医生排班", roles=WHO)
SESSION_PAGE = page(f"{DOCTOR}/sessions/{{id}}", session, title="每周出诊", roles=WHO)
DAY_PAGE = page(DAY, day, title="单日排班", roles=WHO)
SETTINGS_PAGE = page(SETTINGS, settings, title="节假日、药师与号源", roles=WHO, menu="节假日与药师")
LOG_PAGE = page("/desk/schedule-log", log, title="排班操作记录", roles=WHO, menu="排班记录")
PAGES = [WEEK_PAGE, DOCTOR_PAGE, SESSION_PAGE, DAY_PAGE, SETTINGS_PAGE, LOG_PAGE]
E = routes.ENDPOINTS
ACTIONS = [
    action(f"{DOCTOR}/sessions", E, routes.add_session, back=DOCTOR_PAGE, then=DOCTOR, said="已新增每周出诊，并开放了近期号源。"),
    action(f"{DOCTOR}/sessions/{{id}}", E, routes.change_session, back=SESSION_PAGE, then=DOCTOR, said="已修改每周出诊。"),
    action(f"{DOCTOR}/sessions/{{id}}/end", E, routes.end_session, back=SESSION_PAGE, then=DOCTOR, said="已设置出诊结束日期。"),
    action(f"{DAY}/sessions/{{id}}", E, routes.change_day, back=DAY_PAGE, then=DAY, said="已调整这一天的出诊。"),
    action(f"{DAY}/sessions/{{id}}/drop", E, routes.drop_day, back=DAY_PAGE, then=DAY, said="这一天不再出诊。"),
    action(f"{DAY}/add", E, routes.add_day, back=DAY_PAGE, then=DAY, said="已加开。"),
    action(f"{DAY}/changes/{{id}}/undo", E, routes.undo_day, back=DAY_PAGE, then=DAY, said="已恢复按周排班。"),
    action(f"{DAY}/slots/{{id}}/places", E, routes.resize_slot, back=DAY_PAGE, then=DAY, said="号数已调整。"),
    action(f"{SETTINGS}/days", E, routes.mark_day, back=SETTINGS_PAGE, then=SETTINGS, said="已设置。"),
    action(f"{SETTINGS}/days/clear", E, routes.clear_day, back=SETTINGS_PAGE, then=SETTINGS, said="已恢复为普通日。"),
    action(f"{SETTINGS}/pharmacists", E, routes.plan_pharmacist, back=SETTINGS_PAGE, then=SETTINGS, said="已安排药师值班。"),
    action(f"{SETTINGS}/pharmacists/{{id}}/end", E, routes.end_pharmacist, back=SETTINGS_PAGE, then=SETTINGS,
           said="已设置值班结束日期。"),
    action(f"{SETTINGS}/uncovered/close", E, routes.close_uncovered, back=SETTINGS_PAGE, then=SETTINGS,
           said="没有药师值班的空闲时段已关闭。"),
    action(f"{SETTINGS}/sources", E, routes.set_source, back=SETTINGS_PAGE, then=SETTINGS, said="号源来源已保存。"),
    action(f"{SETTINGS}/sources/{{id}}/read", E, routes.read_source, back=SETTINGS_PAGE, then=SETTINGS,
           said="正在同步院内号源，请稍后刷新。"),
]  # fmt: skip
