"""Counting in, keeping for an order, giving back, taking away. Called in the caller's transaction, late."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from backend.formulary import queries as formulary
from backend.stock import rules
from backend.stock.model import HospitalShelf, StockLevel, StockMove
from backend.stock.rules import Kind, Level
from contracts.his import DrugStock
from foundation.actor import SYSTEM, Actor
from foundation.db.audit import audit
from foundation.db.base import hospital_id
from foundation.db.locks import lock_all
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import Conflict, NotFound
from foundation.ids import new_id

DESK = "desk:stock"


async def count_in(session: AsyncSession, actor: Actor, drug_code: str, packs: int, note: str) -> StockLevel:
    """Packs came onto the shelf (or, below zero, were found missing); the first time the drug begins to be counted."""
    if drug_code not in await formulary.by_codes(session, [drug_code]):
        raise NotFound("目录中没有该药品", code="unknown_drug")
    statement = insert(StockLevel).values(
        id=new_id(), hospital_id=hospital_id(), drug_code=drug_code, on_hand=0, reserved=0
    )
    await session.execute(statement.on_conflict_do_nothing(index_elements=["hospital_id", "drug_code"]))
    (row,) = await _locked(session, [drug_code])
    try:
        _move(session, row, Kind.COUNT_IN, packs, None, actor, note)
    except ValueError:
        raise Conflict("盘点后的库存会少于已为订单保留的数量", code="stock_below_reserved") from None
    audit(session, actor, "stock.count_in", "drug", drug_code, detail={"packs": str(packs)})
    touch(session, DESK)
    return row


async def reserve(
    session: AsyncSession, subject_id: UUID, wanted: Mapping[str, int], names: Mapping[str, str]
) -> None:
    """Keep packs for an order; `Conflict` names every drug of which there is not enough, and keeps nothing."""
    rows = await _locked(session, wanted)
    levels = {row.drug_code: row.level for row in rows}
    if issues := rules.shortages(wanted, levels, names):
        raise Conflict("；".join(one.message for one in issues), code="out_of_stock", issues=issues)
    for row in rows:
        _move(session, row, Kind.RESERVE, wanted[row.drug_code], subject_id, SYSTEM)
    touch(session, DESK)


async def release(session: AsyncSession, subject_id: UUID) -> None:
    """Give back what an order kept and did not take. Again changes nothing."""
    await _settle(session, subject_id, Kind.RELEASE)


async def issue(session: AsyncSession, subject_id: UUID) -> None:
    """The order left the shelf. Again changes nothing."""
    await _settle(session, subject_id, Kind.ISSUE)


async def _settle(session: AsyncSession, subject_id: UUID, kind: Kind) -> None:
    kept = await kept_for(session, subject_id)
    rows = await _locked(session, kept)
    kept = await kept_for(session, subject_id)  # again, under the locks: somebody may have been faster
    for row in rows:
        if row.drug_code in kept:
            _move(session, row, kind, kept[row.drug_code], subject_id, SYSTEM)
    if rows:
        touch(session, DESK)


async def kept_for(session: AsyncSession, subject_id: UUID) -> dict[str, int]:
    """Packs that an order keeps by drug: reserved, and neither given back nor taken."""
    query = select(StockMove).where(StockMove.subject_id == subject_id)
    moves = (await session.scalars(query.execution_options(populate_existing=True))).all()
    settled = {one.drug_code for one in moves if one.kind is not Kind.RESERVE}
    return {one.drug_code: one.packs for one in moves if one.drug_code not in settled}


async def levels(session: AsyncSession) -> Sequence[StockLevel]:
    """All counted drugs, the scarcest first."""
    query = select(StockLevel).order_by(StockLevel.on_hand - StockLevel.reserved, StockLevel.drug_code)
    return (await session.scalars(query)).all()


async def levels_of(session: AsyncSession, codes: Sequence[str]) -> dict[str, Level]:
    """Our own shelf, by code; a drug that nobody counted in is not in it."""
    query = select(StockLevel).where(StockLevel.drug_code.in_(codes))
    return {row.drug_code: row.level for row in await session.scalars(query)}


async def shelf_of(session: AsyncSession, codes: Sequence[str]) -> dict[str, HospitalShelf]:
    """The hospital's shelf as it was last read, by code; what was read too long ago is not in it."""
    query = select(HospitalShelf).where(HospitalShelf.drug_code.in_(codes))
    now = clock_of(session).now()
    return {row.drug_code: row for row in await session.scalars(query) if rules.fresh(row.read_at, now)}


async def keep_shelf(session: AsyncSession, drugs: Sequence[DrugStock], asked: Sequence[str]) -> None:
    """What the hospital said of the drugs that were `asked` for; of what it does not count any more nothing is kept."""
    now, told = clock_of(session).now(), {one.drug_code: one for one in drugs if one.drug_code in set(asked)}
    gone = HospitalShelf.drug_code.in_([code for code in asked if code not in told])
    await session.execute(delete(HospitalShelf).where(gone))
    for code in sorted(told):
        one = told[code]
        values = {"quantity": one.quantity, "unit": one.unit[:40], "at": one.at, "read_at": now}
        statement = insert(HospitalShelf).values(
            id=new_id(), hospital_id=hospital_id(), drug_code=code, **values
        )
        await session.execute(
            statement.on_conflict_do_update(index_elements=["hospital_id", "drug_code"], set_=values)
        )


async def _locked(session: AsyncSession, codes: Mapping[str, int] | Sequence[str]) -> list[StockLevel]:
    query = select(StockLevel.id).where(StockLevel.drug_code.in_(list(codes)))
    return await lock_all(session, StockLevel, (await session.scalars(query)).all())


def _move(
    session: AsyncSession, row: StockLevel, kind: Kind, packs: int, subject_id: UUID | None, by: Actor, note: str = ""
) -> None:  # fmt: skip
    level = rules.after(row.level, kind, packs)
    row.on_hand, row.reserved = level.on_hand, level.reserved
    session.add(
        StockMove(
            drug_code=row.drug_code, kind=kind, packs=packs, subject_id=subject_id, by=by.id, note=note,
            at=clock_of(session).now(),
        )
    )  # fmt: skip
