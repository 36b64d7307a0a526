"""The counter's call list: who could be reached neither by WeChat nor by text message (practice.md 9)."""

from sqlalchemy import select

from backend.account.model import Account, Staff
from backend.desk.declared import DeskCall, Shown, action, page
from backend.edge import CLERK, DUTY_DESK
from backend.notification import routes
from backend.notification.model import Message
from backend.notification.rules import BY_ID, CALL_LIST
from backend.notification.service import CALLS

MOST = 100


async def calls(call: DeskCall) -> Shown:
    """The oldest first, with the number to ring."""
    waits = select(Message).where(Message.channel == CALL_LIST, Message.called_at.is_(None))
    rows = (await call.session.scalars(waits.order_by(Message.made_at).limit(MOST))).all()
    found = [(row, BY_ID[row.template].title, await _phone(call, row)) for row in rows]
    return Shown("notification/calls.html", {"calls": found})


async def _phone(call: DeskCall, row: Message) -> str:
    if row.recipient_kind == "staff":
        return (await call.session.get_one(Staff, row.recipient_id)).phone
    return (await call.session.get_one(Account, row.recipient_id)).phone or ""


DESK = [CLERK, DUTY_DESK]
LIST = page(
    "/desk/calls",
    calls,
    title="电话通知",
    roles=DESK,
    menu="电话通知",
    live=[CALLS],
    audited="notification.call_list",
)
PAGES = [LIST]
ACTIONS = [
    action("/desk/calls/{id}/called", routes.ENDPOINTS, routes.called, back=LIST, then="/desk/calls", said="已记录。"),
]  # fmt: skip
