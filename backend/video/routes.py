"""Ways into video rooms."""

from backend.chat import admission
from backend.chat.service import side_of
from backend.edge import DOCTOR, PATIENT, ApiCall, ApiEndpoint, Family
from backend.video import entry
from backend.video.wire import RoomEntry
from foundation.web.endpoint import act


async def enter(call: ApiCall) -> RoomEntry:
    """A way into the room of a running visit, asked for anew for each connection: the room may live elsewhere by now."""
    async with call.unit_of_work() as session:
        row = await admission.admitted(session, call.actor, call.id())
        entry.require_video(row)
    return await entry.entry(call.app, row.id, call.actor, side_of(call.actor, row))


FAMILY = Family.ONLINE_TREATMENT
ENDPOINTS: list[ApiEndpoint] = [
    act("POST", "/encounters/{id}/room", enter, reply=RoomEntry, summary="进入视频", family=FAMILY,
        roles=(PATIENT, DOCTOR), status=201, transaction=False),
]  # fmt: skip
