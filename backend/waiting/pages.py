"""The duty desk's waiting room: who waits too long, and to whom she could go if she agrees."""

from dataclasses import dataclass

from backend.desk.declared import DeskCall, Shown, action, page
from backend.edge import DUTY_DESK
from backend.encounter.service import WAITING
from backend.policy import policy
from backend.practitioner.model import Practitioner
from backend.waiting import queries, routes
from backend.waiting.views import waiting_visit
from backend.waiting.wire import WaitingVisit


@dataclass(frozen=True)
class Line:
    """Somebody who waits, and colleagues who are at work."""

    seen: WaitingVisit
    colleagues: list[Practitioner]


async def room(call: DeskCall) -> Shown:
    """Everybody who waits, longest first."""
    lines = [
        Line(
            await waiting_visit(call.session, visit, booked),
            list(await queries.colleagues(call.session, booked)),
        )
        for visit, booked in await queries.who_waits(call.session)
    ]
    return Shown("waiting/room.html", {"lines": lines, "limits": policy()})


ROOM = page("/desk/waiting", room, title="候诊", roles=[DUTY_DESK], menu="候诊", live=(WAITING,))
PAGES = [ROOM]
ACTIONS = [
    action("/desk/waiting/{id}/handover", routes.ENDPOINTS, routes.propose, back=ROOM, then="/desk/waiting",
           said="已发给患者，等她答复。"),
    action("/desk/handovers/{id}/agree", routes.ENDPOINTS, routes.agree, back=ROOM, then="/desk/waiting",
           said="已转给该医生。"),
    action("/desk/handovers/{id}/refuse", routes.ENDPOINTS, routes.refuse, back=ROOM, then="/desk/waiting",
           said="已记录：患者继续等原来的医生。"),
    action("/desk/handovers/{id}/withdraw", routes.ENDPOINTS, routes.withdraw, back=ROOM, then="/desk/waiting",
           said="已撤回。"),
]  # fmt: skip
