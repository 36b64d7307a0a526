"""The way into a room: which media process keeps it, a ticket that opens it once, and what a check of the network found."""

from datetime import datetime
from uuid import UUID

from backend.chat import tickets
from backend.context import Context
from backend.encounter import queries as encounters
from backend.encounter.model import Encounter
from backend.encounter.states import RUNNING
from backend.video import nodes, probes, wire
from backend.video.rules import GIVEN, Measured, network_issues
from backend.video.turn import ice_servers
from foundation.actor import Actor
from foundation.errors import Conflict


def require_video(row: Encounter, now: datetime) -> None:
    """`Conflict` unless there may be video: the visit runs, has time left, and the patient agreed that it is recorded."""
    if row.state not in RUNNING:
        raise Conflict("问诊未在进行中", code="encounter_not_running")
    encounters.require_talking(row, now)
    if row.recording_consent != GIVEN:
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
        wire.PURPOSE, encounter_id, actor.id, role, actor.name, node, watches, shown, until, actor.kind
    )
    return wire.RoomEntry(
        f"{node.replace('http', 'ws', 1)}/rooms/{encounter_id}",
        await tickets.issue(app.redis, ticket),
        tickets.LIFE_SECONDS,
        ice_servers(
            settings.turn_urls, settings.turn_secret, app.clock.now(), settings.turn_seconds, str(actor.id)
        ),
    )


async def probe_entry(app: Context, encounter_id: UUID, actor: Actor, role: str) -> wire.ProbeEntry:
    """To the process where the room is or will be: that way is to be measured, no other."""
    assert actor.id is not None
    node = await nodes.address_of(app.redis, encounter_id, app.settings.media_urls)
    ticket = tickets.Ticket(wire.PROBE, encounter_id, actor.id, role, actor.name, node, kind=actor.kind)
    url = f"{node.replace('http', 'ws', 1)}/probes/{encounter_id}"
    return wire.ProbeEntry(url, await tickets.issue(app.redis, ticket), tickets.LIFE_SECONDS)


async def last_probe(app: Context, encounter_id: UUID, actor: Actor) -> Measured | None:
    """What this person's last check for this visit found."""
    assert actor.id is not None
    return await probes.last(app.redis, encounter_id, actor.id)


async def require_network(app: Context, encounter_id: UUID, actor: Actor) -> None:
    """`Conflict` while this person's last check for this visit is under the set bitrate; a better one lifts it."""
    measured = await last_probe(app, encounter_id, actor)
    issues = network_issues(measured, app.settings.video_least_bitrate) if measured else []
    if issues:
        raise Conflict(
            "当前网络太慢，视频会卡顿。请换个网络后重新检测，或继续用文字交流",
            code="network_too_slow",
            issues=issues,
        )
