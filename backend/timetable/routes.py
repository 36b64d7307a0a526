"""The plan through the API: sessions, single days, the calendar, pharmacists' hours, where slots come from."""

from backend.edge import ADMIN, SCHEDULE_MANAGER, ApiCall, ApiEndpoint, Family
from backend.timetable import keeping, mirroring, opening, queries, service, wire
from foundation.web.endpoint import act, get, send


async def list_sessions(call: ApiCall) -> list[wire.SessionView]:
    """Weekly sessions that hold today or later."""
    found = await queries.weekly(call.session, call.query.practitioner)
    return [wire.session_view(row) for row in found]


async def add_session(call: ApiCall, body: wire.AddSession) -> wire.SessionView:
    """A doctor sits every week."""
    row, laid = await service.add_session(
        call.session, call.actor, practitioner_id=body.practitioner_id, department_code=body.department_code,
        weekday=body.weekday, span=body.span(), period=body.period(),
    )  # fmt: skip
    return wire.session_view(row, laid)


async def change_session(call: ApiCall, body: wire.ChangeSession) -> wire.SessionView:
    """A new version from a day on."""
    row, laid = await service.change_session(
        call.session, call.actor, call.id(), span=body.span(), period=body.period()
    )
    return wire.session_view(row, laid)


async def end_session(call: ApiCall, body: wire.EndSession) -> wire.LaidView:
    """Held for the last time."""
    laid = await service.end_session(call.session, call.actor, call.id(), last_day=body.last_day)
    return wire.laid_view(laid)


async def change_day(call: ApiCall, body: wire.ChangeDay) -> wire.DaySessionView:
    """Other hours or places on one day."""
    row, laid = await service.change_day(
        call.session, call.actor, call.id(), body.day, span=body.span(), reason=body.reason
    )
    return wire.day_view(row, laid)


async def drop_day(call: ApiCall, body: wire.DropDay) -> wire.DaySessionView:
    """Not held on one day."""
    row, laid = await service.change_day(
        call.session, call.actor, call.id(), body.day, span=None, reason=body.reason
    )
    return wire.day_view(row, laid)


async def add_day(call: ApiCall, body: wire.AddDay) -> wire.DaySessionView:
    """One more session on one day."""
    row, laid = await service.add_day(
        call.session, call.actor, practitioner_id=body.practitioner_id, department_code=body.department_code,
        day=body.day, span=body.span(), reason=body.reason,
    )  # fmt: skip
    return wire.day_view(row, laid)


async def undo_day(call: ApiCall) -> wire.LaidView:
    """As the week has it again."""
    return wire.laid_view(await service.undo_day(call.session, call.actor, call.id()))


async def resize_slot(call: ApiCall, body: wire.ResizeSlot) -> None:
    """More or fewer places in one slot."""
    await opening.resize(call.session, call.actor, call.id(), capacity=body.capacity)


async def list_special_days(call: ApiCall) -> list[wire.CalendarDayView]:
    """Holidays and make-up days."""
    return [wire.calendar_view(row) for row in await queries.special_days(call.session)]


async def mark_day(call: ApiCall, body: wire.MarkDay) -> wire.CalendarDayView:
    """A holiday or a make-up day."""
    row, _ = await keeping.mark_day(
        call.session, call.actor, body.day, kind=body.kind, name=body.name, as_weekday=body.as_weekday
    )
    return wire.calendar_view(row)


async def clear_day(call: ApiCall, body: wire.ClearDay) -> wire.LaidView:
    """An ordinary day again."""
    return wire.laid_view(await keeping.clear_day(call.session, call.actor, body.day))


async def list_pharmacists_hours(call: ApiCall) -> list[wire.PharmacistHoursView]:
    """When pharmacists are planned to review."""
    return [wire.hours_view(row, who.name) for row, who in await queries.pharmacists_hours(call.session)]


async def plan_pharmacist(call: ApiCall, body: wire.PlanPharmacist) -> wire.PharmacistHoursView:
    """A pharmacist reviews every week, or on one day."""
    begins, ends = body.minutes()
    row = await keeping.plan_pharmacist(
        call.session, call.actor, body.practitioner_id, weekday=body.weekday, day=body.day, begins=begins, ends=ends,
        valid_from=body.valid_from, valid_to=body.valid_to,
    )  # fmt: skip
    return wire.hours_view(row, "")


async def end_pharmacist(call: ApiCall, body: wire.EndSession) -> None:
    """For the last time."""
    await keeping.end_pharmacist(call.session, call.actor, call.id(), last_day=body.last_day)


async def list_uncovered(call: ApiCall) -> list[wire.UncoveredView]:
    """Open slots after whose end no pharmacist is planned."""
    return [
        wire.UncoveredView(
            row.id, row.practitioner_id, row.starts_at, row.ends_at, row.capacity - row.remaining
        )
        for row in await opening.uncovered(call.session)
    ]


async def close_uncovered(call: ApiCall) -> wire.Count:
    """Close those that nobody has a place in."""
    return wire.Count(await opening.close_uncovered(call.session, call.actor))


async def list_sources(call: ApiCall) -> list[wire.SourceView]:
    """Where slots come from."""
    found = await queries.sources(call.session)
    return [wire.source_view(row, stale=mirroring.stale(row, call.clock.now())) for row in found]


async def set_source(call: ApiCall, body: wire.SetSource) -> wire.SourceView:
    """Own sessions, or the hospital's system."""
    row = await mirroring.set_source(
        call.session, call.actor, department_code=body.department_code, practitioner_id=body.practitioner_id,
        source=body.source,
    )  # fmt: skip
    return wire.source_view(row, stale=mirroring.stale(row, call.clock.now()))


async def read_source(call: ApiCall) -> None:
    """Read the hospital's slots now."""
    await mirroring.ask_to_read(call.session, call.id())


WHO = [SCHEDULE_MANAGER, ADMIN]
CARE = Family.ONLINE_TREATMENT
ENDPOINTS: list[ApiEndpoint] = [
    get("/timetable/sessions", list_sessions, reply=list[wire.SessionView], query=wire.DoctorQuery, summary="每周出诊",
        family=CARE, roles=WHO),
    send("POST", "/timetable/sessions", add_session, body=wire.AddSession, reply=wire.SessionView, summary="新增每周出诊",
         family=CARE, roles=WHO, status=201, audited="timetable.add_session"),
    send("PUT", "/timetable/sessions/{id}", change_session, body=wire.ChangeSession, reply=wire.SessionView,
         summary="修改每周出诊", family=CARE, roles=WHO, audited="timetable.change_session"),
    send("POST", "/timetable/sessions/{id}/end", end_session, body=wire.EndSession, reply=wire.LaidView,
         summary="结束每周出诊", family=CARE, roles=WHO, audited="timetable.end_session"),
    send("POST", "/timetable/sessions/{id}/days", change_day, body=wire.ChangeDay, reply=wire.DaySessionView,
         summary="单日调整", family=CARE, roles=WHO, audited="timetable.change_day"),
    send("POST", "/timetable/sessions/{id}/drop", drop_day, body=wire.DropDay, reply=wire.DaySessionView,
         summary="单日不出诊", family=CARE, roles=WHO, audited="timetable.change_day"),
    send("POST", "/timetable/days", add_day, body=wire.AddDay, reply=wire.DaySessionView, summary="单日加开",
         family=CARE, roles=WHO, status=201, audited="timetable.add_day"),
    act("DELETE", "/timetable/days/{id}", undo_day, reply=wire.LaidView, summary="撤销单日调整", family=CARE, roles=WHO,
        audited="timetable.undo_day"),
    send("PUT", "/slots/{id}/places", resize_slot, body=wire.ResizeSlot, summary="调整时段号数", family=CARE, roles=WHO,
         status=204, audited="timetable.resize"),
    get("/timetable/calendar", list_special_days, reply=list[wire.CalendarDayView], summary="节假日与调休", family=CARE,
        roles=WHO),
    send("PUT", "/timetable/calendar", mark_day, body=wire.MarkDay, reply=wire.CalendarDayView, summary="设置节假日或调休",
         family=CARE, roles=WHO, audited="timetable.mark_day"),
    send("POST", "/timetable/calendar/clear", clear_day, body=wire.ClearDay, reply=wire.LaidView, summary="恢复普通日",
         family=CARE, roles=WHO, audited="timetable.clear_day"),
    get("/timetable/pharmacists", list_pharmacists_hours, reply=list[wire.PharmacistHoursView], summary="药师值班计划",
        family=CARE, roles=WHO),
    send("POST", "/timetable/pharmacists", plan_pharmacist, body=wire.PlanPharmacist, reply=wire.PharmacistHoursView,
         summary="新增药师值班", family=CARE, roles=WHO, status=201, audited="timetable.plan_pharmacist"),
    send("POST", "/timetable/pharmacists/{id}/end", end_pharmacist, body=wire.EndSession, summary="结束药师值班",
         family=CARE, roles=WHO, status=204, audited="timetable.end_pharmacist"),
    get("/timetable/uncovered", list_uncovered, reply=list[wire.UncoveredView], summary="没有药师值班的时段", family=CARE,
        roles=WHO),
    act("POST", "/timetable/uncovered/close", close_uncovered, reply=wire.Count, summary="关闭没有药师值班的空闲时段",
        family=CARE, roles=WHO, audited="timetable.close_uncovered"),
    get("/timetable/sources", list_sources, reply=list[wire.SourceView], summary="号源来源", family=CARE, roles=WHO),
    send("PUT", "/timetable/sources", set_source, body=wire.SetSource, reply=wire.SourceView, summary="设置号源来源",
         family=CARE, roles=WHO, audited="timetable.set_source"),
    act("POST", "/timetable/sources/{id}/read", read_source, summary="立即同步院内号源", family=CARE, roles=WHO,
        status=204),
]  # fmt: skip
