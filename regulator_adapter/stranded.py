"""Gives people the records that can never go by themselves: what they need was carried over, is stranded itself, or never came.

Mapped and blocked they are on nobody's desk, and would keep their day open for ever. Parked they can be carried over too; when what
they need is resubmitted they go again with it.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.actor import SYSTEM
from foundation.db.advance import advance_each
from foundation.db.base import hospital_id
from foundation.db.bulk import driver
from foundation.db.guards import guarded
from foundation.db.unit_of_work import Database, clock_of, unit_of_work
from foundation.logs import log
from regulator_adapter import names, profiles
from regulator_adapter.days.counting import PEOPLE, arrived_through
from regulator_adapter.days.opening import settled_through
from regulator_adapter.model import ReceivedEvent, Submission
from regulator_adapter.profiles import Profile
from regulator_adapter.routing import UNROUTED
from regulator_adapter.states import OPEN, SubmissionState

NEED_CARRIED = "need_carried"
NEED_MISSING = "need_missing"
WORDS = {
    NEED_CARRIED: "所依赖的记录已结转或未被接收：{needs}；该记录重报后，本记录随之重报",
    NEED_MISSING: "所依赖的记录一直没有出现：{needs}；请核对后重报或结转",
}
"""Reply codes and what people read under them."""
OVERDUE = timedelta(hours=24)
"""How far the feed must have come beyond the hour at which a record was due, before what it needs counts as never coming."""

# States are written out, so that the planner may use the indexes that are for open rows alone.
_BLOCKED = (
    "SELECT id, needs FROM submission WHERE profile = $1 AND blocked AND state IN ('received', 'mapped', 'submitted') "
    "AND state = 'mapped' AND %s"
)


async def park_stranded(db: Database, profile: Profile) -> int:
    """Park what will not come free by itself; returns how many. What needs these is found by the next look."""
    async with unit_of_work(db) as session:
        parked = await _park(session, profile, NEED_CARRIED, *await _of_carried(session, profile))
        return parked + await _park(session, profile, NEED_MISSING, *await _of_missing(session, profile))


async def stranded_by(session: AsyncSession, row: Submission) -> Sequence[UUID]:
    """Records that wait for people because of `row`, held."""
    if row.method == UNROUTED:
        return []
    need = _name(profiles.profile(row.profile), row.method, row.business_number)
    query = (
        select(Submission.id)
        .where(Submission.profile == row.profile, Submission.state == SubmissionState.PARKED)
        .where(Submission.reply_code.in_(WORDS), Submission.needs.contains([need]))
        .order_by(Submission.number, Submission.id)
        .with_for_update()
    )
    return (await session.scalars(query)).all()


Found = tuple[Mapping[UUID, Sequence[str]], Collection[str]]
"""Blocked rows with all they need, and which needs are hopeless."""


async def _of_carried(session: AsyncSession, profile: Profile) -> Found:
    """Needs that a person let go of, or that are stranded themselves."""
    let_go = and_(
        Submission.state.in_(PEOPLE),
        or_(Submission.carried_at.is_not(None), Submission.reply_code.in_(WORDS)),
    )
    gone = await _named(session, profile, and_(Submission.profile == profile.name, let_go))
    if not gone:
        return {}, ()
    rows = await _blocked(session, profile, "needs && $2::varchar(160)[]", sorted(gone))
    wanted = gone & {need for needs in rows.values() for need in needs}
    # Whoever is resubmitting one of them holds it, and looks for what to take along: nothing may strand behind her back.
    hopeless = await _named(session, profile, and_(_making(profile, wanted), let_go), held=True)
    return rows, hopeless - await _coming(session, profile, hopeless, OPEN)


async def _of_missing(session: AsyncSession, profile: Profile) -> Found:
    """Needs of which nothing is here, although the feed itself has long moved on: after an outage it has not yet."""
    rows = await _blocked(session, profile, "due_at < $2", clock_of(session).now() - OVERDUE)
    if not rows:
        return {}, ()
    arrived = await arrived_through(session, await settled_through(session))
    query = select(ReceivedEvent.occurred_at).where(
        ReceivedEvent.hospital_id == hospital_id(), ReceivedEvent.number == arrived
    )
    reached: datetime | None = await session.scalar(query)
    if reached is None:
        return {}, ()
    rows = await _blocked(session, profile, "due_at < $2", min(reached, clock_of(session).now()) - OVERDUE)
    wanted = {need for needs in rows.values() for need in needs}
    return rows, wanted - await _coming(session, profile, wanted, (*OPEN, *PEOPLE))


async def _park(
    session: AsyncSession,
    profile: Profile,
    code: str,
    rows: Mapping[UUID, Sequence[str]],
    hopeless: Collection[str],
) -> int:
    changes: dict[UUID, dict[str, Any]] = {}
    for row_id, needs in rows.items():
        lost = [need for need in needs if need in hopeless]
        if lost:
            words = WORDS[code].format(needs="、".join(_words(profile, need) for need in lost))
            changes[row_id] = {
                "blocked": False, "claimed_until": None, "problems": "", "reply_code": code, "reply_text": words[:2000],
            }  # fmt: skip
    if not changes:
        return 0
    moved = await advance_each(session, Submission, "park", SYSTEM, changes)
    log.warning("submission_stranded", profile=profile.name, code=code, count=len(moved))
    return len(moved)


async def _blocked(session: AsyncSession, profile: Profile, where: str, value: Any) -> dict[UUID, list[str]]:
    connection = await driver(session)
    found = await connection.fetch(_BLOCKED % where, profile.name, value)
    return {UUID(str(row["id"])): list(row["needs"]) for row in found}


async def _named(
    session: AsyncSession, profile: Profile, where: ColumnElement[bool], *, held: bool = False
) -> set[str]:
    """Numbers that the matching rows would make known. `held`: locked as well, those that somebody else holds left out."""
    query = select(Submission.method, Submission.business_number).where(where)
    if held and guarded("stranded_lock"):
        query = query.with_for_update(read=True, skip_locked=True)
    found = await session.execute(query)
    return {_name(profile, *row) for row in found if row.method in profile.methods}


async def _coming(
    session: AsyncSession, profile: Profile, needs: Collection[str], states: Sequence[SubmissionState]
) -> set[str]:
    """Those of `needs` that were accepted, or that a record in one of `states` makes."""
    accepted = select(Submission.makes).where(
        Submission.profile == profile.name, Submission.makes.in_(needs),
        Submission.state == SubmissionState.ACCEPTED,
    )  # fmt: skip
    known = set(await session.scalars(accepted))
    return known | await _named(session, profile, and_(_making(profile, needs), Submission.state.in_(states)))


def _making(profile: Profile, needs: Collection[str]) -> ColumnElement[bool]:
    """Rows that make one of `needs`, by method and number: a row that was never mapped has not said yet what it makes."""
    numbers: dict[str, list[str]] = {}
    for need in sorted(needs):
        kind, _, number = need.partition(":")
        for method in _makers(profile, kind):
            numbers.setdefault(method, []).append(number)
    made = [
        and_(Submission.method == method, Submission.business_number.in_(several))
        for method, several in numbers.items()
    ]
    return and_(Submission.profile == profile.name, or_(false(), *made))


def _makers(profile: Profile, kind: str) -> list[str]:
    return [name for name, method in profile.methods.items() if method.makes[0] == kind]


def _name(profile: Profile, method: str, number: str) -> str:
    return f"{profile.methods[method].makes[0]}:{number}"


def _words(profile: Profile, need: str) -> str:
    kind, _, number = need.partition(":")
    makers = _makers(profile, kind)
    return f"{names.kind(makers[0]) if makers else kind} {number}"
