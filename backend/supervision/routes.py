"""What the supervisor does not have yet."""

from datetime import datetime

import msgspec
from sqlalchemy import func, select

from backend.edge import ADMIN, QUALITY, ApiCall, ApiEndpoint, Family
from foundation.db.intents import Intent
from foundation.db.outbox import OutboxEvent
from foundation.web.endpoint import get


class FeedFigures(msgspec.Struct, frozen=True):
    """Counts of the feed on our side; `oldest` is the oldest event the adapter does not have."""

    sealed: int
    undelivered: int
    oldest: datetime | None
    parked_work: int


async def figures(call: ApiCall) -> FeedFigures:
    """The feed as it stands."""
    waiting = OutboxEvent.relayed_at.is_(None)
    sealed = await call.session.scalar(select(func.count()).select_from(OutboxEvent).where(~waiting))
    query = select(func.count(), func.min(OutboxEvent.occurred_at)).select_from(OutboxEvent).where(waiting)
    undelivered, oldest = (await call.session.execute(query)).one()
    parked = await call.session.scalar(
        select(func.count()).select_from(Intent).where(Intent.parked_at.is_not(None))
    )
    return FeedFigures(sealed or 0, undelivered, oldest, parked or 0)


ENDPOINTS: list[ApiEndpoint] = [
    get("/supervision/figures", figures, reply=FeedFigures, summary="监管上报情况", family=Family.COLLABORATION,
        roles=[ADMIN, QUALITY]),
]  # fmt: skip
