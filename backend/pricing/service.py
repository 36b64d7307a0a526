"""Looking up prices."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from backend.pricing.model import PriceItem
from foundation.db.unit_of_work import clock_of
from foundation.errors import NotFound

FOLLOW_UP = "visit.follow_up"
FOLLOW_UP_SENIOR = "visit.follow_up.senior"
DELIVERY = "delivery.courier"


async def price(session: AsyncSession, code: str) -> PriceItem:
    """The price in force for `code`; `NotFound` when the list has none: nothing is charged by guess."""
    query = (
        select(PriceItem)
        .where(PriceItem.code == code, PriceItem.in_force_from <= clock_of(session).now())
        .order_by(PriceItem.in_force_from.desc())
        .limit(1)
    )
    found = await session.scalar(query)
    if found is None:
        raise NotFound("价格表中没有该项目", code="price_not_found")
    return found


async def current_prices(session: AsyncSession) -> Sequence[PriceItem]:
    """The whole list in force."""
    query = (
        select(PriceItem)
        .where(PriceItem.in_force_from <= clock_of(session).now())
        .ext(distinct_on(PriceItem.code))
        .order_by(PriceItem.code, PriceItem.in_force_from.desc())
    )
    return (await session.scalars(query)).all()


def visit_price_code(title_code: str) -> str:
    """Which price a visit of a doctor with this title has: chief and associate chief physicians cost more."""
    return FOLLOW_UP_SENIOR if title_code in ("231", "232") else FOLLOW_UP
