"""A supervisor looks in on a live consultation: view only, for a reason, for a while, written down, shown to both sides.

`open_look_in` is for whoever the edge has authorised: the hospital's own quality department at the desk, the city's
supervisor through the gateway. Each connection needs a fresh single-use ticket; a ticket cannot publish anything, because the
engine routes nothing that a supervisor sends.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.chat import service as chat
from backend.context import Context
from backend.encounter.model import Encounter
from backend.video import entry, rules, wire
from backend.video.model import LookIn
from foundation.actor import Actor
from foundation.db.audit import audit
from foundation.db.locks import lock_stream
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import Conflict, Gone, Invalid, NotFound

ROLE = "supervisor"
WATCHED = ("patient", "doctor")
NOTICE = "监管人员正在查看本次视频问诊"
NOTICE_OVER = "监管人员已结束查看"


async def open_look_in(
    session: AsyncSession, app: Context, actor: Actor, encounter_id: UUID, reason: str, authority: str = ""
) -> LookIn:
    """A permission for `actor`, from now. `Invalid`, `NotFound`, `Conflict` when there is no video to look at.

    `authority`: the order that a supervisor from outside acts on. She may ask again and gets what she has: an answer may be lost.
    """
    assert actor.id is not None
    if issues := rules.reason_issues(reason):
        raise Invalid(issues=issues)
    row = await session.get(Encounter, encounter_id)
    if row is None:
        raise NotFound("没有找到该次问诊")
    settings, now = app.settings, clock_of(session).now()
    entry.require_video(row, now)
    if authority:
        await lock_stream(session, f"look-in:{row.id}")
        if standing := await _standing(session, actor, row.id, now):
            return standing
    made = LookIn(
        encounter_id=row.id, supervisor_kind=actor.kind, supervisor_id=actor.id, reason=reason.strip(),
        shown=settings.look_in_shown, opened_at=now, ends_at=now + timedelta(minutes=settings.look_in_minutes),
    )  # fmt: skip
    session.add(made)
    await session.flush()
    detail = {"look_in": str(made.id), "reason": made.reason, "shown": str(made.shown)}
    if authority:
        detail |= {"authority": authority, "supervisor": actor.name}
    audit(session, actor, "video.look_in_opened", "encounter", row.id, detail=detail)
    if made.shown:
        await chat.notice(session, row, NOTICE, key=f"look-in:{made.id}")
    return made


async def _standing(session: AsyncSession, actor: Actor, encounter_id: UUID, now: datetime) -> LookIn | None:
    query = select(LookIn).where(
        LookIn.encounter_id == encounter_id, LookIn.supervisor_kind == actor.kind,
        LookIn.supervisor_id == actor.id, LookIn.ended_at.is_(None), LookIn.ends_at > now,
    )  # fmt: skip
    found: LookIn | None = await session.scalar(query)
    return found


async def own_look_in(session: AsyncSession, actor: Actor, look_in_id: UUID) -> LookIn:
    """The actor's own permission; `NotFound` for everybody else's."""
    row = await session.get(LookIn, look_in_id)
    if row is None or row.supervisor_id != actor.id or row.supervisor_kind != actor.kind:
        raise NotFound("没有找到该次查看")
    return row


async def seat(
    app: Context, session: AsyncSession, actor: Actor, row: LookIn, watches: str
) -> wire.RoomEntry:
    """One way in, to see and hear `watches`. `Gone` when the permission is over, `Conflict` when the visit is."""
    now = clock_of(session).now()
    if row.ended_at is not None or now >= row.ends_at:
        raise Gone("查看时间已到，请重新申请", code="look_in_over")
    if watches not in WATCHED:
        raise NotFound
    visit = await session.get(Encounter, row.encounter_id)
    if visit is None:
        raise Conflict("问诊未在进行中", code="encounter_not_running")
    entry.require_video(visit, now)
    audit(
        session, actor, "video.look_in_ticket", "encounter", row.encounter_id,
        detail={"look_in": str(row.id), "watches": watches},
    )  # fmt: skip
    return await entry.entry(
        app, row.encounter_id, actor, ROLE, watches=watches, shown=row.shown, until=row.ends_at
    )


async def end_look_in(session: AsyncSession, actor: Actor, row: LookIn) -> None:
    """Over before its time, and the seats with it; again is harmless. Who was told that she came is told that she went."""
    if row.ended_at is None:
        row.ended_at = clock_of(session).now()
        audit(
            session,
            actor,
            "video.look_in_ended",
            "encounter",
            row.encounter_id,
            detail={"look_in": str(row.id)},
        )
        touch(session, rules.stream(row.encounter_id))
        visit = await session.get(Encounter, row.encounter_id)
        if row.shown and visit is not None:
            await chat.notice(session, visit, NOTICE_OVER, key=f"look-in-over:{row.id}")


async def of_visit(session: AsyncSession, encounter_id: UUID) -> list[LookIn]:
    """All of a visit, the latest first."""
    query = select(LookIn).where(LookIn.encounter_id == encounter_id).order_by(LookIn.opened_at.desc())
    return list(await session.scalars(query))
