"""Deciding: what is stopped or moved, and who it reaches. Slots are closed and places elsewhere taken in one transaction.

Nothing is told and nobody is refunded here: each patient is an intent of her own (`carrying`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment.model import CONSULTATION
from backend.policy import policy
from backend.practitioner import queries as practitioners
from backend.practitioner.model import Filing, Practitioner
from backend.pricing.service import price
from backend.rescheduling import queries, rules
from backend.rescheduling.model import Relocation, ScheduleChange
from backend.rescheduling.queries import Affected, Scope
from backend.rescheduling.rules import Allotment, Room, Somebody
from backend.schedule.model import Slot
from backend.schedule.rules import HELD
from backend.timetable.laying import lay_anew, lock_timetable
from backend.timetable.model import Stoppage
from backend.timetable.opening import STREAM
from backend.timetable.planning import days_between
from backend.timetable.rules import DAY, day_of
from foundation.actor import Actor
from foundation.clock import local
from foundation.db.audit import audit
from foundation.db.guards import guarded
from foundation.db.intents import intend
from foundation.db.locks import lock, lock_all
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import Conflict, Invalid, Issue, NotFound
from foundation.ids import new_id

CARRY_OUT = "rescheduling.carry_out"
LONGEST = timedelta(days=92)


@dataclass(frozen=True)
class Target:
    """Where people go: what a doctor has between two instants. `rest`: refuse when there is no room for all, or refund them."""

    practitioner_id: UUID
    starts_at: datetime
    ends_at: datetime
    rest: str = "refuse"


@dataclass(frozen=True)
class Preview:
    """What a stop or move would reach: slots, people, for a move where each would go and which slots those are."""

    slots: Sequence[Slot]
    people: list[Affected]
    allotment: Allotment | None = None
    rooms: dict[UUID, Slot] = field(default_factory=dict)

    @property
    def to_refund(self) -> list[Affected]:
        """Who would get the money back."""
        if self.allotment is None:
            return self.people
        return [one for one in self.people if one.appointment.id in self.allotment.without]

    @property
    def refund(self) -> int:
        """Fen that would go back."""
        return sum(one.paid for one in self.to_refund)


async def preview(session: AsyncSession, scope: Scope, target: Target | None = None) -> Preview:
    """Who would be affected; nothing is locked and nothing is changed."""
    _check(scope, clock_of(session).now())
    found = await queries.slots_in(session, scope)
    people = await queries.affected(session, [slot.id for slot in found])
    if target is None:
        return Preview(found, people)
    rooms = await _rooms(session, target, found, people)
    return Preview(found, people, await _allotted(session, people, rooms), {slot.id: slot for slot in rooms})


async def stop(
    session: AsyncSession, actor: Actor, scope: Scope, *, reason: str, expected: int | None = None,
    target: Target | None = None,
) -> ScheduleChange:  # fmt: skip
    """Close the slots of the scope; whoever has a place is refunded, or moved to `target`.

    `expected` is how many people the preview showed: somebody more, and it is shown again first.
    """
    now = clock_of(session).now()
    _check(scope, now)
    await _lock_doctors(session, scope, target)
    mine = await queries.slots_in(session, scope)
    people = await queries.affected(session, [slot.id for slot in mine])
    rooms = await _rooms(session, target, mine, people) if target is not None else []
    locked = {slot.id: slot for slot in await lock_all(session, Slot, [slot.id for slot in (*mine, *rooms)])}
    mine, rooms = [locked[slot.id] for slot in mine], [locked[slot.id] for slot in rooms]
    for slot in mine:
        slot.stopped_at = slot.stopped_at or now
    if guarded("read_after_stop"):  # whoever booked while we waited for the lock is seen now
        await session.flush()
        people = await queries.affected(session, [slot.id for slot in mine])
    _expect(expected, people)
    stoppage = Stoppage(
        id=new_id(), practitioner_id=scope.practitioner_id,
        department_code=None if scope.practitioner_id else scope.department_code, starts_at=scope.starts_at,
        ends_at=scope.ends_at, reason=reason, made_at=now,
    )  # fmt: skip
    session.add(stoppage)
    await session.flush()
    row = _change(actor, scope, "move" if target else "stop", reason, len(mine), len(people), now)
    row.stoppage_id = stoppage.id
    session.add(row)
    await session.flush()
    await _relocate(session, row, people, rooms, target)
    await _note(session, actor, row)
    return row


async def reduce(
    session: AsyncSession, actor: Actor, slot_id: UUID, *, capacity: int, reason: str, target: Target | None = None,
    expected: int | None = None,
) -> ScheduleChange:  # fmt: skip
    """Fewer places than are sold: those who would be seen last are refunded or moved, and their places vanish with them."""
    now = clock_of(session).now()
    slot = await session.get(Slot, slot_id)
    if slot is None:
        raise NotFound("没有找到该时段")
    scope = Scope(slot.practitioner_id, slot.department_code, slot.starts_at, slot.ends_at)
    _check(scope, now)
    await _lock_doctors(session, scope, target)
    leaving = await leaving_first(session, slot, capacity)
    rooms = await _rooms(session, target, [slot], leaving) if target is not None else []
    locked = {one.id: one for one in await lock_all(session, Slot, [slot_id, *(one.id for one in rooms)])}
    slot, rooms = locked[slot_id], [locked[one.id] for one in rooms]
    leaving = await leaving_first(session, slot, capacity)
    if not leaving:
        raise Conflict("号数不少于已预约人数，可以直接调整号数", code="nobody_affected")
    _expect(expected, leaving)
    sold = slot.capacity - slot.remaining
    slot.capacity, slot.remaining, slot.surplus = sold, 0, len(leaving)
    for name in HELD.values():
        setattr(slot, name, 0)
    row = _change(actor, scope, "move" if target else "stop", reason, 1, len(leaving), now)
    row.surplus = True
    session.add(row)
    await session.flush()
    await _relocate(session, row, leaving, rooms, target)
    await _note(session, actor, row)
    return row


async def lift(session: AsyncSession, actor: Actor, change_id: UUID) -> ScheduleChange:
    """The doctor comes after all: what the change stopped and nobody waits in is sold again, as the plan has it now."""
    row = await lock(session, ScheduleChange, change_id)
    now, today = clock_of(session).now(), clock_of(session).today()
    if row.stoppage_id is None or row.lifted_at is not None or row.ends_at <= now:
        raise Conflict("这次停诊已经结束或已恢复", code="stop_over")
    scope = Scope(row.practitioner_id, row.department_code, row.starts_at, row.ends_at)
    doctors = await _lock_doctors(session, scope, None)
    stoppage = await lock(session, Stoppage, row.stoppage_id)
    stoppage.lifted_at = row.lifted_at = now
    await session.flush()
    await session.execute(
        update(Slot)
        .where(
            scope.slots(now),
            Slot.source == "his",
            Slot.stopped_at == row.made_at,
            Slot.remaining == Slot.capacity,
        )
        .values(stopped_at=None)
        .execution_options(synchronize_session=False)
    )
    first, last = max(day_of(row.starts_at), today), day_of(row.ends_at - timedelta(seconds=1))
    days = days_between(first, min(last, today + timedelta(days=policy().open_days)))
    for doctor in doctors:
        await lay_anew(session, doctor, days, [(0, DAY)])
    touch(session, STREAM)
    said = f"恢复出诊 {local(row.starts_at):%m-%d %H:%M} 至 {local(row.ends_at):%m-%d %H:%M}"
    audit(session, actor, "rescheduling.lift", "timetable", row.id,
          detail={"who": await whose(session, row), "what": said})  # fmt: skip
    return row


async def leaving_first(session: AsyncSession, slot: Slot, capacity: int) -> list[Affected]:
    """Who no longer fits into so many places of a slot; places already used stay used."""
    if capacity < 0:
        raise Invalid(issues=[Issue("capacity", "too_small", "不能小于 0")])
    people = await queries.affected(session, [slot.id])
    used = slot.capacity - slot.remaining - len(people)
    order = [Somebody(one.appointment.id, one.person.id) for one in people]
    leaving = {one.appointment_id for one in rules.surplus(order, capacity - used)}
    return [one for one in people if one.appointment.id in leaving]


async def _relocate(
    session: AsyncSession, row: ScheduleChange, people: Sequence[Affected], rooms: Sequence[Slot],
    target: Target | None,
) -> None:  # fmt: skip
    """A row and an intent for each; for a move the place elsewhere is taken now, while it is locked."""
    allotment = await _allotted(session, people, rooms) if target is not None else Allotment({}, [])
    if target is not None and allotment.without and target.rest == "refuse":
        said = f"目标时段只能安排 {len(allotment.to)} 人，还有 {len(allotment.without)} 人没有号"
        raise Conflict(said, code="not_enough_places", issues=[Issue("to_day", "not_enough_places", said)])
    by_id = {slot.id: slot for slot in rooms}
    for one in people:
        booked = one.appointment
        relocation = Relocation(
            id=new_id(), change_id=row.id, appointment_id=booked.id, from_slot_id=booked.slot_id,
            from_starts_at=booked.starts_at, from_practitioner_id=booked.practitioner_id,
        )  # fmt: skip
        if booked.id in allotment.to:
            _take(relocation, by_id[allotment.to[booked.id]])
        session.add(relocation)
        try:
            await session.flush()
        except IntegrityError as error:
            raise Conflict("部分患者正在处理中，请稍后再试", code="change_running") from error
        await intend(session, CARRY_OUT, relocation.id)


def _take(relocation: Relocation, slot: Slot) -> None:
    held = {channel: getattr(slot, name) for channel, name in HELD.items()}
    place = rules.take_any(slot.remaining, held)
    assert place is not None, "allotted beyond what is left"
    slot.remaining -= 1
    slot.taken += 1
    if place in HELD:
        setattr(slot, HELD[place], held[place] - 1)
    relocation.to_slot_id, relocation.to_number, relocation.to_place = slot.id, slot.taken, place


async def _rooms(
    session: AsyncSession, target: Target, mine: Sequence[Slot], people: Sequence[Affected]
) -> list[Slot]:
    """Slots that people can be moved to, by time. `Invalid` or `Conflict` naming what is wrong with the target."""
    now = clock_of(session).now()
    departments = {one.appointment.department_code for one in people}
    for code in sorted(departments):
        await practitioners.require_filed(
            session, target.practitioner_id, code, local(target.starts_at).date()
        )
    scope = Scope(target.practitioner_id, None, target.starts_at, target.ends_at)
    away = {slot.id for slot in mine}
    modes = {one.appointment.mode for one in people}
    asks = any(one.appointment.kind == CONSULTATION for one in people)
    found = [
        slot
        for slot in await queries.slots_in(session, scope)
        if slot.id not in away and slot.stopped_at is None and slot.starts_at > now
        and (slot.fresh_until is None or slot.fresh_until > now)
        and not (asks and slot.source == "his")
        and {slot.department_code} >= departments and (slot.mode == "any" or {slot.mode} >= modes)
    ]  # fmt: skip
    if not found and people:
        said = "目标医生在所选时间没有可以改约的时段"
        raise Conflict(said, code="no_target", issues=[Issue("to_day", "no_target", said)])
    paid = max((one.paid for one in people), default=0)
    for slot in found:
        if (await price(session, slot.price_code)).amount < paid:
            said = "目标医生的诊查费低于患者已付费用，请改为停诊退款或选择同价医生"
            issue = Issue("to_practitioner_id", "cheaper", said)
            raise Conflict(said, code="target_cheaper", issues=[issue])
    return found


async def _allotted(session: AsyncSession, people: Sequence[Affected], rooms: Sequence[Slot]) -> Allotment:
    inside = await queries.persons_in(session, [slot.id for slot in rooms])
    return rules.allot(
        [Somebody(one.appointment.id, one.person.id) for one in people],
        [Room(slot.id, slot.remaining, frozenset(inside[slot.id])) for slot in rooms],
    )


async def _lock_doctors(session: AsyncSession, scope: Scope, target: Target | None) -> list[UUID]:
    """One change of a timetable at a time; the doctors of the scope and of the target, locked in one order."""
    doctors = {target.practitioner_id} if target else set()
    if scope.practitioner_id is not None:
        await practitioners.practitioner(session, scope.practitioner_id)
        doctors.add(scope.practitioner_id)
    elif scope.department_code is not None:
        await practitioners.department(session, scope.department_code)
        query = select(Filing.practitioner_id).where(Filing.department_code == scope.department_code)
        doctors |= set(await session.scalars(query))
    for doctor in sorted(doctors):
        await lock_timetable(session, doctor)
    return sorted(doctors)


def _check(scope: Scope, now: datetime) -> None:
    issues = []
    if (scope.practitioner_id is None) and (scope.department_code is None):
        issues.append(Issue("practitioner_id", "missing", "请选择医生或科室"))
    if scope.ends_at <= scope.starts_at:
        issues.append(Issue("ends_at", "before_begin", "结束时间要晚于开始时间"))
    elif scope.ends_at <= now:
        issues.append(Issue("ends_at", "past", "这段时间已经过去"))
    elif scope.ends_at - scope.starts_at > LONGEST:
        issues.append(Issue("ends_at", "too_long", "一次最多停诊 92 天"))
    if issues:
        raise Invalid(issues[0].message, issues=issues)


def _expect(expected: int | None, people: Sequence[Affected]) -> None:
    if expected is not None and expected != len(people):
        said = f"受影响的患者由 {expected} 人变为 {len(people)} 人，请重新查看后再确认"
        raise Conflict(said, code="affected_changed", issues=[Issue("expected", "changed", said)])


def _change(
    actor: Actor, scope: Scope, kind: str, reason: str, slots: int, people: int, now: datetime
) -> ScheduleChange:
    return ScheduleChange(
        id=new_id(), kind=kind, practitioner_id=scope.practitioner_id, department_code=scope.department_code,
        starts_at=scope.starts_at, ends_at=scope.ends_at, reason=reason, slots=slots, people=people, made_by=actor.id,
        made_at=now,
    )  # fmt: skip


async def _note(session: AsyncSession, actor: Actor, row: ScheduleChange) -> None:
    """An audit line in words that the log of the desk shows."""
    word = ("减号" if row.surplus else "") + ("改约" if row.kind == "move" else "停诊")
    said = f"{word} {local(row.starts_at):%m-%d %H:%M} 至 {local(row.ends_at):%m-%d %H:%M}，{row.slots} 个时段、{row.people} 位患者"
    who = await whose(session, row)
    touch(session, STREAM)
    audit(session, actor, f"rescheduling.{row.kind}", "timetable", row.id,
          detail={"who": who, "what": said, "reason": row.reason})  # fmt: skip


async def whose(session: AsyncSession, row: ScheduleChange) -> str:
    """The doctor's name, or the department's."""
    if row.practitioner_id is not None:
        return (await session.get_one(Practitioner, row.practitioner_id)).name
    assert row.department_code is not None
    return (await practitioners.department(session, row.department_code)).name


def day_target(practitioner_id: UUID, starts_at: datetime, *, rest: str) -> Target:
    """A whole day of a doctor."""
    return Target(practitioner_id, starts_at, starts_at + timedelta(days=1), rest)
