"""What the checks before calls found, in Valkey for ten minutes: per visit and person, only the last one counts.

Measured and written down by the media process, read by the API: what a page claims is never asked. Who was never
checked is not refused, for a check is a help and no lock; who passes over a bad one is.
"""

from uuid import UUID

import msgspec
from redis.asyncio import Redis

from backend.video.rules import Measured

LIFE_SECONDS = 600
"""An older one says nothing about the network of now."""


async def keep(redis: Redis, encounter_id: UUID, person: UUID, measured: Measured) -> None:
    """In place of the one before."""
    await redis.set(_key(encounter_id, person), msgspec.json.encode(measured), ex=LIFE_SECONDS)


async def last(redis: Redis, encounter_id: UUID, person: UUID) -> Measured | None:
    """None: never, or too long ago."""
    raw = await redis.get(_key(encounter_id, person))
    return msgspec.json.decode(raw, type=Measured) if raw else None


def _key(encounter_id: UUID, person: UUID) -> str:
    return f"probe:{encounter_id}:{person}"
