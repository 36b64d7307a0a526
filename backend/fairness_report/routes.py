"""The published report."""

from backend.edge import ApiCall, ApiEndpoint, Family
from backend.fairness_report import service
from backend.fairness_report.wire import FairnessView, ReportQuery
from foundation.web.endpoint import get
from foundation.web.parsing import iso_day


async def show(call: ApiCall) -> FairnessView:
    """Who got the places, for everybody."""
    query: ReportQuery = call.query
    return await service.report(call.session, iso_day(query.day) if query.day else None)


ENDPOINTS: list[ApiEndpoint] = [
    get(
        "/fairness",
        show,
        reply=FairnessView,
        query=ReportQuery,
        summary="号源分配公示",
        family=Family.PERSONAL_VISIT,
    ),
]
