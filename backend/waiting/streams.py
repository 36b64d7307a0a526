"""The waiting room live: the whole state at once and after each change of the visit or of the queue she stands in.

That queue is another one after a hand-over or a move, and then the new doctor's is listened to.
"""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from backend.appointment import queries as appointments
from backend.context import Context
from backend.edge import PATIENT
from backend.streaming import following, listener
from backend.waiting.views import waiting_view
from backend.waiting.wire import WaitingView
from foundation.db.calls import Identify
from foundation.db.unit_of_work import unit_of_work
from foundation.web.parsing import path_id


def routes(context: Context, identify: Identify) -> list[Route]:
    """One stream per appointment."""

    async def waiting(request: Request) -> Response:
        actor = await listener(identify, request, PATIENT)
        appointment_id = path_id(request, "id")

        async def names() -> Sequence[str]:
            async with unit_of_work(context.db) as session:
                row = await appointments.visible(session, actor, appointment_id)
                return [row.stream, f"queue:{row.practitioner_id}"]

        async def look() -> WaitingView:
            async with unit_of_work(context.db) as session:
                now = await appointments.visible(session, actor, appointment_id)
                return await waiting_view(session, now)

        await names()  # a stranger is refused before the first byte
        return following(context, names, "waiting", look)

    return [Route("/api/v1/appointments/{id}/waiting/events", waiting)]
