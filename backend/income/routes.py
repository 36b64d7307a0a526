"""A doctor's own figures."""

from backend.edge import DOCTOR, ApiCall, ApiEndpoint, Family
from backend.income import queries
from backend.income.wire import IncomeView, Month, income_view
from foundation.web.endpoint import get


async def income(call: ApiCall) -> IncomeView:
    """Her visit fees of a month; drugs do not count."""
    assert call.actor.id is not None
    day = call.query.day(call.clock.today())
    return income_view(await queries.visit_fees(call.session, call.actor.id, day), day)


ENDPOINTS: list[ApiEndpoint] = [
    get("/doctor/income", income, reply=IncomeView, query=Month, summary="我的诊查费", family=Family.ONLINE_TREATMENT,
        roles=[DOCTOR]),
]  # fmt: skip
