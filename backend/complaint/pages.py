"""The complaints desk: nearest deadline first; answer, escalate, close as the table of states allows."""

from datetime import timedelta

import msgspec
from sqlalchemy import select

from backend.complaint import routes
from backend.complaint.model import Complaint
from backend.complaint.states import COMPLAINT, ComplaintState
from backend.desk.declared import DeskCall, Shown, action, page
from backend.edge import CLERK, QUALITY
from backend.patient.model import Person
from foundation.errors import NotFound
from foundation.web.parsing import decode_query

SOON = timedelta(days=2)
MOST = 100


class Filter(msgspec.Struct, frozen=True):
    """`view`: open (what is not closed) or closed."""

    view: str = "open"
    said: str = ""


async def complaints(call: DeskCall) -> Shown:
    """What is not closed, the nearest deadline first; or the closed ones, newest first."""
    wanted = decode_query(call.request.query_params, Filter)
    query = select(Complaint, Person).join(Person, Person.id == Complaint.person_id).limit(MOST)
    if wanted.view == "closed":
        query = query.where(Complaint.state == ComplaintState.CLOSED).order_by(Complaint.filed_at.desc())
    else:
        query = query.where(Complaint.state != ComplaintState.CLOSED).order_by(Complaint.answer_by)
    found = [(row, person) for row, person in (await call.session.execute(query)).all()]
    words = {"complaints": found, "wanted": wanted, "labels": COMPLAINT.labels, "soon": SOON}
    return Shown("complaint/complaints.html", words)


async def complaint(call: DeskCall) -> Shown:
    """One complaint, with the verbs this member of staff has for it."""
    row = await call.session.get(Complaint, call.id())
    if row is None:
        raise NotFound("没有找到该投诉")
    allowed = {
        line.verb for line in COMPLAINT.moves if line.source == row.state and line.roles & call.actor.roles
    }
    words = {
        "row": row, "person": await call.session.get_one(Person, row.person_id), "labels": COMPLAINT.labels,
        "allowed": allowed, "soon": SOON,
    }  # fmt: skip
    return Shown("complaint/complaint.html", words)


DESK = [CLERK, QUALITY]
LIST = page("/desk/complaints", complaints, title="投诉", roles=DESK, menu="投诉")
ONE = page("/desk/complaints/{id}", complaint, title="投诉", roles=DESK, audited="complaint.view")
PAGES = [LIST, ONE]
ACTIONS = [
    action(
        "/desk/complaints/{id}/answer", routes.ENDPOINTS, routes.answer, back=ONE, then="/desk/complaints/{id}",
        said="已答复。",
    ),
    action(
        "/desk/complaints/{id}/escalate", routes.ENDPOINTS, routes.escalate, back=ONE, then="/desk/complaints/{id}",
        said="已交质控部门。",
    ),
    action(
        "/desk/complaints/{id}/close", routes.ENDPOINTS, routes.close, back=ONE, then="/desk/complaints",
        said="已结案。",
    ),
]  # fmt: skip
