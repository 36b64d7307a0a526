"""The desk's page of alarms: what is wrong, what to do about it, and a note when it was done."""

import msgspec
from sqlalchemy import func, select

from backend.alarm import routes
from backend.alarm.model import Alarm
from backend.alarm.rules import kind_of
from backend.alarm.service import DESK
from backend.desk.declared import DeskCall, Shown, action, page
from foundation.web.parsing import decode_query

MOST = 100


class Filter(msgspec.Struct, frozen=True):
    """`view`: open or closed; `said` belongs to the frame."""

    view: str = "open"
    said: str = ""


async def alarms(call: DeskCall) -> Shown:
    """The newest first."""
    wanted = decode_query(call.request.query_params, Filter)
    closed = wanted.view == "closed"
    state = Alarm.closed_at.is_not(None) if closed else Alarm.closed_at.is_(None)
    query = select(Alarm).where(state).order_by(Alarm.last_at.desc()).limit(MOST)
    count = select(func.count()).select_from(Alarm).where(Alarm.closed_at.is_(None))
    words = {
        "alarms": (await call.session.scalars(query)).all(), "kind_of": kind_of, "closed": closed,
        "open_count": await call.session.scalar(count) or 0,
    }  # fmt: skip
    return Shown("alarm/alarms.html", words)


LIST = page("/desk/alarms", alarms, title="运行告警", roles=routes.STAFF, menu="运行告警", live=[DESK])
PAGES = [LIST]
ACTIONS = [
    action("/desk/alarms/{id}/close", routes.ENDPOINTS, routes.close, back=LIST, then="/desk/alarms", said="已记录处理结果。"),
]  # fmt: skip
