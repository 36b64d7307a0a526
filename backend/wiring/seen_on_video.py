"""How long the two saw each other: known by the recordings, without which there is no video."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.encounter.rules import Moments, together
from backend.video.model import Recording
from foundation.db.unit_of_work import clock_of


async def seen_on_video(session: AsyncSession, encounter_id: UUID) -> timedelta:
    """Time in which both sides were there; one that is still being written ends now."""
    now = clock_of(session).now()
    query = select(Recording.role, Recording.started_at, Recording.ended_at)
    spans: dict[str, list[Moments]] = {"patient": [], "doctor": []}
    for role, started, ended in await session.execute(query.where(Recording.encounter_id == encounter_id)):
        spans.setdefault(role, []).append((started, ended or now))
    return together(spans["patient"], spans["doctor"])
