"""Reads about the staff, and what they did."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account.model import Staff
from backend.desk.deeds import Deed, words
from foundation.db.audit import AuditEvent

KINDS = {"account": "患者", "system": "系统", "staff": "工作人员", "nobody": "未登录者"}
MOST = 200


async def staff_names(session: AsyncSession, ids: Iterable[object]) -> dict[UUID, str]:
    """Names to show beside what somebody did; whatever is no member of staff is left out."""
    wanted = {one for one in ids if isinstance(one, UUID)}
    if not wanted:
        return {}
    rows = await session.execute(select(Staff.id, Staff.display_name).where(Staff.id.in_(wanted)))
    return {one.id: one.display_name for one in rows}


async def deeds(session: AsyncSession, *subjects: tuple[str, object]) -> list[Deed]:
    """What the audit trail says about these (kind, id), oldest first; views are left out."""
    keys = [(kind, str(one)) for kind, one in subjects]
    query = (
        select(AuditEvent)
        .where(
            tuple_(AuditEvent.subject_kind, AuditEvent.subject_id).in_(keys),
            AuditEvent.action.not_like("%.view"),
        )
        .order_by(AuditEvent.ordinal)
        .limit(MOST)
    )
    rows = (await session.scalars(query)).all()
    names = await staff_names(session, [row.actor_id for row in rows])
    return [
        Deed(
            at=row.at, who=(row.actor_id and names.get(row.actor_id)) or KINDS.get(row.actor_kind, row.actor_kind),
            what=words(row.action), detail=row.detail, refused=row.outcome != "ok",
        )
        for row in rows
    ]  # fmt: skip
