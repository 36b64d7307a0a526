"""The desk of supervisors' questions: what waits, nearest deadline first, and the answer."""

from datetime import timedelta

from backend.desk.declared import DeskCall, Shown, action, page
from backend.edge import ADMIN, QUALITY
from backend.inquiry import routes
from backend.inquiry.model import Inquiry
from foundation.errors import NotFound

SOON = timedelta(days=1)


async def inquiries(call: DeskCall) -> Shown:
    """All of them, open ones first."""
    return Shown("inquiry/inquiries.html", {"inquiries": await routes.list_all(call), "soon": SOON})


async def inquiry(call: DeskCall) -> Shown:
    """One question, and the form for its answer."""
    row = await call.session.get(Inquiry, call.id())
    if row is None:
        raise NotFound("没有找到该询问")
    return Shown("inquiry/inquiry.html", {"one": routes.view(row), "soon": SOON})


DESK = [QUALITY, ADMIN]
LIST = page("/desk/inquiries", inquiries, title="监管询问", roles=DESK, menu="监管询问")
ONE = page("/desk/inquiries/{id}", inquiry, title="监管询问", roles=DESK, audited="inquiry.view")
PAGES = [LIST, ONE]
ACTIONS = [
    action(
        "/desk/inquiries/{id}/answer", routes.ENDPOINTS, routes.answer, back=ONE, then="/desk/inquiries/{id}",
        said="已答复，监管平台会取走。",
    ),
]  # fmt: skip
