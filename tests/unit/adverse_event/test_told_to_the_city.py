"""What the desk publishes is a whole record under every profile, also about somebody who had no visit."""

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.adverse_event import service
from backend.adverse_event.rules import DAMAGE, MOST, Whom
from backend.context import Context
from contracts.events import AdverseEventReported
from foundation.db.outbox import OutboxEvent
from regulator_adapter.routing import Stop
from tests.builders import events as b
from tests.builders.visits import a_patient, accepted
from tests.small_world import CLERK, DOCTOR
from tests.unit.adverse_event.test_reporting import SOMEBODY, told
from tests.unit.regulator_adapter.mapped import record, source

pytestmark = pytest.mark.anyio
STOPS = (
    Stop("tianjin-1.0", "pushMedicalDispute", "1"), Stop("guangdong", "bb_pi_adverse_event", "1"), Stop("shanghai", "uploadComplaint", "1"),
)  # fmt: skip
LONG = "长" * MOST


@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.method)
@pytest.mark.parametrize("damage", DAMAGE)
async def test_reports_with_and_without_a_visit_lack_nothing(
    session: AsyncSession, context: Context, stop: Stop, damage: str
) -> None:
    visit = await accepted(session, context, await a_patient(session))
    for member, whom in ((CLERK, SOMEBODY), (DOCTOR, Whom(str(visit.id), "", ""))):
        row = await service.report(
            session, member.actor, kind="drug", whom=whom, told=told(damage=damage, description=LONG)
        )
        await service.supplement(
            session, member.actor, row.id, told(damage=damage, cause=LONG, description=LONG), 1
        )

        query = select(OutboxEvent).where(OutboxEvent.stream == row.stream).order_by(OutboxEvent.sequence)
        for one in (await session.scalars(query)).all():
            event = msgspec.convert(one.payload, AdverseEventReported)
            made, issues = record(stop, source(b.Feed().envelope(row.stream, event)))
            assert issues == []
            assert LONG in next(text for text in made.values() if isinstance(text, str) and "长" in text)
