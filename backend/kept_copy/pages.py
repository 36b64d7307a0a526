"""The desk's page of copies: how many wait, were copied, refused, dropped; and another try, with its reason."""

from backend.desk.declared import DeskCall, Shown, action, page
from backend.kept_copy import queries, routes
from backend.kept_copy.rules import REFUSALS, WORDS
from backend.kept_copy.states import KEPT_COPY, KeptState


async def copies(call: DeskCall) -> Shown:
    """Refused ones first: they wait for a person."""
    settings = call.app.settings
    words = {
        "counts": await queries.counts(call.session), "labels": KEPT_COPY.labels, "kinds": WORDS, "refusals": REFUSALS,
        "refused": await queries.waiting(call.session, KeptState.REFUSED, routes.MOST),
        "waiting": await queries.waiting(call.session, KeptState.REQUESTED, routes.MOST),
        "configured": settings.kept_public_key is not None, "keep_days": settings.keep_content_days,
    }  # fmt: skip
    return Shown("kept_copy/copies.html", words)


LIST = page(
    "/desk/kept-copies", copies, title="医院留存", roles=routes.STAFF, menu="医院留存", live=["kept_copies"]
)
PAGES = [LIST]
ACTIONS = [
    action(
        "/desk/kept-copies/{id}/retry", routes.ENDPOINTS, routes.retry, back=LIST, then="/desk/kept-copies",
        said="已安排重新留存。",
    ),
]  # fmt: skip
