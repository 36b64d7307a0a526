"""Copies at the hospital, for the staff who see that they are made."""

from backend.edge import ADMIN, CLERK, ApiCall, ApiEndpoint, Family
from backend.kept_copy import queries, service
from backend.kept_copy.states import KeptState
from backend.kept_copy.wire import KeptCount, KeptOverview, KeptView, RetryCopy, kept_view
from foundation.web.endpoint import get, send

MOST = 100


async def overview(call: ApiCall) -> KeptOverview:
    """Counts of every state, what was refused, and what waits longest."""
    counted = await queries.counts(call.session)
    return KeptOverview(
        configured=call.app.settings.kept_public_key is not None,
        keep_days=call.app.settings.keep_content_days,
        counts=[KeptCount(state, number, size) for state, (number, size) in counted.items()],
        refused=[kept_view(row) for row in await queries.waiting(call.session, KeptState.REFUSED, MOST)],
        waiting=[kept_view(row) for row in await queries.waiting(call.session, KeptState.REQUESTED, MOST)],
    )


async def retry(call: ApiCall, body: RetryCopy) -> KeptView:
    """Try a refused copy again."""
    return kept_view(await service.retry(call.session, call.actor, call.id(), body.reason))


STAFF = (CLERK, ADMIN)
ENDPOINTS: list[ApiEndpoint] = [
    get("/kept-copies", overview, reply=KeptOverview, summary="医院留存", family=Family.THIRD_PARTY, roles=STAFF),
    send("POST", "/kept-copies/{id}/retry", retry, body=RetryCopy, reply=KeptView, summary="重试医院留存",
         family=Family.THIRD_PARTY, roles=STAFF, audited="kept_copy.retry"),
]  # fmt: skip
