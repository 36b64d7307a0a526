"""The hospital's shelf for doctors to see; and once a day: do the hospital's own prices and shelf say what ours say? What differs is a person's to settle; nothing is changed here."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from backend.alarm import service as alarms
from backend.context import Context
from backend.formulary import queries as formulary
from backend.outside.his import HospitalRefused
from backend.policy import policy
from backend.pricing.queries import current_prices
from backend.pricing.rules import FOLLOW_UP, FOLLOW_UP_SENIOR
from backend.stock import rules, service
from backend.stock.rules import Priced
from contracts import his
from foundation.db.base import hospital_id
from foundation.db.intents import Handler, Work, intend
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Unavailable
from foundation.logs import log

COMPARE, MIRROR = "stock.compare", "stock.mirror"
PRICES, STOCK, SERVICES = "hospital_prices_differ", "hospital_stock_differs", "hospital_fees_differ"
CHARGED = {"registration": (FOLLOW_UP, FOLLOW_UP_SENIOR)}
"""Services of the hospital's list by its code, and what of ours may stand for each: one of ours must ask the same."""
DESKS = {PRICES: "/desk/stock", STOCK: "/desk/stock", SERVICES: "/desk/prices"}
PART = 200
EVERY, AGAIN = timedelta(days=1), timedelta(hours=1)


async def compare(work: Work[Context]) -> None:
    """Ask for every valid drug; a hospital that does not answer is asked again in an hour, one without such lists tomorrow."""
    context, db = work.context, work.context.db
    async with unit_of_work(db) as session:
        drugs = [Priced(one.code, one.generic_name, one.price) for one in await formulary.all_valid(session)]
        levels = {row.drug_code: row.level for row in await service.levels(session)}
        fees = await _fees(session)
    pause = EVERY
    try:
        prices = await _prices(context, [one.code for one in drugs])
        charged = await _prices(context, sorted(CHARGED))
        shelf = await _shelf(context, sorted(levels))
    except Unavailable as error:
        log.warning("hospital_lists_not_read", code=error.code)
        pause = AGAIN
    except HospitalRefused as error:
        log.info("hospital_has_no_lists", code=error.code)
    else:
        names = {one.code: one.name for one in drugs}
        found = {
            PRICES: rules.price_differences(drugs, prices),
            STOCK: rules.stock_differences(levels, shelf, names),
            SERVICES: rules.fee_differences(fees, charged),
        }
        async with unit_of_work(db) as session:
            for kind, differences in found.items():
                if differences:
                    await alarms.ring(session, kind, "his", rules.told(differences), link=DESKS[kind])
                else:
                    await alarms.over(session, kind, "his")
    async with unit_of_work(db) as session:
        await intend(session, COMPARE, hospital_id(), due=db.clock.now() + pause)


async def _prices(context: Context, codes: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in _parts(codes):
        asked = his.Prices(purpose="supply", codes=part)
        reply = await context.hospital.call(asked, his.PricesReply)
        found |= {one.code: one.amount for one in reply.prices}
    return found


async def mirror(work: Work[Context]) -> None:
    """Read the hospital's shelf. One that is silent, or has no such list, is asked again next time; what was read ages meanwhile."""
    context, db, minutes = work.context, work.context.db, policy().his_stock_minutes
    if minutes:
        async with unit_of_work(db) as session:
            codes = [one.code for one in await formulary.all_valid(session)]
        try:
            async for part, drugs in _counted(context, codes):
                async with unit_of_work(db) as session:
                    await service.keep_shelf(session, drugs, part)
        except (Unavailable, HospitalRefused) as error:
            log.info("hospital_shelf_not_read", code=error.code)
    async with unit_of_work(db) as session:
        await intend(
            session, MIRROR, hospital_id(), due=db.clock.now() + (timedelta(minutes=minutes) or EVERY)
        )


async def _fees(session: AsyncSession) -> dict[str, list[Priced]]:
    """What we ask for each service of the hospital's list."""
    ours = {row.code: Priced(row.code, row.name, row.amount) for row in await current_prices(session)}
    return {charged: [ours[code] for code in codes if code in ours] for charged, codes in CHARGED.items()}


async def _shelf(context: Context, codes: Sequence[str]) -> dict[str, int]:
    return {one.drug_code: one.quantity async for _, drugs in _counted(context, codes) for one in drugs}


async def _counted(
    context: Context, codes: Sequence[str]
) -> AsyncIterator[tuple[list[str], list[his.DrugStock]]]:
    """What the hospital has of the drugs, part by part."""
    for part in _parts(codes):
        asked = his.Stock(purpose="supply", drug_codes=part)
        yield part, (await context.hospital.call(asked, his.StockReply)).drugs


def _parts(codes: Sequence[str]) -> list[list[str]]:
    return [list(codes[start : start + PART]) for start in range(0, len(codes), PART)]


HANDLERS: dict[str, Handler] = {COMPARE: compare, MIRROR: mirror}
STANDING = (COMPARE, MIRROR)
"""Always open: the worker asks for it when it starts."""
