"""Reporting, supplementing, accepting, closing. Each report goes into the outbox in the transaction that keeps it."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.adverse_event import queries, rules
from backend.adverse_event.model import AdverseEvent, AdverseReport
from backend.adverse_event.rules import Told, Whom
from backend.adverse_event.states import REPORTERS
from backend.alarm import service as alarm
from backend.encounter import queries as encounters
from backend.practitioner import queries as practitioners
from backend.practitioner.model import Department, Filing, Practitioner
from contracts import events
from foundation.actor import Actor
from foundation.clock import local
from foundation.db.advance import advance
from foundation.db.audit import audit
from foundation.db.locks import lock, lock_stream
from foundation.db.outbox import publish
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import Conflict, Invalid, Issue
from foundation.ids import new_id

ALARM = "adverse_event_grave"
DESK = "desk:adverse_events"
"""Stream of the list, for the desk that shows it live."""
NOT_VERIFIED = date(1900, 1, 1)
"""Birth date of a patient of whom only a name and a telephone are known; no record of an adverse event tells one."""


async def report(
    session: AsyncSession, actor: Actor, *, kind: str, whom: Whom, told: Told, form_id: UUID | None = None
) -> AdverseEvent:
    """A new event, told to the city at once. The same form sent twice is one report."""
    actor.need(*REPORTERS)
    row_id = form_id or new_id()
    await lock_stream(session, f"adverse_event:{row_id}")
    if (made := await session.get(AdverseEvent, row_id)) is not None:
        if made.reporter_id != actor.id:
            raise Conflict("该报告已由他人提交", code="adverse_event_known")
        return made
    now = clock_of(session).now()
    visit, issues = await _visit(session, actor, whom)
    issues = rules.kind_issues(kind) + issues + rules.told_issues(told, now)
    _refuse(issues)
    name, phone = (
        (visit.patient.name, visit.patient.phone) if visit else (whom.name.strip(), whom.phone.strip())
    )
    assert actor.id is not None
    row = AdverseEvent(
        id=row_id, number=f"AE{local(now):%Y%m%d}{new_id().hex[-10:].upper()}", kind=kind,
        encounter_id=visit.encounter_id if visit else None, patient_name=name, patient_phone=phone, reporter_id=actor.id,
        reports=1, urgent=told.damage in rules.URGENT, reported_at=now,
    )  # fmt: skip
    session.add(row)
    await session.flush()
    event = await _written(session, actor, row, told, visit, now)
    await publish(session, row.stream, event)
    audit(session, actor, "adverse_event.report", "adverse_event", row.id)
    await _ring(session, row)
    return row


async def supplement(
    session: AsyncSession, actor: Actor, event_id: UUID, told: Told, seen: int
) -> AdverseEvent:
    """What became known later, or was wrong: another report to the city. `seen` is how many its writer had before her."""
    await queries.visible(session, actor, event_id)
    row = await lock(session, AdverseEvent, event_id)
    now = clock_of(session).now()
    _refuse(rules.told_issues(told, now))
    if row.reports != seen:
        if row.reports == seen + 1 and await _told_already(session, actor, row, told):
            return row
        raise Conflict("其间已有新的补充报告，请先查看", code="adverse_event_supplemented")
    visit = await _snapshot(session, row)
    row.reports += 1
    event = await _written(session, actor, row, told, visit, now)
    await advance(session, row, "supplement", actor, event=event, urgent=told.damage in rules.URGENT)
    await _ring(session, row)
    return row


async def accept(
    session: AsyncSession, actor: Actor, event_id: UUID, *, kind: str, grade: str, note: str, seen: int
) -> AdverseEvent:
    """The quality department has looked at all of it, and classifies."""
    _refuse(rules.judged_issues(kind, grade, note))
    row = await _as_seen(session, actor, event_id, seen)
    now = clock_of(session).now()
    await advance(
        session, row, "accept", actor, kind=kind, grade=grade, note=note.strip(), accepted_at=now, accepted_name=actor.name
    )  # fmt: skip
    await alarm.over(session, ALARM, row.id)
    touch(session, DESK)
    return row


async def close(session: AsyncSession, actor: Actor, event_id: UUID, *, note: str, seen: int) -> AdverseEvent:
    """It is settled, in these words."""
    _refuse(rules.closing_issues(note))
    row = await _as_seen(session, actor, event_id, seen)
    now = clock_of(session).now()
    await advance(session, row, "close", actor, result=note.strip(), closed_at=now, closed_name=actor.name)
    touch(session, DESK)
    return row


async def _as_seen(session: AsyncSession, actor: Actor, event_id: UUID, seen: int) -> AdverseEvent:
    """The row, locked; a report that came while its reader wrote must be read first."""
    await queries.visible(session, actor, event_id)
    row = await lock(session, AdverseEvent, event_id)
    if row.reports != seen:
        raise Conflict("其间有新的补充报告，请先查看", code="adverse_event_supplemented")
    return row


def _refuse(issues: list[Issue]) -> None:
    if issues:
        raise Invalid(
            issues[0].message if len(issues) == 1 else f"有 {len(issues)} 处需要修改", issues=issues
        )


async def _visit(session: AsyncSession, actor: Actor, whom: Whom) -> tuple[events.Visit | None, list[Issue]]:
    issues = rules.whom_issues(whom)
    if not whom.visit_number.strip():
        return None, issues
    number = rules.number_of(whom.visit_number)
    found = await queries.visit(session, actor, number) if number else None
    if found is None:
        return None, [Issue("visit_number", "unknown_visit", "没有找到该次就诊，请核对就诊编号")]
    return await encounters.snapshot(session, found), issues


async def _snapshot(session: AsyncSession, row: AdverseEvent) -> events.Visit | None:
    if row.encounter_id is None:
        return None
    return await encounters.snapshot(session, await encounters.encounter(session, row.encounter_id))


async def _told_already(session: AsyncSession, actor: Actor, row: AdverseEvent, told: Told) -> bool:
    """Whether the last report is this one: the same form sent twice."""
    last = (await queries.reports(session, row.id))[-1]
    same = ("description", "cause", "measures", "damage", "improvements")
    return last.reporter_id == actor.id and all(
        getattr(last, name) == getattr(told, name).strip() for name in same
    )


async def _written(
    session: AsyncSession,
    actor: Actor,
    row: AdverseEvent,
    told: Told,
    visit: events.Visit | None,
    now: datetime,
) -> events.AdverseEventReported:
    """Keeps a report, and makes what the city hears of it."""
    happened = rules.moment_of(told.happened_at)
    assert happened is not None
    assert actor.id is not None
    by, department = await _reporter(session, actor, visit)
    number = row.number if row.reports == 1 else f"{row.number}-{row.reports}"
    made = AdverseReport(
        id=new_id(), event_id=row.id, sequence=row.reports, number=number, happened_at=happened,
        description=told.description.strip(), cause=told.cause.strip(), measures=told.measures.strip(), damage=told.damage,
        improvements=told.improvements.strip(), reporter_id=actor.id, reporter_name=by.name, department=department.name,
        reported_at=now,
    )  # fmt: skip
    session.add(made)
    description = (
        made.description if row.reports == 1 else rules.supplement_words(row.number, made.description)
    )
    return events.AdverseEventReported(
        event_number=number, person=visit.patient if visit else _somebody(row), visit=visit, description=description,
        happened_at=happened, cause=made.cause, measures=made.measures, damage_degree=rules.DAMAGE[told.damage],
        improvements=made.improvements, reported_by=by, department=department, reported_at=now,
    )  # fmt: skip


def _somebody(row: AdverseEvent) -> events.Person:
    """Who had no visit here: a name and a telephone, an id that is the event's own."""
    return events.Person(
        person_id=row.id, name=row.patient_name, id_number="", sex="", birth_date=NOT_VERIFIED, phone=row.patient_phone,
        id_kind="99",
    )  # fmt: skip


async def _reporter(
    session: AsyncSession, actor: Actor, visit: events.Visit | None
) -> tuple[events.Practitioner, events.Department]:
    """Who reports, and for which department: a doctor for that of the visit, or the first she is filed for; others for their office."""
    assert actor.id is not None
    filed = await session.get(Practitioner, actor.id)
    if filed is None:
        by = events.Practitioner(
            practitioner_id=actor.id, code="", name=actor.name, id_number="", licence_number="", title_code="", title_name=""
        )  # fmt: skip
    else:
        by = practitioners.snapshot(filed)
    if actor.has("doctor") and visit is not None:
        return by, visit.department
    query = select(Department).join(Filing, Filing.department_code == Department.code)
    query = query.where(Filing.practitioner_id == actor.id).order_by(Department.code).limit(1)
    if (department := await session.scalar(query)) is not None:
        return by, practitioners.department_snapshot(department)
    office = next(rules.OFFICES[role] for role in REPORTERS if actor.has(role))
    return by, events.Department(code="", name=office, subject_code="", subject_name="")


async def _ring(session: AsyncSession, row: AdverseEvent) -> None:
    """Grave harm does not wait until somebody looks at the list."""
    touch(session, DESK)
    if row.urgent:
        words = f"不良事件 {row.number} 造成严重损害，请质控部门立即处理"
        await alarm.ring(session, ALARM, row.id, words, link=f"/desk/adverse-events/{row.id}")
