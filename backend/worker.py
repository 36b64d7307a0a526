"""The worker: arq wakes it, a sweep finds what was not woken, the relay feeds the supervisor.

arq is only a wake-up over intent rows in PostgreSQL: with Valkey emptied or gone, the sweep does the same work later.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast
from uuid import UUID

from arq import Worker, func
from arq.connections import ArqRedis
from arq.typing import WorkerCoroutine
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.middleware import Middleware

from backend.composition import JOB, open_context
from backend.context import Context
from backend.settings import Settings
from backend.supervision.relay import Relay
from backend.supervision.sinks import HttpSink, NatsSink, Sink
from backend.wiring import handlers, standing
from foundation.clock import Clock
from foundation.db.base import hospital_id
from foundation.db.intents import Handler, due_ids, intend, run_one
from foundation.db.unit_of_work import unit_of_work
from foundation.logs import configure, log
from foundation.server import listener, run, serve
from foundation.settings import load_or_exit
from foundation.tls import client_context
from foundation.web.health import health_routes
from foundation.web.middleware import RequestId

SWEEP_SECONDS = 1.0
PARALLEL = 16


async def sweep(context: Context, table: Mapping[str, Handler]) -> None:
    """Until cancelled: run whatever is due and nobody holds."""
    gate = asyncio.Semaphore(PARALLEL)

    async def one(intent_id: UUID) -> None:
        async with gate:
            await run_one(context.db, context, table, intent_id)

    while True:
        try:
            found = await due_ids(context.db)
            if found:
                await asyncio.gather(*(one(intent_id) for intent_id in found))
                continue
        except Exception as error:
            log.warning("sweep_failed", error=f"{type(error).__name__}: {error}")
        await asyncio.sleep(SWEEP_SECONDS)


async def keep_standing(context: Context) -> None:
    """Ask for the work that never ends; each handler asks for its next turn itself."""
    async with unit_of_work(context.db) as session:
        for kind in standing():
            await intend(session, kind, hospital_id())


async def wake_ups(context: Context, table: Mapping[str, Handler]) -> None:
    """Until cancelled: run intents that arq names."""

    async def run_intent(_: dict[Any, Any], intent_id: str) -> None:
        await run_one(context.db, context, table, UUID(intent_id))

    while True:
        worker = Worker(
            functions=[func(cast(WorkerCoroutine, run_intent), name=JOB)], redis_pool=_arq_pool(context), handle_signals=False, poll_delay=0.05,
            max_jobs=PARALLEL, keep_result=0, max_tries=1, job_timeout=60, health_check_interval=3600,
        )  # fmt: skip
        try:
            await worker.async_run()
        except (RedisError, OSError) as error:
            log.warning("wake_ups_lost", error=str(error))
            await asyncio.sleep(1)


def _arq_pool(context: Context) -> ArqRedis:
    return ArqRedis(connection_pool=context.redis.connection_pool)


def create_app(context: Context) -> Starlette:
    """Health of the worker."""

    async def valkey() -> None:
        await context.redis.ping()

    checks = {"database": context.db.ping, "valkey": valkey}
    table = health_routes(checks, context.clock, context.settings.env)
    return Starlette(routes=list(table), middleware=[Middleware(RequestId)])


def _sink(settings: Settings) -> Sink:
    """Where the feed goes: to the adapter, or into a JetStream that the adapter reads."""
    tls = client_context(settings.tls_cert, settings.tls_key, settings.tls_root)
    if not settings.nats_url:
        return HttpSink(settings.adapter_url, tls)
    encrypted = settings.nats_url.startswith("tls://")
    return NatsSink(
        settings.nats_url, tls if encrypted else None, settings.feed_keyring(), settings.hospital_id
    )


async def _work(settings: Settings) -> None:
    async with open_context(settings, Clock(), "worker") as context:
        table = handlers()
        dsn = settings.database_url.replace("+asyncpg", "")
        relay = Relay(context.db, _sink(settings), dsn)
        await keep_standing(context)
        tasks = [
            asyncio.create_task(sweep(context, table)),
            asyncio.create_task(wake_ups(context, table)),
            asyncio.create_task(relay.run()),
        ]
        await serve(listener(create_app(context), settings.host, settings.port))
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def main() -> int:
    """`python -m backend worker`."""
    settings = load_or_exit(Settings)
    configure("worker", settings.log_level)
    run(_work(settings))
    return 0
