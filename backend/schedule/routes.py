"""What can be booked."""

from backend.edge import ApiCall, ApiEndpoint, Family
from backend.pricing.service import current_prices
from backend.schedule import queries
from backend.schedule.wire import SlotQuery, SlotView
from foundation.web.endpoint import get
from foundation.web.parsing import iso_day


async def list_slots(call: ApiCall) -> list[SlotView]:
    """Slots that can still be booked or are running."""
    query: SlotQuery = call.query
    day = iso_day(query.day) if query.day else None
    prices = {row.code: row.amount for row in await current_prices(call.session)}
    found = await queries.open_slots(
        call.session, department=query.department, practitioner=query.practitioner, day=day
    )
    return [
        SlotView(
            id=slot.id, practitioner_id=doctor.id, practitioner_name=doctor.name, practitioner_title=doctor.title_name,
            department_code=slot.department_code, starts_at=slot.starts_at, ends_at=slot.ends_at,
            capacity=slot.capacity, remaining=slot.remaining, price=prices[slot.price_code],
            fhir_status="free" if slot.remaining else "busy",
        )
        for slot, doctor in found
    ]  # fmt: skip


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
