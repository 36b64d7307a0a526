"""Reads about prices."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ScalarSelect, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.pricing.model import PriceItem, PriceList
from backend.pricing.states import PriceListState
from foundation.db.unit_of_work import clock_of
from foundation.errors import NotFound


def version_at(moment: datetime) -> ScalarSelect[str]:
    """The version in force at a moment, as a subquery: the newest approved one whose day has come."""
    return (
        select(PriceList.version)
        .where(PriceList.state == PriceListState.APPROVED, PriceList.effective_from <= moment)
        .order_by(PriceList.effective_from.desc())
        .limit(1)
        .scalar_subquery()
    )


async def current_prices(session: AsyncSession) -> Sequence[PriceItem]:
    """The whole list in force."""
    now = clock_of(session).now()
    query = select(PriceItem).where(PriceItem.version == version_at(now)).order_by(PriceItem.code)
    return (await session.scalars(query)).all()


async def items(session: AsyncSession, version: str) -> Sequence[PriceItem]:
    """The lines of one version."""
    query = select(PriceItem).where(PriceItem.version == version).order_by(PriceItem.code)
    return (await session.scalars(query)).all()


async def price_list(session: AsyncSession, list_id: UUID) -> PriceList:
    """One version, for the desk."""
    row = await session.get(PriceList, list_id)
    if row is None:
        raise NotFound("没有找到这一版价格表")
    return row


async def published(session: AsyncSession, version: str) -> PriceList:
    """One version that is or was in force, for everybody."""
    query = select(PriceList).where(
        PriceList.version == version, PriceList.state == PriceListState.APPROVED,
        PriceList.effective_from <= clock_of(session).now(),
    )  # fmt: skip
    row = await session.scalar(query)
    if row is None:
        raise NotFound("没有找到这一版价格表")
    return row


async def history(session: AsyncSession) -> Sequence[PriceList]:
    """What is or was in force, newest first."""
    query = (
        select(PriceList)
        .where(
            PriceList.state == PriceListState.APPROVED, PriceList.effective_from <= clock_of(session).now()
        )
        .order_by(PriceList.effective_from.desc())
    )
    return (await session.scalars(query)).all()


async def in_force(session: AsyncSession) -> PriceList | None:
    """The version in force now."""
    query = select(PriceList).where(PriceList.version == version_at(clock_of(session).now()))
    return await session.scalar(query)


async def all_lists(session: AsyncSession) -> Sequence[PriceList]:
    """Every version, drafts included, newest first."""
    return (await session.scalars(select(PriceList).order_by(PriceList.prepared_at.desc()))).all()


async def days_taken(session: AsyncSession) -> Sequence[date]:
    """Days with which an approved version begins."""
    query = select(PriceList.effective_on).where(
        PriceList.state == PriceListState.APPROVED, PriceList.effective_on.is_not(None)
    )
    return [day for day in await session.scalars(query) if day is not None]
