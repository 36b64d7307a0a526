"""Where a platform stores twice what it is sent twice, a business number goes out once, in its terminal state (T+1, practice.md 19)."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import String, Uuid, text
from sqlalchemy.ext.asyncio import AsyncSession

from regulator_adapter import profiles
from regulator_adapter.routing import UNROUTED

# States are written out, so that the planner may use the indexes that are for these states alone; arrays keep it one statement.
_TAKEN = text(
    "SELECT profile, makes, event_id FROM submission "
    "WHERE profile = ANY(:names) AND makes = ANY(:makes) AND state = 'accepted' "
    "UNION ALL SELECT profile, makes, event_id FROM submission WHERE profile = ANY(:names) AND lane = ANY(:lanes) "
    "AND makes = ANY(:makes) AND state IN ('mapped', 'submitted')"
).columns(profile=String, makes=String, event_id=Uuid)


async def already_reported(
    session: AsyncSession, rows: Sequence[Any], mapped: Mapping[UUID, Mapping[str, Any]]
) -> dict[UUID, str]:
    """Of the rows about to be `mapped` those whose business number another event has taken, with words for people."""
    once = [row for row in rows if row.id in mapped and _is_once(row)]
    if not once:
        return {}
    taken = await _taken(session, once, mapped)
    found: dict[UUID, str] = {}
    for row in once:
        key = row.profile, str(mapped[row.id]["makes"])
        owner = taken.setdefault(key, row.event_id)
        if owner != row.event_id:
            found[row.id] = (
                f"业务编号 {row.business_number} 已由事件 {owner} 上报或即将上报；平台只收一次终态，请核对后处理"
            )
    return found


def _is_once(row: Any) -> bool:
    return row.method != UNROUTED and profiles.profile(row.profile).methods[row.method].once


async def _taken(
    session: AsyncSession, once: Sequence[Any], mapped: Mapping[UUID, Mapping[str, Any]]
) -> dict[tuple[str, str], UUID]:
    """Who reported these numbers before, or is about to in the same lane."""
    values = {
        "names": sorted({row.profile for row in once}),
        "makes": sorted({str(mapped[row.id]["makes"]) for row in once}),
        "lanes": sorted({str(mapped[row.id]["lane"]) for row in once}),
    }
    return {(row.profile, row.makes): row.event_id for row in await session.execute(_TAKEN, values)}
