"""Runs migrations on an async engine; a migration that would block others fails instead (lock_timeout, statement_timeout)."""

import asyncio

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from foundation.db.base import Base
from regulator_adapter.days import model as days
from regulator_adapter.model import TABLES

TIMEOUTS = {"lock_timeout": "4s", "statement_timeout": "60s", "timezone": "UTC"}


def _ours(_: object, name: str | None, kind: str, __: bool, ___: object) -> bool:
    return kind != "table" or name in (*TABLES, *days.TABLES)


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=Base.metadata, include_object=_ours)
    with context.begin_transaction():
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('migrate'))"))
        context.run_migrations()


async def _main() -> None:
    url = context.config.attributes["url"]
    engine = create_async_engine(url, poolclass=NullPool, connect_args={"server_settings": TIMEOUTS})
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_run)
    finally:
        await engine.dispose()


asyncio.run(_main())
