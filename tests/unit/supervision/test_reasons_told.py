"""What the city's rules ask for and only the hospital knows is in the events."""

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.complaint import service as complaints
from backend.context import Context
from backend.prescription.signing import digest_of
from foundation.db.outbox import OutboxEvent
from foundation.ids import new_id
from tests.builders.visits import a_patient, accepted, drafted, signs

pytestmark = pytest.mark.anyio


async def test_the_doctors_reason_goes_with_the_prescription(session: AsyncSession, context: Context) -> None:
    visit = await accepted(session, context, await a_patient(session))
    row = await drafted(session, visit)
    row.content = msgspec.structs.replace(row.content, reason="患者外出一个月")
    row.digest = digest_of(row.content)
    await signs(session, context, row)

    sent = await session.scalar(
        select(OutboxEvent).where(OutboxEvent.type == "prescription.signed", OutboxEvent.stream == row.stream)
    )

    assert sent is not None
    assert sent.payload["prescription"]["reason"] == "患者外出一个月"


async def test_the_promised_answer_goes_with_the_complaint(session: AsyncSession) -> None:
    patient = await a_patient(session)

    filed = await complaints.file(
        session, patient.actor, person_id=patient.person.id, encounter_id=None, words=f"等待太久 {new_id()}"
    )

    sent = await session.scalar(select(OutboxEvent).where(OutboxEvent.stream == filed.stream))
    assert sent is not None
    assert sent.payload["answer_by"].startswith(f"{filed.answer_by:%Y-%m-%dT%H:%M:%S}")
