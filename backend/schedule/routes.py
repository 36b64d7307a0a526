"""What can be booked."""

from datetime import datetime

from backend.edge import ApiCall, ApiEndpoint, Family
from backend.practitioner.model import Practitioner
from backend.pricing.service import current_prices
from backend.schedule import queries, rules
from backend.schedule.model import Slot
from backend.schedule.rules import Channel
from backend.schedule.wire import SlotQuery, SlotView
from foundation.web.endpoint import get
from foundation.web.parsing import iso_day


async def list_slots(call: ApiCall) -> list[SlotView]:
    """Slots that are not over: what can be booked, and from when the rest can."""
    query: SlotQuery = call.query
    day = iso_day(query.day) if query.day else None
    prices = {row.code: row.amount for row in await current_prices(call.session)}
    found = await queries.open_slots(
        call.session, department=query.department, practitioner=query.practitioner, day=day
    )
    now = call.clock.now()
    return [_view(slot, doctor, prices[slot.price_code], now) for slot, doctor in found]


def _view(slot: Slot, doctor: Practitioner, price: int, now: datetime) -> SlotView:
    pool = queries.pool(slot)
    reason = rules.not_on_sale(pool, now)
    left, kept = rules.left_for_everybody(pool, now), rules.kept_for(pool, Channel.FOLLOW_UP, now)
    return SlotView(
        id=slot.id, practitioner_id=doctor.id, practitioner_name=doctor.name, practitioner_title=doctor.title_name,
        department_code=slot.department_code, starts_at=slot.starts_at, ends_at=slot.ends_at, capacity=slot.capacity,
        remaining=left, price=price, fhir_status="busy-unavailable" if reason else "free" if left else "busy",
        mode=slot.mode, kept_follow_up=kept, on_sale=reason is None, why=reason.code if reason else "",
        released_at=slot.released_at,
    )  # fmt: skip


ENDPOINTS: list[ApiEndpoint] = [
    get(
        "/slots",
        list_slots,
        reply=list[SlotView],
        query=SlotQuery,
        summary="可预约时段",
        family=Family.PERSONAL_VISIT,
    ),
]
