"""Makes slots fit the plan: opens, changes and closes what nobody has a place in."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from backend.policy import policy
from backend.schedule.model import Slot
from backend.schedule.rules import HELD
from backend.timetable import planning, rules
from backend.timetable.layout import Layout, Piece, Present, arrange
from backend.timetable.rules import Moments
from foundation.clock import local
from foundation.db.base import hospital_id
from foundation.db.locks import lock_stream
from foundation.db.unit_of_work import clock_of
from foundation.errors import Conflict, Issue
from foundation.ids import new_id

AT_ONCE = 1_000
"""Rows of one insert: PostgreSQL takes 32,767 values."""


@dataclass(frozen=True)
class Laid:
    """How many slots were opened, changed and closed; `kept` have places that somebody has; `uncovered` lack a pharmacist."""

    opened: int = 0
    changed: int = 0
    closed: int = 0
    kept: list[Present] = field(default_factory=list)
    uncovered: int = 0


class Taken:
    """Time that is taken: asked for hundreds of slots at once."""

    def __init__(self, spans: Iterable[Moments]) -> None:
        self._spans = rules.merged(spans)
        self._begins = [begins for begins, _ in self._spans]

    def crosses(self, one: Slot | Piece) -> bool:
        """Whether it shares a moment with the slot: of disjoint spans only the last that begins before its end can."""
        place = bisect_left(self._begins, one.ends_at) - 1
        return place >= 0 and self._spans[place][1] > one.starts_at


async def lock_timetable(session: AsyncSession, practitioner_id: UUID) -> None:
    """One change of a doctor's timetable at a time."""
    await lock_stream(session, f"timetable:{practitioner_id}")


async def open_missing(
    session: AsyncSession, practitioner_id: UUID, first: date, last: date, on_duty: Sequence[Moments]
) -> Laid:
    """Open what the plan asks for and what nothing stands in the way of; whatever is there stays as it is."""
    await lock_timetable(session, practitioner_id)
    now = clock_of(session).now()
    plan = await planning.load(session, practitioner_id, first, last)
    wanted = planning.wanted(plan, planning.days_between(first, last), on_duty, now)
    there = Taken((row.starts_at, row.ends_at) for row in await _slots(session, practitioner_id, first, last))
    new = [shared(piece, now) for piece in wanted.open if not there.crosses(piece)]
    return Laid(opened=await _open(session, practitioner_id, new), uncovered=len(wanted.uncovered))


async def lay_anew(
    session: AsyncSession, practitioner_id: UUID, days: Iterable[date], windows: Sequence[tuple[int, int]]
) -> Laid:
    """Arrange the slots of `days` within `windows` (minutes of the day) as the plan now says; started ones stay."""
    days = sorted(days)
    if not days:
        return Laid()
    await lock_timetable(session, practitioner_id)
    now = clock_of(session).now()
    plan = await planning.load(session, practitioner_id, days[0], days[-1])
    on_duty = await planning.duty(session, days[0], days[-1])
    wanted = planning.wanted(plan, days, on_duty, now)
    spans = Taken((rules.at(day, begins), rules.at(day, ends)) for day in days for begins, ends in windows)
    rows = await _slots(session, practitioner_id, days[0], days[-1], locked=True)
    mine = {
        row.id: row
        for row in rows
        if (row.source == "own" or row.stopped_at) and row.starts_at > now and spans.crosses(row)
    }
    others = Taken(
        (row.starts_at, row.ends_at) for row in rows if row.id not in mine and row.stopped_at is None
    )
    pieces = [shared(one, now) for one in wanted.open if spans.crosses(one) and not others.crosses(one)]
    layout = arrange(pieces, [present(row, now) for row in mine.values()])
    return await _apply(session, practitioner_id, layout, mine, uncovered=len(wanted.uncovered))


def refuse_sold(laid: Laid) -> None:
    """`Conflict` naming every slot in which somebody has a place: stop or move first."""
    if not laid.kept:
        return
    people = sum(slot.sold for slot in laid.kept)
    issues = [
        Issue(
            f"slots.{slot.id}", "sold", f"{local(slot.piece.starts_at):%m-%d %H:%M} 已有 {slot.sold} 人预约"
        )
        for slot in laid.kept
    ]
    raise Conflict(
        f"有 {people} 位患者已预约受影响的时段，请先停诊或改约，再修改排班", code="places_sold", issues=issues
    )


def shared(piece: Piece, now: datetime) -> Piece:
    """The piece with the places kept for a channel that still are: none once shares are over."""
    if rules.shares_end_at(piece.starts_at, policy()) > now:
        return piece
    return replace(piece, held_follow_up=0, held_staff=0, held_referral=0)


def present(row: Slot, now: datetime) -> Present:
    """A slot as the layout sees it."""
    piece = Piece(
        row.department_code, row.day, row.starts_at, row.ends_at, row.capacity, row.held_follow_up, row.held_staff,
        row.held_referral, row.mode, row.price_code,
    )  # fmt: skip
    return Present(row.id, shared(piece, now), row.capacity - row.remaining, row.stopped_at is not None)


async def _slots(
    session: AsyncSession, practitioner_id: UUID, first: date, last: date, *, locked: bool = False
) -> Sequence[Slot]:
    query = (
        select(Slot)
        .where(Slot.practitioner_id == practitioner_id, Slot.day.between(first, last))
        .order_by(Slot.id)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(query.with_for_update() if locked else query)).all()


async def _apply(
    session: AsyncSession, practitioner_id: UUID, layout: Layout, mine: Mapping[UUID, Slot], *, uncovered: int
) -> Laid:
    now = clock_of(session).now()
    if layout.change:
        rows = [
            {"id": slot.id, "stopped_at": None, **_form(piece), **_places(piece, piece.capacity - slot.sold)}
            for slot, piece in layout.change
        ]
        await session.execute(update(Slot), rows)  # many at once; whoever holds the rows sees it too
        for values in rows:
            for name, value in values.items():
                set_committed_value(mine[values["id"]], name, value)
    if layout.close:
        ids = [slot.id for slot in layout.close]
        await session.execute(update(Slot).where(Slot.id.in_(ids)).values(stopped_at=now))
    opened = await _open(session, practitioner_id, layout.open)
    return Laid(opened, len(layout.change), len(layout.close), layout.in_the_way, uncovered)


async def _open(session: AsyncSession, practitioner_id: UUID, pieces: Sequence[Piece]) -> int:
    for start in range(0, len(pieces), AT_ONCE):
        rows = [
            {
                "id": new_id(), "hospital_id": hospital_id(), "practitioner_id": practitioner_id, "taken": 0,
                "starts_at": piece.starts_at, **_form(piece), **_places(piece, piece.capacity),
            }
            for piece in pieces[start : start + AT_ONCE]
        ]  # fmt: skip
        await session.execute(insert(Slot).values(rows).on_conflict_do_nothing())
    return len(pieces)


def _form(piece: Piece) -> dict[str, Any]:
    return {
        "department_code": piece.department_code, "day": piece.day, "ends_at": piece.ends_at,
        "capacity": piece.capacity, "mode": piece.mode, "price_code": piece.price_code, "source": "own",
        "fresh_until": None, "released_at": rules.released_at(piece.day, policy()),
        "shares_end_at": rules.shares_end_at(piece.starts_at, policy()) if piece.held else None,
    }  # fmt: skip


def _places(piece: Piece, left: int) -> dict[str, int]:
    """What can be sold, and of that what is kept for a channel."""
    values = {"remaining": left, "surplus": 0}
    for name in HELD.values():
        values[name] = min(getattr(piece, name), left)
        left -= values[name]
    return values
