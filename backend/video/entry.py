"""The way into a room: which media process keeps it, and a ticket that opens it once."""

from datetime import datetime
from uuid import UUID

from backend.chat import tickets
from backend.context import Context
from backend.encounter.model import Encounter
from backend.encounter.states import RUNNING
from backend.video import nodes, wire
from backend.video.turn import ice_servers
from foundation.actor import Actor
from foundation.errors import Conflict


def require_video(row: Encounter) -> None:
    """`Conflict` unless there may be video: the visit runs and the patient agreed that it is recorded."""
    if row.state not in RUNNING:
        raise Conflict("问诊未在进行中", code="encounter_not_running")
    if row.recording_consent != "given":
        raise Conflict("视频问诊需要录像，请先征得患者同意", code="no_recording_consent")


async def entry(
    app: Context,
    encounter_id: UUID,
    actor: Actor,
    role: str,
    *,
    watches: str = "",
    shown: bool = True,
    until: datetime | None = None,
) -> wire.RoomEntry:
    """For somebody who may enter. `Unavailable` when no media process lives."""
    assert actor.id is not None
    settings = app.settings
    node = await nodes.address_of(app.redis, encounter_id, settings.media_urls)
    ticket = tickets.Ticket(
        wire.PURPOSE, encounter_id, actor.id, role, actor.name, node, watches, shown, until
    )
    return wire.RoomEntry(
        f"{node.replace('http', 'ws', 1)}/rooms/{encounter_id}",
        await tickets.issue(app.redis, ticket),
        tickets.LIFE_SECONDS,
        ice_servers(
            settings.turn_urls, settings.turn_secret, app.clock.now(), settings.turn_seconds, str(actor.id)
        ),
    )
