"""The only commit in the code base, and the engine it commits to."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from asyncpg.exceptions import (
    DataError,
    DeadlockDetectedError,
    InterfaceError,
    InternalClientError,
    LockNotAvailableError,
    OperatorInterventionError,
    PostgresConnectionError,
    PostgresError,
    QueryCanceledError,
    TooManyConnectionsError,
)
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from foundation.clock import Clock
from foundation.errors import BadRequest, Busy, Unavailable
from foundation.logs import log

Wake = Callable[[list[UUID]], Awaitable[None]]
"""Told after a commit which intents are due at once; may fail, the sweep finds them again."""


WakeLater = Callable[[Mapping[UUID, timedelta]], Awaitable[None]]
"""The same for intents that are due in a moment: how long from now."""

Announce = Callable[[set[str]], Awaitable[None]]
"""Told after a commit which streams changed, for screens that show them live; may fail, screens ask again."""

WAKE_SECONDS = 2.0
_ON_THEIR_WAY: set[asyncio.Task[None]] = set()
"""Wake-ups of callers who may be gone; a loop keeps its tasks by weak references only."""


async def _nobody(_: Any) -> None:
    return None


@dataclass
class Database:
    """Engine, clock and wake-ups of one process."""

    engine: AsyncEngine
    clock: Clock
    wake: Wake = _nobody
    wake_later: WakeLater = _nobody
    announce: Announce = _nobody
    lines: dict[Any, Any] = field(default_factory=dict, init=False)
    """Callers who wait to share a piece of work (`foundation.db.sharing`)."""
    sessions: async_sessionmaker[AsyncSession] = field(init=False)

    def __post_init__(self) -> None:
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    async def ping(self) -> None:
        """Raises when the database does not answer."""
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))


def connect(url: str, clock: Clock, *, pool: int = 10, application: str = "") -> Database:
    """An engine with time-outs on locks and statements, so that nobody waits for ever.

    `pool` connections, and as many again under a rush. What was opened stays open: proving a password anew costs
    milliseconds on both sides, and a pool that sheds connections pays it hundreds of times just when there is no time.
    """
    engine = create_async_engine(
        url,
        pool_size=2 * pool,
        max_overflow=0,
        pool_pre_ping=False,
        hide_parameters=True,  # an error is logged, and its parameters may be somebody's name
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
    """One transaction: commits when the block ends, rolls back when it raises.

    What the database itself refuses becomes a fact of ours: `Busy` for locks, dead-locks and a full pool, `Unavailable`
    when it is gone, `BadRequest` for a value that no column can hold.

    Whoever is cancelled while it commits, or before the wake-ups are out (a socket that closed), leaves them behind all the
    same: the commit may stand, and a wake-up too many does no harm.
    """
    info: dict[Any, Any] = {"clock": db.clock, "due": [], "touched": set()}
    committing = False
    try:
        async with db.sessions(info=info) as session:
            info = session.info
            async with _in_our_words(), session.begin():
                yield session
                committing = True
    except asyncio.CancelledError:
        if committing:
            _wake_ups(db, info)
        raise
    if info["due"] or info["touched"] or info.get("soon"):
        await asyncio.shield(_wake_ups(db, info))


@asynccontextmanager
async def looking(db: Database) -> AsyncIterator[Any]:
    """asyncpg's own connection for single statements that only read: no transaction around them, one round trip each."""
    async with _in_our_words(), db.engine.connect() as connection:
        found: Any = (await connection.get_raw_connection()).driver_connection
        try:
            yield found
        except InternalClientError:
            await connection.invalidate()
            raise
        finally:
            if (
                found.is_closed() and not connection.invalidated
            ):  # what died behind SQLAlchemy's back must not go back into the pool
                await connection.invalidate()


@asynccontextmanager
async def _in_our_words() -> AsyncIterator[None]:
    """What the database refuses, as a fact of ours."""
    try:
        yield
    except DBAPIError as error:
        raise _in_words(error) from error
    except (PostgresError, InterfaceError) as error:  # from the driver itself (`foundation.db.bulk`)
        raise _fact_of(error) or error from error
    except NoConnectionLeft as error:
        raise Busy(retry_after=1) from error
    except (
        ConnectionError,
        InternalClientError,
    ) as error:  # the latter: it died while the driver was writing to it
        raise Unavailable(retry_after=5) from error


def _wake_ups(db: Database, info: Mapping[Any, Any]) -> asyncio.Task[None]:
    """On their way, whatever becomes of the caller."""
    task = asyncio.create_task(_wake(db, info))
    _ON_THEIR_WAY.add(task)
    task.add_done_callback(_ON_THEIR_WAY.discard)
    return task


async def _wake(db: Database, info: Mapping[Any, Any]) -> None:
    if info["due"]:
        await _quietly(db.wake(info["due"]))
    if soon := info.get("soon"):
        await _quietly(db.wake_later(soon))
    if info["touched"]:
        await _quietly(db.announce(info["touched"]))


async def _quietly(wake_up: Awaitable[None]) -> None:
    """The transaction is committed: nobody waits longer than this for a wake-up that a sweep makes good."""
    try:
        async with asyncio.timeout(WAKE_SECONDS):
            await wake_up
    except Exception as error:
        log.warning("wake_up_lost", error=f"{type(error).__name__}: {error}")


def touch(session: AsyncSession, *streams: str) -> None:
    """Say that these streams change with this transaction."""
    session.info["touched"].update(streams)


def _in_words(error: DBAPIError) -> Exception:
    cause: Any = getattr(error.orig, "__cause__", None)
    return _fact_of(cause) or (Unavailable(retry_after=5) if error.connection_invalidated else error)


def _fact_of(cause: BaseException | None) -> Exception | None:
    if isinstance(cause, LockNotAvailableError | QueryCanceledError | DeadlockDetectedError):
        return Busy(retry_after=1)
    if isinstance(cause, TooManyConnectionsError):
        return Busy(retry_after=1)
    if isinstance(cause, PostgresConnectionError | OperatorInterventionError | ConnectionError):
        return Unavailable(retry_after=5)
    if isinstance(cause, DataError):
        log.warning("value_cannot_be_stored", error=type(cause).__name__)  # its text quotes the value
        return BadRequest("内容中有不能保存的字符或数值", code="cannot_be_stored")
    return Unavailable(retry_after=5) if isinstance(cause, InterfaceError) else None


def clock_of(session: AsyncSession) -> Clock:
    """The clock of the process the session belongs to."""
    clock: Clock = session.info["clock"]
    return clock
