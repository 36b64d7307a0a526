"""The daily sign-in (每日签到): some records a platform wants every day, with an empty list when there was nothing.

A row per day, made by whoever looks first. The night after (T+1) it is closed: by the records of that day, when there are any and all
are accepted, else by one empty list. That says "none" to the regulator: it goes out only when the backend has told what the day had and
every event of it is here. What comes later all the same is written on the row.
An answer that was lost is asked for again, because an empty list stores nothing and cannot be doubled.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

import msgspec
from prometheus_client import Gauge
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.days import Sent
from contracts.supervision_desk import SignInView
from foundation.actor import SYSTEM
from foundation.clock import local, local_day_start
from foundation.db.advance import advance
from foundation.db.base import hospital_id
from foundation.db.guards import guarded
from foundation.db.locks import lock
from foundation.db.unit_of_work import Database, clock_of, unit_of_work
from foundation.ids import new_id
from foundation.logs import log
from foundation.masking import mask_text
from regulator_adapter import names
from regulator_adapter.city_client import CityClient
from regulator_adapter.city_wire import Message
from regulator_adapter.days import counting, opening
from regulator_adapter.days.counting import PEOPLE, Span
from regulator_adapter.model import DailySignIn, ReceivedEvent, Submission
from regulator_adapter.profiles import Profile
from regulator_adapter.replies import Meaning, Reply
from regulator_adapter.settings import Timing
from regulator_adapter.states import SignInState, SubmissionState
from regulator_adapter.timing import backoff, night_after

OPEN_DAYS = Gauge(
    "regulator_sign_ins_open", "days over for which a platform's sign-in is due or refused", ["profile"]
)
LEASE = timedelta(seconds=120)
DAYS_BACK = 31
"""What is older than that is signed in by hand: `backfill`."""
STILL_OPEN = timedelta(minutes=10)
"""How soon a day is looked at again while a record of it is not accepted."""
UNHEARD = timedelta(minutes=1)
"""How soon while the backend has not told of the day, or not all of it is here: it tells minutes after the day's end."""
WAITS_TO_HEAR = "等待平台后端报送当日计数，且当日事件全部到达"
WAITS = "当日的记录还没有全部被平台接收"
MIDNIGHT = time(0, 0)
EMPTY, LATE = "200", "late"
"""Reply codes of a day whose empty list the platform took, and of one that had something all the same."""


@dataclass(frozen=True)
class SignIn:
    """Signs in at one platform."""

    db: Database
    client: CityClient
    profile: Profile
    timing: Timing

    async def turn(self) -> None:
        """Make the rows of days that are over, and close those that are due."""
        if not self.profile.sign_in:
            return
        async with unit_of_work(self.db) as session:
            await self._make_missing(session)
        while (row := await self._claim()) is not None:
            await self._close(row)
        async with unit_of_work(self.db) as session:
            OPEN_DAYS.labels(self.profile.name).set(await self._open_days(session))

    async def _open_days(self, session: AsyncSession) -> int:
        """Days whose night has passed without a sign-in."""
        query = select(func.count()).where(
            DailySignIn.profile == self.profile.name,
            DailySignIn.state.in_((SignInState.DUE, SignInState.REFUSED)),
            DailySignIn.day < self.db.clock.today() - timedelta(days=1),
        )
        return await session.scalar(query) or 0

    async def _make_missing(self, session: AsyncSession) -> None:
        """From the first day anything arrived, a month back at most."""
        first_event = (
            select(ReceivedEvent.received_at)
            .where(ReceivedEvent.hospital_id == hospital_id())
            .order_by(ReceivedEvent.number)
            .limit(1)
        )
        arrived = await session.scalar(first_event)
        if arrived is None:
            return
        today = self.db.clock.today()
        first = max(local(arrived).date(), today - timedelta(days=DAYS_BACK))
        await ensure(
            session,
            self.profile,
            [first + timedelta(days=at) for at in range((today - first).days)],
            self.timing,
        )

    async def _claim(self) -> DailySignIn | None:
        """The oldest day that is due, ours for the length of a lease."""
        now = self.db.clock.now()
        query = (
            select(DailySignIn)
            .where(
                DailySignIn.profile == self.profile.name,
                DailySignIn.state == SignInState.DUE,
                DailySignIn.due_at <= now,
                or_(DailySignIn.claimed_until.is_(None), DailySignIn.claimed_until < now),
            )
            .order_by(DailySignIn.day, DailySignIn.method)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        async with unit_of_work(self.db) as session:
            row = await session.scalar(query)
            if row is not None:
                row.claimed_until = now + LEASE
            return row

    async def _close(self, row: DailySignIn) -> None:
        async with unit_of_work(self.db) as session:
            found = await _of_the_day(session, row)
            if found.total:
                await _by_records(session, row, found)
                return
            if not await _all_here(session, row.day):
                await _later(session, row, UNHEARD, reply_code="unheard", reply_text=WAITS_TO_HEAR)
                return
        reply, message = await self.client.send(self.profile, row.method, [])
        async with unit_of_work(self.db) as session:
            await self._settle(session, row, reply, message)

    async def _settle(self, session: AsyncSession, row: DailySignIn, reply: Reply, message: Message) -> None:
        note: dict[str, Any] = {
            "reply_code": reply.code,
            "reply_text": mask_text(reply.text)[:2000],
            "sent_digest": message.digest,
        }
        if reply.meaning is Meaning.ACCEPTED:
            await _closed(session, row, records=0, **note | {"reply_code": EMPTY, "reply_text": ""})
            await _look_again(session, await lock(session, DailySignIn, row.id))
        elif reply.meaning in (Meaning.REJECTED, Meaning.PARKED):
            log.warning("sign_in_refused", profile=row.profile, day=row.day.isoformat(), code=reply.code)
            await advance(
                session, row, "refuse", SYSTEM, claimed_until=None, attempts=row.attempts + 1, **note
            )
        else:
            await _later(session, row, backoff(row.attempts + 1), attempts=row.attempts + 1, **note)


async def ensure(session: AsyncSession, profile: Profile, days: Sequence[date], timing: Timing) -> None:
    """A row for each of `days` and each method that wants one; those that are there stay as they are."""
    rows = [
        {
            "id": new_id(), "hospital_id": hospital_id(), "profile": profile.name, "method": method, "day": day,
            "due_at": night_after(day, MIDNIGHT if timing is Timing.IMMEDIATE else profile.methods[method].next_day or MIDNIGHT),
        }
        for day in days for method in profile.sign_in
    ]  # fmt: skip
    if rows:
        await session.execute(insert(DailySignIn).on_conflict_do_nothing(), rows)


async def signed_days(session: AsyncSession, days: Collection[date]) -> list[SignInView]:
    """What became of the sign-ins of `days`."""
    return await _views(session, DailySignIn.day.in_(days))


async def refused(session: AsyncSession) -> list[SignInView]:
    """Those that wait for people, however old."""
    return await _views(session, DailySignIn.state == SignInState.REFUSED)


async def _views(session: AsyncSession, where: ColumnElement[bool]) -> list[SignInView]:
    query = select(DailySignIn).where(DailySignIn.hospital_id == hospital_id(), where)
    return [
        SignInView(
            row.profile, row.method, names.kind(row.method), row.day, row.state.value, row.MACHINE.labels[row.state],
            row.records, row.attempts, row.reply_code, row.reply_text, row.closed_at,
        )
        for row in await session.scalars(query.order_by(DailySignIn.day, DailySignIn.profile, DailySignIn.method))
    ]  # fmt: skip


async def came(session: AsyncSession, profile: Profile, method: str, days: Collection[date]) -> None:
    """Records of `days` came, or are about to go once more: what was said of these days may not hold any longer."""
    query = (
        select(DailySignIn)
        .where(DailySignIn.profile == profile.name, DailySignIn.method == method, DailySignIn.day.in_(days))
        .order_by(DailySignIn.id)
    )
    if guarded("sign_in_lock"):
        query = query.with_for_update()
    for row in await session.scalars(query):
        await _look_again(session, row)


async def _look_again(session: AsyncSession, row: DailySignIn) -> None:
    """`row` is locked, so that whoever closes the day and whoever brings a record of it cannot miss each other."""
    found = await _of_the_day(session, row)
    if row.state is SignInState.CARRIED and not found.settled:
        await advance(session, row, "again", SYSTEM, due_at=clock_of(session).now())
    elif row.state is SignInState.CLOSED and found.total != row.records:
        row.records = found.total
        if row.reply_code in (EMPTY, LATE):
            log.warning("sign_in_late", profile=row.profile, day=row.day.isoformat(), count=found.total)
            row.reply_code = LATE
            row.reply_text = f"已按“无”签到之后又收到当日记录 {found.total} 条，记录另行上报，请告知监管平台"


class _Found(NamedTuple):
    """Records of a day, and how many of them are accepted, and carried over."""

    total: int
    accepted: int
    carried: int

    @property
    def settled(self) -> bool:
        """Whether nothing more becomes of them by itself."""
        return self.accepted + self.carried == self.total


async def _of_the_day(session: AsyncSession, row: DailySignIn) -> _Found:
    begin, end = local_day_start(row.day), local_day_start(row.day + timedelta(days=1))
    carried = Submission.state.in_(PEOPLE) & Submission.carried_at.is_not(None)
    query = select(
        func.count(), func.count().filter(Submission.state == SubmissionState.ACCEPTED), func.count().filter(carried)
    ).where(
        Submission.profile == row.profile, Submission.method == row.method,
        Submission.occurred_at >= begin, Submission.occurred_at < end,
    )  # fmt: skip
    return _Found(*(await session.execute(query)).one())


async def _all_here(session: AsyncSession, day: date) -> bool:
    """Whether the backend has told what it sent of `day`, and all of it arrived; before the feed began there is nothing to tell."""
    newest = await opening.latest(session, day)
    if newest is None or not newest.sent:
        begun = select(ReceivedEvent.occurred_at).where(
            ReceivedEvent.hospital_id == hospital_id(), ReceivedEvent.number == 1
        )
        first: datetime | None = await session.scalar(begun)
        return first is not None and local(first).date() > day
    sent = msgspec.json.decode(newest.sent, type=Sent)
    arrived = await counting.arrived_through(session, await opening.settled_through(session))
    if sent.unsealed or sent.last_number > arrived:
        return False
    return await counting.events_of(session, Span(day, sent.last_number)) == sent.events


async def _by_records(session: AsyncSession, row: DailySignIn, found: _Found) -> None:
    if found.accepted == found.total:
        await _closed(session, row, records=found.total, reply_code="records", reply_text="")
    elif found.settled:
        words = f"当日 {found.total} 条记录中 {found.carried} 条已结转"
        await advance(
            session, row, "carry", SYSTEM, claimed_until=None, records=found.total, reply_code="carried", reply_text=words
        )  # fmt: skip
    else:
        await _later(session, row, STILL_OPEN, reply_code="waits", reply_text=WAITS, records=found.total)


async def _closed(session: AsyncSession, row: DailySignIn, **changes: Any) -> None:
    await advance(
        session, row, "close", SYSTEM, claimed_until=None, closed_at=clock_of(session).now(), **changes
    )


async def _later(session: AsyncSession, row: DailySignIn, after: timedelta, **changes: Any) -> None:
    held = await lock(session, DailySignIn, row.id)
    for name, value in {"claimed_until": None, "due_at": clock_of(session).now() + after, **changes}.items():
        setattr(held, name, value)
