"""Looking up a price; preparing, approving and withdrawing a version of the list."""

from datetime import date
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.pricing import queries, rules
from backend.pricing.model import PriceItem, PriceList
from backend.pricing.queries import current_prices
from backend.pricing.rules import DELIVERY, FOLLOW_UP, FOLLOW_UP_SENIOR, Price, visit_price_code
from backend.pricing.states import PriceListState
from foundation.actor import Actor
from foundation.clock import local_day_start
from foundation.db.advance import advance
from foundation.db.audit import audit
from foundation.db.guards import guarded
from foundation.db.locks import lock, lock_stream
from foundation.db.unit_of_work import clock_of
from foundation.errors import Conflict, Forbidden, Invalid, NotFound
from foundation.ids import new_id

__all__ = ["DELIVERY", "FOLLOW_UP", "FOLLOW_UP_SENIOR", "current_prices", "visit_price_code"]


async def price(session: AsyncSession, code: str) -> PriceItem:
    """The price in force for `code`; `NotFound` when the list has none: nothing is charged by guess."""
    version = queries.version_at(clock_of(session).now())
    found = await session.scalar(
        select(PriceItem).where(PriceItem.code == code, PriceItem.version == version)
    )
    if found is None:
        raise NotFound("价格表中没有该项目", code="price_not_found")
    return found


async def prepare(session: AsyncSession, actor: Actor, note: str) -> PriceList:
    """A draft that begins as a copy of the list in force."""
    now = clock_of(session).now()
    await lock_stream(session, "prices")
    known = [row.version for row in await queries.all_lists(session)]
    row = PriceList(
        id=new_id(), version=rules.next_version(clock_of(session).today().year, known), note=note, prepared_at=now,
        editors=[actor.id] if actor.id else [],
    )  # fmt: skip
    session.add(row)
    session.add_all(
        PriceItem(version=row.version, code=one.code, name=one.name, amount=one.amount, basis=one.basis)
        for one in await current_prices(session)
    )
    audit(session, actor, "price_list.prepare", "price_list", row.id, detail={"version": row.version})
    await session.flush()
    return row


async def set_price(session: AsyncSession, actor: Actor, list_id: UUID, wanted: Price) -> PriceList:
    """Add or change one line of a draft."""
    if issues := rules.price_issues(wanted):
        raise Invalid(issues=issues)
    row = await _draft(session, actor, list_id)
    before = await _line(session, row.version, wanted.code)
    was = "" if before is None else str(before.amount)
    line = before or PriceItem(version=row.version, code=wanted.code)
    line.name, line.amount, line.basis = wanted.name, wanted.amount, wanted.basis
    session.add(line)
    audit(
        session, actor, "price_list.set", "price_list", row.id,
        detail={"code": wanted.code, "before": was, "after": str(wanted.amount)},
    )  # fmt: skip
    await session.flush()
    return row


async def remove_price(session: AsyncSession, actor: Actor, list_id: UUID, code: str) -> PriceList:
    """Take one line out of a draft: it is then no longer charged."""
    row = await _draft(session, actor, list_id)
    if await _line(session, row.version, code) is None:
        raise NotFound("价格表中没有该项目", code="price_not_found")
    await session.execute(delete(PriceItem).where(PriceItem.version == row.version, PriceItem.code == code))
    audit(session, actor, "price_list.remove", "price_list", row.id, detail={"code": code})
    return row


async def approve(session: AsyncSession, actor: Actor, list_id: UUID, day: date, seen: str) -> PriceList:
    """Let a draft come into force with `day`; never by who wrote any of it, and only as it was `seen` (its digest)."""
    await lock_stream(session, "prices")
    row = await lock(session, PriceList, list_id)
    prices = [one.price for one in await queries.items(session, row.version)]
    content = rules.digest(row.version, prices)
    if row.state is PriceListState.DRAFT:
        if actor.id in row.editors:
            raise Forbidden("价格表须由未参与编制的人员批准", code="four_eyes")
        if guarded("seen_digest") and seen != content:
            raise Conflict("价格表在您查看之后有改动，请重新核对", code="price_list_changed")
        issues = rules.list_issues(prices)
        issues += rules.day_issues(day, clock_of(session).today(), await queries.days_taken(session))
        if issues:
            raise Invalid(issues=issues)
    elif row.state is PriceListState.APPROVED and row.effective_on != day:
        raise Conflict("这一版价格表已由他人批准", code="price_list_changed")
    await come_into_force(session, actor, row, day)
    return row


async def come_into_force(session: AsyncSession, actor: Actor, row: PriceList, day: date) -> bool:
    """The lines are final from here on; False when somebody was faster."""
    prices = [one.price for one in await queries.items(session, row.version)]
    if row.state is PriceListState.DRAFT:
        await _in_force_from(session, row, day)
    return await advance(
        session, row, "approve", actor, effective_on=day, effective_from=local_day_start(day),
        approved_by=actor.id, approved_at=clock_of(session).now(), content_hash=rules.digest(row.version, prices),
    )  # fmt: skip


async def withdraw(session: AsyncSession, actor: Actor, list_id: UUID) -> PriceList:
    """Give up a draft, or an approved list whose day has not come."""
    await lock_stream(session, "prices")
    row = await lock(session, PriceList, list_id)
    if row.effective_from is not None and row.effective_from <= clock_of(session).now():
        raise Conflict("已经生效的价格表不能撤回，请编制新的版本", code="price_list_in_force")
    await advance(session, row, "withdraw", actor)
    await _in_force_from(session, row, None)
    return row


async def _in_force_from(session: AsyncSession, row: PriceList, day: date | None) -> None:
    """Older code reads the day from the lines."""
    begins = local_day_start(day) if day else None
    await session.execute(
        update(PriceItem).where(PriceItem.version == row.version).values(in_force_from=begins)
    )


async def _draft(session: AsyncSession, actor: Actor, list_id: UUID) -> PriceList:
    """The draft, locked, with the actor among its editors."""
    row = await lock(session, PriceList, list_id)
    if row.state is not PriceListState.DRAFT:
        raise Conflict("只有草稿可以修改，请编制新的版本", code="price_list_not_draft")
    if actor.id is not None and actor.id not in row.editors:
        row.editors = [*row.editors, actor.id]
    return row


async def _line(session: AsyncSession, version: str, code: str) -> PriceItem | None:
    query = select(PriceItem).where(PriceItem.version == version, PriceItem.code == code)
    return await session.scalar(query)
