"""Runs migrations on an async engine; a migration that would block others fails instead (lock_timeout, statement_timeout)."""

import asyncio
from typing import Literal

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from backend.models import METADATA, TABLES
from foundation.db.columns import EncryptedJson, EncryptedText, State, UtcDateTime

TIMEOUTS = {"lock_timeout": "4s", "statement_timeout": "60s", "timezone": "UTC"}


def _ours(_: object, name: str | None, kind: str, __: bool, ___: object) -> bool:
    return kind != "table" or name in TABLES


def _render(kind: str, item: object, _: object) -> str | Literal[False]:
    """Our column types as the plain types of the database: a migration must not change with the code."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, EncryptedText | EncryptedJson):
        return "sa.LargeBinary()"
    return "sa.String(32)" if kind == "type" and isinstance(item, State) else False


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection, target_metadata=METADATA, include_object=_ours, render_item=_render
    )
    with context.begin_transaction():
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('migrate'))"))
        context.run_migrations()


async def _main() -> None:
    engine = create_async_engine(
        context.config.attributes["url"], poolclass=NullPool, connect_args={"server_settings": TIMEOUTS}
    )
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_run)
    finally:
        await engine.dispose()


asyncio.run(_main())
