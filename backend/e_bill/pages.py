"""The desk's list of e-bills that are not where they should be, with one more attempt at a button."""

from backend.desk.declared import DeskCall, Shown, action, page
from backend.e_bill import queries, routes
from backend.e_bill.service import DESK
from backend.e_bill.states import E_BILL
from backend.edge import ADMIN, CLERK
from foundation.settings import Env


async def e_bills(call: DeskCall) -> Shown:
    """Waiting longest first."""
    found = await queries.waiting(call.session)
    return Shown(
        "e_bill/e_bills.html",
        {
            "found": found, "labels": E_BILL.labels, "offered": call.app.e_bills.offered,
            "stand_in": call.app.settings.env is not Env.PRODUCTION,
        },
    )  # fmt: skip


LIST = page("/desk/e-bills", e_bills, title="电子票据", roles=[CLERK, ADMIN], menu="电子票据", live=[DESK])
PAGES = [LIST]
ACTIONS = [
    action("/desk/e-bills/{id}/retry", routes.ENDPOINTS, routes.retry, back=LIST, then="/desk/e-bills", said="已重新提交，请稍后查看。"),
]  # fmt: skip
