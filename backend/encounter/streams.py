"""Live streams (SSE): what changed in a visit for its patient, in the list for its doctor. True after every reconnect."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from backend.appointment import queries as appointments
from backend.context import Context
from backend.edge import DOCTOR, PATIENT, PHARMACIST
from backend.encounter import queries
from backend.shift.service import require_running, runs
from backend.streaming import listener, snapshots
from foundation.db.calls import Identify
from foundation.db.unit_of_work import unit_of_work
from foundation.web.parsing import path_id


def routes(context: Context, identify: Identify) -> list[Route]:
    """Streams; who asks is checked before the first byte."""

    async def visit(request: Request) -> Response:
        actor = await listener(identify, request, PATIENT)
        appointment_id = path_id(request, "id")
        async with unit_of_work(context.db) as session:
            row = await appointments.visible(session, actor, appointment_id)
        names = [row.stream, f"queue:{row.practitioner_id}"]
        if row.encounter_id:
            names.append(f"chat:{row.encounter_id}")

        async def look() -> dict[str, Any]:
            async with unit_of_work(context.db) as session:
                now = await appointments.visible(session, actor, appointment_id)
                found = await queries.encounter(session, now.encounter_id) if now.encounter_id else None
                return {
                    "appointment": now.state,
                    "encounter": found.state if found else "",
                    "ahead": await appointments.ahead_of(session, now),
                }

        return snapshots(context, names, "visit", look)

    async def doctor(request: Request) -> Response:
        actor = await listener(identify, request, DOCTOR)
        async with unit_of_work(context.db) as session:
            await require_running(session, actor)

        async def on_shift() -> bool:
            async with unit_of_work(context.db) as session:
                return actor.id is not None and await runs(session, actor.id)

        return snapshots(context, [f"queue:{actor.id}"], "queue", _nothing, on_shift)

    async def pharmacy(request: Request) -> Response:
        await listener(identify, request, PHARMACIST)
        return snapshots(context, ["reviews", "pharmacy"], "reviews", _nothing)

    return [
        Route("/api/v1/appointments/{id}/events", visit),
        Route("/api/v1/doctor/events", doctor),
        Route("/api/v1/pharmacy/events", pharmacy),
    ]


async def _nothing() -> dict[str, Any]:
    return {}
