"""Jobs that talk to the courier."""

from backend.content.service import hospital
from backend.context import Context
from backend.dispensing import queries, service
from backend.dispensing.states import DispenseState
from backend.outside.courier import Goods, Party
from foundation.db.intents import Handler, Work
from foundation.db.unit_of_work import unit_of_work


async def ship(work: Work[Context]) -> None:
    """Order the parcel; the drugs are not named to the courier. Our number makes it once only."""
    context = work.context
    async with unit_of_work(context.db) as session:
        dispense = await queries.dispense(session, work.subject)
        sender = await hospital(session)
    if dispense.waybill or dispense.state is not DispenseState.IN_PROGRESS:
        return
    receiver = dispense.receiver
    shipment = await context.courier.ship(
        dispense.id.hex, Party(sender.name, sender.phone, sender.address),
        Party(receiver.name, receiver.phone, receiver.address), [Goods("药品", 1)],
        f"{context.settings.notify_url}/notify/courier",
    )  # fmt: skip
    async with unit_of_work(context.db) as session:
        await service.shipped(session, dispense.id, shipment.waybill)


async def track(work: Work[Context]) -> None:
    """Ask where the parcel is: a callback only made us look."""
    context = work.context
    async with unit_of_work(context.db) as session:
        dispense = await queries.dispense(session, work.subject)
    if not dispense.waybill or dispense.state is not DispenseState.IN_PROGRESS:
        return
    shipment = await context.courier.track(dispense.waybill)
    async with unit_of_work(context.db) as session:
        await service.tracked(session, dispense.id, shipment.status, shipment.events)


async def lapse(work: Work[Context]) -> None:
    """The prescription's days are over: what was paid and not dispensed is paid back."""
    async with unit_of_work(work.context.db) as session:
        await service.lapse(session, work.subject)


HANDLERS: dict[str, Handler] = {service.SHIP: ship, service.TRACK: track, service.LAPSE: lapse}
