"""Slots kept by the hospital's own system: read through the gateway, mirrored here, sold only while the mirror is fresh.

A slot of theirs is one place. One that is busy there is not sold here; one that a patient of ours has is never taken away by
a mirror: what the hospital changed under her is a problem for a person. What we sold we take there too (`writeback`), so that a
busy slot may be our own doing: `Standing` tells.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Standings
from backend.policy import policy
from backend.practitioner.model import Filing, Practitioner
from backend.practitioner.queries import department as department_of
from backend.pricing.service import visit_price_code
from backend.schedule.model import Slot
from backend.timetable import planning, rules
from backend.timetable.laying import lay_anew, lock_timetable
from backend.timetable.model import MirroredSlot, ScheduleSource
from backend.timetable.opening import STREAM, ask_to_open
from contracts import his
from foundation.actor import Actor
from foundation.clock import local
from foundation.db.audit import audit
from foundation.db.base import hospital_id
from foundation.db.intents import intend
from foundation.db.locks import lock_stream
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import Conflict, Forbidden, Issue, NotFound
from foundation.ids import new_id

READ = "timetable.read"
WORDS = {"own": "本院排班", "his": "院内系统"}
TAKEN_THERE = "院内已被占用，请为患者改约或退费"


def fresh_for() -> timedelta:
    """How long a mirror may be trusted."""
    return timedelta(minutes=policy().his_fresh_minutes)


def stale(row: ScheduleSource, now: datetime) -> bool:
    """Whether a mirror has not been read for too long: its slots are not sold."""
    return row.source == "his" and (row.read_at is None or row.read_at + fresh_for() <= now)


async def set_source(
    session: AsyncSession, actor: Actor, *, department_code: str, practitioner_id: UUID | None, source: str
) -> ScheduleSource:
    """Where slots come from, from now on. Places that somebody has stay; unsold slots of the other source are closed."""
    where = await department_of(session, department_code)
    await lock_stream(session, "timetable:sources")
    doctors = await _doctors(session, department_code, practitioner_id)
    if practitioner_id is not None and practitioner_id not in doctors:
        said = "该医生未在本科室备案"
        raise Forbidden(said, code="not_licensed", issues=[Issue("practitioner_id", "not_filed", said)])
    query = select(ScheduleSource).where(
        ScheduleSource.department_code == department_code,
        ScheduleSource.practitioner_id.is_not_distinct_from(practitioner_id),
    )
    row = await session.scalar(query)
    if row is None:
        row = ScheduleSource(id=new_id(), department_code=department_code, practitioner_id=practitioner_id)
        session.add(row)
    row.source, row.changed_at, row.problem = source, clock_of(session).now(), ""
    row.read_at = row.tried_at = None
    await session.flush()
    await _close_others(session, sorted(doctors), department_code, source)
    if source == "his":
        await intend(session, READ, row.id)
    await ask_to_open(session)
    touch(session, STREAM)
    who = doctors[practitioner_id].name if practitioner_id else where.name
    audit(session, actor, "timetable.set_source", "timetable", row.id,
          detail={"who": who, "what": f"号源来源：{WORDS[source]}"})  # fmt: skip
    return row


async def ask_to_read(session: AsyncSession, source_id: UUID) -> None:
    """Read the hospital's slots now."""
    row = await session.get(ScheduleSource, source_id)
    if row is None:
        raise NotFound("没有找到该号源来源")
    if row.source != "his":
        raise Conflict("该科室使用本院排班，不需要同步", code="not_mirrored")
    await intend(session, READ, row.id)


async def _doctors(
    session: AsyncSession, department_code: str, practitioner_id: UUID | None
) -> dict[UUID, Practitioner]:
    """Active doctors filed for the department; the one alone when named."""
    query = (
        select(Practitioner)
        .join(Filing, Filing.practitioner_id == Practitioner.id)
        .where(Filing.department_code == department_code, Practitioner.kind == "doctor", Practitioner.active)
    )
    if practitioner_id is not None:
        query = query.where(Practitioner.id == practitioner_id)
    return {row.id: row for row in await session.scalars(query)}


async def _close_others(
    session: AsyncSession, doctors: Iterable[UUID], department_code: str, source: str
) -> None:
    now, today = clock_of(session).now(), clock_of(session).today()
    days = planning.days_between(today, today + timedelta(days=policy().open_days))
    for doctor in doctors:
        await lock_timetable(session, doctor)
        if source == "own":
            await session.execute(
                update(Slot)
                .where(
                    Slot.practitioner_id == doctor, Slot.department_code == department_code, Slot.source == "his",
                    Slot.starts_at > now, Slot.remaining == Slot.capacity, Slot.stopped_at.is_(None),
                )
                .values(stopped_at=now)
                .execution_options(synchronize_session=False)
            )  # fmt: skip
        await lay_anew(session, doctor, days, [(0, rules.DAY)])


def question(row: ScheduleSource, doctor: str, today: date) -> his.Slots:
    """What the hospital is asked: slots of the department for as many days as are opened ahead."""
    return his.Slots(
        purpose="schedule", department_code=row.department_code, practitioner_code=doctor, first=today,
        last=today + timedelta(days=policy().open_days),
    )  # fmt: skip


@dataclass
class Mirrored:
    """What one reading did; `problems` are for a person."""

    opened: int = 0
    changed: int = 0
    closed: int = 0
    problems: list[str] = field(default_factory=list)


async def nothing_told(session: AsyncSession, slots: Sequence[UUID]) -> Mapping[UUID, str]:
    """Of a hospital that hears nothing from us."""
    return {}


async def mirror(
    session: AsyncSession,
    source_id: UUID,
    found: Sequence[his.HospitalSlot],
    standings: Standings = nothing_told,
) -> Mirrored:
    """Make our mirror of one source what the hospital said just now; `standings` is what it was told of our places."""
    now, today = clock_of(session).now(), clock_of(session).today()
    await lock_stream(session, "timetable:sources")
    source = await session.get_one(ScheduleSource, source_id, populate_existing=True)
    done = Mirrored()
    if source.source != "his":
        return done
    doctors = await _doctors(session, source.department_code, source.practitioner_id)
    by_code = {row.code: row for row in doctors.values()}
    last = today + timedelta(days=policy().open_days)
    on_duty = await planning.duty(session, today, last)
    for doctor in sorted(by_code.values(), key=lambda one: one.id):
        theirs = {
            one.slot_id: one
            for one in found
            if one.practitioner_code == doctor.code and one.starts_at > now and one.ends_at > one.starts_at
        }
        if not await _is_mirrored(session, doctor.id, source):
            continue
        await lock_timetable(session, doctor.id)
        await _mirror_doctor(session, doctor, source.department_code, theirs, on_duty, done, standings)
    source.tried_at = source.read_at = now
    source.problem = "；".join(done.problems)[:200]
    touch(session, STREAM)
    return done


async def _is_mirrored(session: AsyncSession, doctor: UUID, source: ScheduleSource) -> bool:
    """A doctor with a line of her own is not part of her department's."""
    if source.practitioner_id is not None:
        return True
    query = select(ScheduleSource.id).where(
        ScheduleSource.department_code == source.department_code, ScheduleSource.practitioner_id == doctor
    )
    return await session.scalar(query) is None


async def _mirror_doctor(
    session: AsyncSession, doctor: Practitioner, department_code: str, theirs: Mapping[str, his.HospitalSlot],
    on_duty: Sequence[rules.Moments], done: Mirrored, standings: Standings,
) -> None:  # fmt: skip
    now = clock_of(session).now()
    query = (
        select(Slot, MirroredSlot)
        .outerjoin(MirroredSlot, MirroredSlot.slot_id == Slot.id)
        .where(Slot.practitioner_id == doctor.id, Slot.starts_at > now)
        .order_by(Slot.id)
        .with_for_update(of=Slot)
        .execution_options(populate_existing=True)
    )
    rows: list[tuple[Slot, MirroredSlot | None]] = [
        (row[0], row[1]) for row in (await session.execute(query)).all()
    ]
    known = {mark.external_id: (slot, mark) for slot, mark in rows if mark is not None}
    told = await standings(session, [slot.id for slot, _ in known.values()])
    theirs = await _without_stopped(session, doctor, department_code, theirs)
    for slot_id, (slot, mark) in known.items():
        if slot_id not in theirs and slot.source == "his":
            _missing(slot, doctor, done, now)
        elif slot_id in theirs:
            mark.seen_at = now
    live = [slot for slot, _ in rows if slot.stopped_at is None]
    by_start = {slot.starts_at: slot for slot, mark in rows if mark is None and slot.stopped_at is not None}
    for slot_id, one in sorted(theirs.items(), key=lambda pair: pair[1].starts_at):
        if slot_id in known:
            slot = known[slot_id][0]
            _follow(slot, one, told.get(slot.id, ""), doctor, done, now)
        elif one.status == "free" and rules.covered(one.ends_at, on_duty, policy()):
            if any(slot.starts_at < one.ends_at and one.starts_at < slot.ends_at for slot in live):
                continue  # a slot of ours that somebody has is in the way
            await _open(session, doctor, department_code, one, by_start.get(one.starts_at), done)


async def _without_stopped(
    session: AsyncSession, doctor: Practitioner, department_code: str, theirs: Mapping[str, his.HospitalSlot]
) -> dict[str, his.HospitalSlot]:
    """What was stopped here is busy, whatever the hospital says of it."""
    last = clock_of(session).today() + timedelta(days=policy().open_days)
    stops = await planning.stops(session, doctor.id, [department_code], clock_of(session).today(), last)
    return {
        slot_id: msgspec.structs.replace(one, status="busy")
        if any(stop.starts_at < one.ends_at and one.starts_at < stop.ends_at for stop in stops)
        else one
        for slot_id, one in theirs.items()
    }


def _missing(slot: Slot, doctor: Practitioner, done: Mirrored, now: datetime) -> None:
    if slot.remaining < slot.capacity:
        if slot.stopped_at is None:
            done.problems.append(
                f"{doctor.name} {local(slot.starts_at):%m-%d %H:%M} 院内已取消，但有患者已预约"
            )
            slot.fresh_until = now
    elif slot.stopped_at is None:
        slot.stopped_at = now
        done.closed += 1


def _follow(
    slot: Slot, one: his.HospitalSlot, told: str, doctor: Practitioner, done: Mirrored, now: datetime
) -> None:
    """A slot that is known: still trusted, opened or closed as theirs is; one that somebody has keeps its time."""
    moved = (slot.starts_at, slot.ends_at) != (one.starts_at, one.ends_at)
    if slot.remaining < slot.capacity:
        slot.fresh_until = now + fresh_for()
        trouble = _trouble(slot, one, told, moved=moved)
        if trouble:
            done.problems.append(f"{doctor.name} {local(slot.starts_at):%m-%d %H:%M} {trouble}")
        return
    if told == rules.Standing.UNDER_WAY:
        slot.fresh_until = (
            now  # the hospital does not know yet that it is given back: what it says is not of now
        )
        return
    slot.fresh_until = now + fresh_for()
    if moved:
        slot.starts_at, slot.ends_at, slot.day = one.starts_at, one.ends_at, rules.day_of(one.starts_at)
        done.changed += 1
    free = one.status == "free"
    if free and slot.stopped_at is not None:
        slot.stopped_at, slot.source = None, "his"
        done.opened += 1
    elif not free and slot.stopped_at is None:
        slot.stopped_at = now
        done.closed += 1


def _trouble(slot: Slot, one: his.HospitalSlot, told: str, *, moved: bool) -> str:
    """What a person has to settle about a place that a patient of ours has; empty when all is well."""
    if told == rules.Standing.REFUSED:
        return TAKEN_THERE
    if moved:
        return "院内改了时间，但有患者已预约"
    ours = told in (rules.Standing.TAKEN, rules.Standing.UNDER_WAY)
    if one.status != "free" and not ours and slot.stopped_at is None:  # what is stopped here is told apart
        return "院内也已占用，但有患者已预约"
    return ""


async def _open(
    session: AsyncSession, doctor: Practitioner, department_code: str, one: his.HospitalSlot, old: Slot | None,
    done: Mirrored,
) -> None:  # fmt: skip
    """A new slot, or the stopped one of ours that has this very time."""
    now = clock_of(session).now()
    day = rules.day_of(one.starts_at)
    values: dict[str, Any] = {
        "department_code": department_code, "day": day, "ends_at": one.ends_at, "capacity": 1, "remaining": 1,
        "held_follow_up": 0, "held_staff": 0, "held_referral": 0, "mode": "any", "source": "his",
        "price_code": visit_price_code(doctor.title_code), "released_at": rules.released_at(day, policy()),
        "shares_end_at": None, "stopped_at": None, "fresh_until": now + fresh_for(),
    }  # fmt: skip
    if old is not None and old.remaining < old.capacity:
        return
    slot_id = old.id if old is not None else new_id()
    if old is not None:
        await session.execute(update(Slot).where(Slot.id == slot_id).values(values))
    else:
        keys = {
            "id": slot_id, "hospital_id": hospital_id(), "practitioner_id": doctor.id, "taken": 0,
            "starts_at": one.starts_at,
        }  # fmt: skip
        made = await session.scalar(
            insert(Slot).values(keys | values).on_conflict_do_nothing().returning(Slot.id)
        )
        if made is None:
            return
    session.add(MirroredSlot(slot_id=slot_id, external_id=one.slot_id, seen_at=now))
    await session.flush()
    done.opened += 1


async def not_read(session: AsyncSession, source_id: UUID, why: str) -> None:
    """The hospital did not answer: its slots are sold until they may no longer be trusted."""
    source = await session.get(ScheduleSource, source_id, with_for_update=True)
    if source is not None:
        source.tried_at, source.problem = clock_of(session).now(), why[:200]
        touch(session, STREAM)
