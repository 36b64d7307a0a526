"""Work that must happen: a row in PostgreSQL, woken through arq and found again by a sweep.

An intent names a handler (`kind`), a subject and when it is due. It is written in the transaction that decides it, so
a crash between commit and wake-up loses nothing. Handlers run with no row locked and are safe to run twice.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Index, Integer, String, Text, case, literal, null, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped

from foundation.db.base import Base, Row, hospital_id, moment
from foundation.db.columns import DataClass, UtcDateTime, stored
from foundation.db.guards import guarded
from foundation.db.unit_of_work import Database, clock_of, unit_of_work
from foundation.errors import AppError, Busy, Unavailable
from foundation.ids import new_id
from foundation.logs import log
from foundation.masking import mask_text

C = TypeVar("C")
LEASE = timedelta(seconds=60)
SOON = timedelta(seconds=60)
"""Work that is due this soon gets a wake-up for its very moment; the sweep alone would be up to a second late."""
LIMIT = 12
"""Attempts after which what fails for no known reason is parked for a person."""
LIMIT_UNREACHABLE = 150
"""The same while a counterpart does not answer: about a day at ten minutes."""


class Intent(Row, Base):
    """One piece of work; done when `done_at` is set, in a person's hands when `parked_at` is."""

    __tablename__ = "intent"
    __table_args__ = (
        Index("ix_intent_due", "due_at", postgresql_where="done_at IS NULL AND parked_at IS NULL"),
        Index("uq_intent_open", "kind", "subject", unique=True, postgresql_where="done_at IS NULL"),
    )

    kind: Mapped[str] = stored(DataClass.OPERATIONAL, String(60))
    subject: Mapped[str] = stored(DataClass.OPERATIONAL, String(80))
    due_at: Mapped[datetime] = moment()
    attempts: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    claimed_until: Mapped[datetime | None] = moment(nullable=True)
    done_at: Mapped[datetime | None] = moment(nullable=True)
    parked_at: Mapped[datetime | None] = moment(nullable=True)
    last_error: Mapped[str] = stored(DataClass.OPERATIONAL, Text, default="")


class TryLater(Exception):
    """Raised by a handler that could not finish yet; `after` overrides the usual back-off."""

    def __init__(self, reason: str, after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.after = after


@dataclass(frozen=True)
class Work(Generic[C]):
    """What a handler is given: the process's context and the subject."""

    context: C
    subject: UUID


Handler = Callable[[Work[Any]], Awaitable[None]]


async def intend(session: AsyncSession, kind: str, subject: UUID, *, due: datetime | None = None) -> None:
    """Ask for `kind` to be done to `subject`, at `due` or at once; one open intent per kind and subject."""
    now = clock_of(session).now()
    row_id = new_id()
    await session.flush()
    statement = (
        insert(Intent)
        .values(
            id=row_id, hospital_id=hospital_id(), kind=kind, subject=str(subject), due_at=due or now, attempts=0,
            last_error="",
        )
        .on_conflict_do_update(
            index_elements=["kind", "subject"],
            index_where=Intent.done_at.is_(None),
            set_={
                "due_at": due or now,
                "parked_at": None,
                "attempts": case((Intent.parked_at.is_not(None), 0), else_=Intent.attempts),
            },
        )
        .returning(Intent.id)
    )  # fmt: skip
    found = await session.scalar(statement)
    if found is not None and (due is None or due <= now):
        session.info["due"].append(found)
    elif found is not None and due is not None and due - now <= SOON:
        session.info.setdefault("soon", {})[found] = due - now


def open_intent(kind: str, subject: UUID, due: datetime) -> dict[str, Any]:
    """The row of an intent about something new, for whoever writes many; it is found when it is due."""
    return {"kind": kind, "subject": str(subject), "due_at": due}


async def withdraw(session: AsyncSession, kind: str, subject: UUID) -> None:
    """Close an open intent that is no longer wanted."""
    now = clock_of(session).now()
    await session.execute(
        update(Intent)
        .where(Intent.kind == kind, Intent.subject == str(subject), Intent.done_at.is_(None))
        .values(done_at=now, last_error="withdrawn")
    )


async def due_ids(db: Database, limit: int = 100) -> list[UUID]:
    """Open intents whose time has come and that nobody holds."""
    now = db.clock.now()
    async with unit_of_work(db) as session:
        query = (
            select(Intent.id)
            .where(Intent.done_at.is_(None), Intent.parked_at.is_(None), Intent.due_at <= now)
            .where(or_(Intent.claimed_until.is_(None), Intent.claimed_until < now))
            .order_by(Intent.due_at)
            .limit(limit)
        )
        return list(await session.scalars(query))


async def run_one(db: Database, context: Any, handlers: Mapping[str, Handler], intent_id: UUID) -> bool:
    """Claim, do and settle one intent; False when another worker has it or it is not due."""
    claimed = await _claim(db, intent_id)
    if claimed is None:
        return False
    try:
        await handlers[claimed.kind](Work(context, UUID(claimed.subject)))
    except Exception as error:
        await _postpone(db, intent_id, claimed, error)
    else:
        async with unit_of_work(db) as session:
            await _close(session, intent_id, claimed)
    return True


@dataclass(frozen=True)
class _Claimed:
    """`due_at` as it was: another value later means that the work was asked for again."""

    kind: str
    subject: str
    attempts: int
    due_at: datetime


async def _claim(db: Database, intent_id: UUID) -> _Claimed | None:
    now = db.clock.now()
    free = or_(Intent.claimed_until.is_(None), Intent.claimed_until < now)
    async with unit_of_work(db) as session:
        statement = (
            update(Intent)
            .where(
                Intent.id == intent_id,
                Intent.done_at.is_(None),
                Intent.parked_at.is_(None),
                Intent.due_at <= now,
            )
            .where(free if guarded("intent_claim") else true())
            .values(claimed_until=now + LEASE, attempts=Intent.attempts + 1)
            .returning(Intent.kind, Intent.subject, Intent.attempts, Intent.due_at)
        )
        row = (await session.execute(statement)).first()
        return None if row is None else _Claimed(row.kind, row.subject, row.attempts, row.due_at)


async def _close(session: AsyncSession, intent_id: UUID, claimed: _Claimed) -> None:
    """Done, unless the same work was asked for again while it ran."""
    again = Intent.due_at != claimed.due_at
    await session.execute(
        update(Intent)
        .where(Intent.id == intent_id, Intent.done_at.is_(None))
        .values(
            done_at=case((again, None), else_=clock_of(session).now()), attempts=case((again, 0), else_=Intent.attempts),
            claimed_until=None, last_error="",
        )
    )  # fmt: skip


async def _postpone(db: Database, intent_id: UUID, claimed: _Claimed, error: Exception) -> None:
    """Later, or into a person's hands; at once when the same work was asked for again while it ran."""
    now, attempts = db.clock.now(), claimed.attempts
    wait = error.after if isinstance(error, TryLater) else None
    parked = now if wait is None and _hopeless(error, attempts) else None
    expected = isinstance(error, TryLater | Unavailable | Busy)
    log.log(
        30 if expected else 40, "intent_failed", kind=claimed.kind, attempts=attempts, parked=bool(parked),
        error=mask_text(f"{type(error).__name__}: {error}"), exc_info=None if expected else error,
    )  # fmt: skip
    again = Intent.due_at != claimed.due_at
    async with unit_of_work(db) as session:
        await session.execute(
            update(Intent)
            .where(Intent.id == intent_id, Intent.done_at.is_(None))
            .values(
                due_at=case((again, Intent.due_at), else_=now + (wait or backoff(attempts))), claimed_until=None,
                parked_at=case((again, null()), else_=literal(parked, UtcDateTime())), attempts=case((again, 0), else_=Intent.attempts),
                last_error=mask_text(f"{type(error).__name__}: {error}")[:500],
            )
        )  # fmt: skip


def _hopeless(error: Exception, attempts: int) -> bool:
    """A refusal is not asked again; silence is, for a day; a mistake of ours a dozen times."""
    if isinstance(error, Unavailable | Busy):
        return attempts >= LIMIT_UNREACHABLE
    return isinstance(error, AppError) or attempts >= LIMIT


def backoff(attempts: int) -> timedelta:
    """1, 2, 4 … seconds, ten minutes at most."""
    return timedelta(seconds=min(2 ** min(attempts - 1, 10), 600))
