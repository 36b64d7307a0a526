"""Escalations, for the duty desk."""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from backend.edge import DUTY_DESK, ApiCall, ApiEndpoint, Family
from backend.escalation import queries, service
from backend.escalation.queries import Line
from backend.escalation.states import ESCALATION
from backend.escalation.wire import EscalationView, Told
from foundation.web.endpoint import act, get


class Which(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`closed` ones of the last hours instead of those that wait."""

    closed: bool = False


def _told(line: Line, names: Mapping[UUID, str]) -> Told:
    step = line.step
    name = names.get(step.recipient_id, "") if step.recipient_id else ""
    return Told(step.rung, name, step.at, step.bundled, line.channel, line.outcome, line.detail)


async def list_all(call: ApiCall) -> list[EscalationView]:
    """What waits for a doctor, the oldest first, with who was told and what became of it."""
    rows = await queries.listed(call.session, closed=call.query.closed)
    lines, names = await queries.lines(call.session, rows), await queries.names(call.session)
    return [
        EscalationView(
            id=row.id, kind=row.kind, subject_id=row.subject_id, about=row.about,
            practitioner_name=names.get(row.practitioner_id, ""), state=row.state, state_label=ESCALATION.labels[row.state],
            raised_at=row.raised_at, seen_at=row.seen_at, closed_at=row.closed_at, close_reason=row.close_reason,
            told=[_told(line, names) for line in lines.get(row.id, ())],
        )
        for row in rows
    ]  # fmt: skip


async def see(call: ApiCall) -> None:
    """The duty desk takes care of it: it stays quiet for a while."""
    row = await queries.escalation(call.session, call.id())
    await service.see(call.session, call.actor, row.kind, row.subject_id)


FAMILY = Family.ONLINE_TREATMENT
ENDPOINTS: list[ApiEndpoint] = [
    get("/escalations", list_all, reply=list[EscalationView], query=Which, summary="待查看提醒", family=FAMILY,
        roles=[DUTY_DESK]),
    act("POST", "/escalations/{id}/see", see, summary="值班台跟进", family=FAMILY, roles=[DUTY_DESK]),
]  # fmt: skip
