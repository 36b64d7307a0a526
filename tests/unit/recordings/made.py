"""A running visit with recordings of both parties, as a media process leaves them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Context
from backend.encounter.model import Encounter
from backend.video.model import Recording
from foundation.db.audit import AuditEvent
from foundation.db.unit_of_work import clock_of
from foundation.ids import new_id
from foundation.object_store import ObjectStore
from tests.builders.visits import Patient, a_patient, accepted
from tests.small_world import DOCTOR
from tests.unit.video.test_joining import a_piece


@dataclass(frozen=True)
class Talk:
    """Who is in it, and what was kept of it."""

    patient: Patient
    visit: Encounter
    recordings: tuple[Recording, ...]


async def a_visit(
    session: AsyncSession, context: Context, *, consent: str = "given"
) -> tuple[Patient, Encounter]:
    """Running, `DOCTOR` on shift."""
    patient = await a_patient(session)
    visit = await accepted(session, context, patient)
    visit.recording_consent = consent
    await session.flush()
    return patient, visit


async def a_talk(session: AsyncSession, context: Context, *, after: float = 1.0) -> Talk:
    """Both were recorded for two seconds, the doctor `after` so many seconds."""
    patient, visit = await a_visit(session, context)
    now = clock_of(session).now()
    assert patient.actor.id is not None
    rows = (
        await recorded(session, context.objects, visit, "patient", now, 0.0),
        await recorded(session, context.objects, visit, "doctor", now + timedelta(seconds=after), after),
    )
    return Talk(patient, visit, rows)


async def recorded(
    session: AsyncSession, store: ObjectStore, visit: Encounter, role: str, at: datetime, number: float
) -> Recording:
    """A true segment of two seconds, file and line."""
    piece = a_piece(store, role, number, folder=f"recordings/{visit.id}")  # type: ignore[arg-type]
    size = (await store.info(piece.object_key)).size
    participant = DOCTOR.id if role == "doctor" else visit.person_id
    row = Recording(
        id=new_id(), encounter_id=visit.id, participant_id=participant, role=role, segment=1, node="n", object_key=piece.object_key,
        started_at=at, ended_at=at + timedelta(seconds=2), duration_ms=2000, bytes=size, sha256=piece.sha256, complete=True,
        close_reason="bye", video_frames=60, audio_frames=100,
    )  # fmt: skip
    session.add(row)
    await session.flush()
    return row


def lines(found: list[AuditEvent], action: str) -> list[AuditEvent]:
    """Of one action."""
    return [line for line in found if line.action == action]
