"""Days, differences, the statement: to be read, settled, compared again."""

from starlette.responses import Response

from backend.account.queries import staff_names
from backend.edge import ADMIN, CLERK, ApiCall, ApiEndpoint, Family
from backend.reconciliation import queries, service
from backend.reconciliation.wire import (
    DayDetail,
    DayView,
    DifferenceView,
    Settle,
    day_view,
    difference_view,
    differences_csv,
    run_view,
)
from foundation.errors import NotFound
from foundation.web.endpoint import act, get, send


async def list_days(call: ApiCall) -> list[DayView]:
    """The last sixty days."""
    waiting = await queries.open_counts(call.session)
    return [day_view(row, run, waiting.get(row.id, 0)) for row, run in await queries.days(call.session)]


async def show_day(call: ApiCall) -> DayDetail:
    """One day."""
    row = await queries.day_row(call.session, call.id())
    found = await queries.differences(call.session, row.id)
    names = await staff_names(call.session, [one.settled_by for one in found])
    waiting = await queries.open_counts(call.session)
    return DayDetail(
        day_view(row, await queries.last_run(call.session, row), waiting.get(row.id, 0)),
        [difference_view(one, names) for one in found],
        [run_view(run) for run in await queries.runs(call.session, row.id)],
    )


async def statement(call: ApiCall) -> Response:
    """What the last run compared, byte for byte as it was hashed."""
    async with call.unit_of_work() as session:
        row = await queries.day_row(session, call.id())
        run = await queries.last_run(session, row)
    if run is None:
        raise NotFound("当天尚未核对", code="not_compared")
    content = b"".join([piece async for piece in call.app.objects.read(run.statement)])
    headers = {"content-disposition": f'attachment; filename="statement-{row.day.isoformat()}.json"'}
    return Response(content, 200, headers, "application/json")


async def csv(call: ApiCall) -> Response:
    """The report of a day for Excel."""
    name, content = await day_csv(call)
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(content, 200, headers, "text/csv; charset=utf-8")


async def day_csv(call: ApiCall) -> tuple[str, bytes]:
    """Name and content of the report."""
    row = await queries.day_row(call.session, call.id())
    found = await queries.differences(call.session, row.id)
    names = await staff_names(call.session, [one.settled_by for one in found])
    content = differences_csv(row, await queries.last_run(call.session, row), found, names)
    return f"reconciliation-{row.day.isoformat()}.csv", content


async def list_open(call: ApiCall) -> list[DifferenceView]:
    """Differences of all days that wait for somebody."""
    return [difference_view(row, {}) for row in await queries.open_differences(call.session)]


async def show_difference(call: ApiCall) -> DifferenceView:
    """One difference."""
    row = await queries.difference(call.session, call.id())
    return difference_view(row, await staff_names(call.session, [row.settled_by]))


async def settle(call: ApiCall, body: Settle) -> DifferenceView:
    """Say how a difference was settled; the last one closes its day."""
    await service.settle(call.session, call.actor, call.id(), body.resolution, body.note)
    return await show_difference(call)


async def mend(call: ApiCall) -> DifferenceView:
    """Ask the provider or write to the hospital once more, then compare again."""
    await service.mend(call.session, call.actor, call.id())
    return await show_difference(call)


async def again(call: ApiCall) -> DayDetail:
    """Compare a day once more."""
    await service.again(call.session, call.actor, call.id())
    return await show_day(call)


FAMILY = Family.THIRD_PARTY
DESK = [CLERK, ADMIN]
ENDPOINTS: list[ApiEndpoint] = [
    get("/reconciliation", list_days, reply=list[DayView], summary="对账日", family=FAMILY, roles=DESK),
    get("/reconciliation/{id}", show_day, reply=DayDetail, summary="某日对账", family=FAMILY, roles=DESK),
    get("/reconciliation/{id}/statement", statement, summary="对账单原文", family=FAMILY, roles=DESK,
        transaction=False),
    get("/reconciliation/{id}/csv", csv, summary="对账报表", family=FAMILY, roles=DESK,
        audited="reconciliation.export"),
    act("POST", "/reconciliation/{id}/again", again, reply=DayDetail, summary="再次核对", family=FAMILY, roles=DESK,
        audited="reconciliation.again"),
    get("/differences", list_open, reply=list[DifferenceView], summary="待处理差异", family=FAMILY, roles=DESK),
    get("/differences/{id}", show_difference, reply=DifferenceView, summary="差异", family=FAMILY, roles=DESK),
    send("POST", "/differences/{id}/settle", settle, body=Settle, reply=DifferenceView, summary="处理差异",
         family=FAMILY, roles=DESK, audited="difference.settle"),
    act("POST", "/differences/{id}/mend", mend, reply=DifferenceView, summary="补办差异", family=FAMILY, roles=DESK,
        audited="difference.mend"),
]  # fmt: skip
