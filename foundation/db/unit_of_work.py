"""The only commit in the code base, and the engine it commits to."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from asyncpg.exceptions import LockNotAvailableError, QueryCanceledError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from foundation.clock import Clock
from foundation.errors import Busy
from foundation.logs import log

Wake = Callable[[list[UUID]], Awaitable[None]]
"""Told after a commit which intents are due at once; may fail, the sweep finds them again."""


Announce = Callable[[set[str]], Awaitable[None]]
"""Told after a commit which streams changed, for screens that show them live; may fail, screens ask again."""


async def _nobody(_: Any) -> None:
    return None


@dataclass
class Database:
    """Engine, clock and wake-ups of one process."""

    engine: AsyncEngine
    clock: Clock
    wake: Wake = _nobody
    announce: Announce = _nobody
    sessions: async_sessionmaker[AsyncSession] = field(init=False)

    def __post_init__(self) -> None:
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    async def ping(self) -> None:
        """Raises when the database does not answer."""
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))


def connect(url: str, clock: Clock, *, pool: int = 10, application: str = "") -> Database:
    """An engine with time-outs on locks and statements, so that nobody waits for ever."""
    engine = create_async_engine(
        url,
        pool_size=pool,
        max_overflow=pool,
        pool_pre_ping=False,
        connect_args={
            "server_settings": {
                "application_name": application,
                "lock_timeout": "3s",
                "statement_timeout": "15s",
                "idle_in_transaction_session_timeout": "30s",
                "timezone": "UTC",
            }
        },
    )
    return Database(engine, clock)


@asynccontextmanager
async def unit_of_work(db: Database) -> AsyncIterator[AsyncSession]:
    """One transaction: commits when the block ends, rolls back when it raises. Lock time-outs become `Busy`."""
    async with db.sessions() as session:
        session.info["clock"] = db.clock
        session.info["due"] = []
        session.info["touched"] = set()
        try:
            async with session.begin():
                yield session
        except DBAPIError as error:
            raise _in_words(error) from error
        due, touched = session.info["due"], session.info["touched"]
    if due:
        await _quietly(db.wake(due))
    if touched:
        await _quietly(db.announce(touched))


async def _quietly(wake_up: Awaitable[None]) -> None:
    try:
        await wake_up
    except Exception as error:
        log.warning("wake_up_lost", error=str(error))


def touch(session: AsyncSession, *streams: str) -> None:
    """Say that these streams change with this transaction."""
    session.info["touched"].update(streams)


def _in_words(error: DBAPIError) -> Exception:
    cause: Any = getattr(error.orig, "__cause__", None)
    if isinstance(cause, LockNotAvailableError | QueryCanceledError):
        return Busy(retry_after=1)
    return error


def clock_of(session: AsyncSession) -> Clock:
    """The clock of the process the session belongs to."""
    clock: Clock = session.info["clock"]
    return clock
