"""The desk where a pause of booking is lifted: who, since when, and why not."""

from backend.desk.declared import DeskCall, Shown, action, page
from backend.fairness import queries, routes
from backend.patient import queries as patients
from backend.policy import policy


async def pauses(call: DeskCall) -> Shown:
    """Pauses in force, the newest first."""
    found = [
        (row, await patients.person(call.session, row.person_id))
        for row in await queries.pauses(call.session)
    ]
    return Shown("fairness/pauses.html", {"pauses": found, "limits": policy()})


LIST = page(
    "/desk/pauses",
    pauses,
    title="暂停预约",
    roles=routes.LIFTING,
    menu="暂停预约",
    audited="booking_pause.view",
)
PAGES = [LIST]
ACTIONS = [
    action(
        "/desk/pauses/{id}/lift", routes.ENDPOINTS, routes.lift, back=LIST, then="/desk/pauses",
        said="已恢复预约，原因已记录。",
    ),
]  # fmt: skip
