"""Catches up a day by its date (补传): what is open goes out now instead of in a coming night, and the day is signed in.

Late events need nobody: T+1 of a day that is over lies in the past, so they go at once. This is for a day that a person wants
out of the way (the platform was shut at night, a statement does not close), and for days before the automatic sign-in began.
Nothing that a platform has is sent again here, and nothing that people have to decide on is touched: both are counted and named.
"""

from collections.abc import Sequence
from datetime import date, timedelta

import msgspec
from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.supervision_desk import SignInView
from foundation.actor import Actor
from foundation.clock import local_day_start
from foundation.db.advance import advance
from foundation.db.audit import audit
from foundation.db.base import hospital_id
from foundation.db.unit_of_work import Database, clock_of, unit_of_work
from foundation.errors import Invalid, Issue
from regulator_adapter import profiles
from regulator_adapter.model import DailySignIn, Submission
from regulator_adapter.settings import Timing
from regulator_adapter.sign_in import ensure, signed_days
from regulator_adapter.states import OPEN, SignInState, SubmissionState

LONGEST = 366
SHOWN = 200


class DayLine(msgspec.Struct, frozen=True):
    """One kind of record on one day. `released` is what goes out now, `waiting` what needs another record first."""

    profile: str
    method: str
    routed: int
    accepted: int
    released: int
    waiting: int
    for_people: int


class Backfilled(msgspec.Struct, frozen=True):
    """What was done for one day. `people` are the first records a person has to look at, with the fields that are wrong."""

    day: date
    lines: list[DayLine]
    people: list[str]
    sign_ins: list[SignInView]


async def backfill(
    db: Database, first: date, last: date, actor: Actor, *, profile: str | None = None
) -> list[Backfilled]:
    """Every day from `first` to `last`; `Invalid` when one of them is not over, or the platform is unknown."""
    _refuse(first, last, db.clock.today(), profile)
    names = [profile] if profile else list(profiles.NAMES)
    days = [first + timedelta(days=at) for at in range((last - first).days + 1)]
    done = []
    for day in days:
        async with unit_of_work(db) as session:
            done.append(await _day(session, day, names, actor))
    return done


def _refuse(first: date, last: date, today: date, profile: str | None) -> None:
    issues = []
    if profile is not None and profile not in profiles.NAMES:
        issues.append(Issue("profile", "unknown_code", f"没有 {profile}，只有 {'、'.join(profiles.NAMES)}"))
    if last < first or (last - first).days >= LONGEST:
        issues.append(Issue("until", "out_of_range", f"应不早于开始日期，且不超过 {LONGEST} 天"))
    if last >= today:
        issues.append(Issue("day", "out_of_range", f"{last} 还没有结束，只能补传已结束的日子"))
    if issues:
        raise Invalid("补传的日期或平台不正确", issues=issues)


async def _day(session: AsyncSession, day: date, names: Sequence[str], actor: Actor) -> Backfilled:
    released = await _release(session, day, names)
    for name in names:
        known = profiles.profile(name)
        # IMMEDIATE: a day that is over is due now, whatever night it would have waited for.
        await ensure(session, known, [day], Timing.IMMEDIATE)
    await _sign_in_now(session, day, names, actor)
    lines = await _lines(session, day, names, released)
    detail = {"day": day.isoformat(), "profiles": ",".join(names), "released": str(sum(released.values()))}
    audit(session, actor, "submission.backfill", "submission", hospital_id(), detail=detail)
    return Backfilled(day, lines, await _people(session, day, names), await signed_days(session, [day]))


async def _sign_in_now(session: AsyncSession, day: date, names: Sequence[str], actor: Actor) -> None:
    """What waits for its night is due now, and what the platform refused is tried once more: a person asks for it."""
    query = select(DailySignIn).where(
        DailySignIn.day == day,
        DailySignIn.profile.in_(names),
        DailySignIn.state.in_((SignInState.DUE, SignInState.REFUSED)),
    )
    now = clock_of(session).now()
    for row in await session.scalars(query.with_for_update()):
        if row.state is SignInState.REFUSED:
            await advance(session, row, "again", actor, due_at=now)
        else:
            row.due_at = now


async def _release(session: AsyncSession, day: date, names: Sequence[str]) -> dict[tuple[str, str], int]:
    """Make what waits for its night due now; how many of each kind."""
    moved = await session.execute(
        update(Submission)
        .where(*_that_day(day), Submission.profile.in_(names), Submission.state.in_(OPEN))
        .where(Submission.due_at > clock_of(session).now())
        .values(due_at=clock_of(session).now(), claimed_until=None)
        .returning(Submission.profile, Submission.method)
        .execution_options(synchronize_session=False)
    )
    found: dict[tuple[str, str], int] = {}
    for profile, method in moved:
        found[profile, method] = found.get((profile, method), 0) + 1
    return found


def _that_day(day: date) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (
        Submission.occurred_at >= local_day_start(day),
        Submission.occurred_at < local_day_start(day + timedelta(days=1)),
    )


async def _lines(
    session: AsyncSession, day: date, names: Sequence[str], released: dict[tuple[str, str], int]
) -> list[DayLine]:
    state = Submission.state
    query = (
        select(
            Submission.profile, Submission.method, func.count(),
            func.count().filter(state == SubmissionState.ACCEPTED),
            func.count().filter(state.in_(OPEN), Submission.blocked),
            func.count().filter(state.in_((SubmissionState.REJECTED, SubmissionState.PARKED))),
        )
        .where(*_that_day(day), Submission.profile.in_(names))
        .group_by(Submission.profile, Submission.method)
        .order_by(Submission.profile, Submission.method)
    )  # fmt: skip
    return [
        DayLine(row[0], row[1], row[2], row[3], released.get((row[0], row[1]), 0), row[4], row[5])
        for row in await session.execute(query)
    ]


async def _people(session: AsyncSession, day: date, names: Sequence[str]) -> list[str]:
    query = (
        select(Submission)
        .where(*_that_day(day), Submission.profile.in_(names))
        .where(Submission.state.in_((SubmissionState.REJECTED, SubmissionState.PARKED)))
        .order_by(Submission.number)
        .limit(SHOWN)
    )
    return [
        f"{row.id} {row.profile} {row.method} {row.reply_code} {row.problems}".strip()
        for row in await session.scalars(query)
    ]
