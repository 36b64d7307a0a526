"""Looking at e-bills, and asking for one again."""

from backend.e_bill import queries, service
from backend.e_bill.model import EBillRow
from backend.e_bill.states import EBillState
from backend.e_bill.wire import EBillView, e_bill_view
from backend.edge import ADMIN, CLERK, PATIENT, ApiCall, ApiEndpoint, Family
from backend.payment import queries as payments
from foundation.errors import NotFound
from foundation.web.endpoint import act, get


async def show(call: ApiCall) -> list[EBillView]:
    """E-bills of a bill of this account, oldest first; those that were never issued are left out."""
    payment = await payments.visible_payment(call.session, call.actor, call.id())
    found = await queries.bills(call.session, payment.id)
    return [_view(call, row) for row in found if row.state != EBillState.DROPPED]


async def retry(call: ApiCall) -> EBillView:
    """Ask the platform again now."""
    if await call.session.get(EBillRow, call.id()) is None:
        raise NotFound("没有找到该票据")
    return _view(call, await service.retry(call.session, call.actor, call.id()))


def _view(call: ApiCall, row: EBillRow) -> EBillView:
    numbers = (row.code, row.number, row.check_code)
    return e_bill_view(row, call.app.e_bills.verification(numbers) if row.code else "")


FAMILY = Family.THIRD_PARTY
RETRY: ApiEndpoint = act(
    "POST", "/e-bills/{id}/retry", retry, reply=EBillView, summary="重新开具电子票据", family=FAMILY, roles=[CLERK, ADMIN]
)  # fmt: skip
ENDPOINTS: list[ApiEndpoint] = [
    get(
        "/payments/{id}/e-bills",
        show,
        reply=list[EBillView],
        summary="电子票据",
        family=FAMILY,
        roles=[PATIENT],
    ),
    RETRY,
]
