"""The desk of adverse events: the form, what one reported, and for the quality department all that waits."""

import msgspec

from backend.adverse_event import queries, routes, rules
from backend.adverse_event.service import DESK as STREAM
from backend.adverse_event.states import ADVERSE_EVENT, REPORTERS
from backend.adverse_event.wire import event_view
from backend.desk.declared import DeskCall, Shown, action, page
from backend.edge import DOCTOR
from backend.patient import queries as patients
from backend.shift import service as shifts
from foundation.clock import local
from foundation.ids import new_id
from foundation.web.parsing import decode_query


class Filter(msgspec.Struct, frozen=True):
    """`view`: open or closed; `visit`: the number a link from a visit brings along."""

    view: str = "open"
    visit: str = ""
    said: str = ""


async def events(call: DeskCall) -> Shown:
    """The list and the form. A doctor may report without her shift, from home too; it opens nobody's name to her."""
    wanted = decode_query(call.request.query_params, Filter)
    session, actor = call.session, call.actor
    at_work = not actor.has(DOCTOR) or (actor.id is not None and await shifts.runs(session, actor.id))
    number = call.typed.get("visit_number", wanted.visit)
    lately = await queries.lately(session, actor.id) if at_work and actor.has(DOCTOR) else []
    words = {
        "events": await queries.listed(session, actor, closed=wanted.view == "closed") if at_work else [],
        "wanted": wanted, "at_work": at_work, "labels": ADVERSE_EVENT.labels, "kinds": rules.KINDS, "damages": rules.DAMAGE,
        "number": number, "whom": await _whom(call, number) if at_work else "", "lately": lately,
        "form_id": call.typed.get("form_id", "") or new_id(), "most": rules.MOST,
    }  # fmt: skip
    return Shown("adverse_event/events.html", words)


async def _whom(call: DeskCall, text: str) -> str:
    """The name behind a visit's number, for the page to mask."""
    number = rules.number_of(text)
    visit = await queries.visit(call.session, call.actor, number) if number else None
    return (await patients.person(call.session, visit.person_id)).name if visit else ""


async def event(call: DeskCall) -> Shown:
    """One event with its reports, and the verbs this member of staff has for it."""
    if call.actor.has(DOCTOR):
        await shifts.require_running(call.session, call.actor)
    row = await queries.visible(call.session, call.actor, call.id())
    view = event_view(row, await queries.reports(call.session, row.id))
    allowed = {
        line.verb
        for line in ADVERSE_EVENT.moves
        if line.source == row.state and line.roles & call.actor.roles
    }
    words = {
        "one": view.event, "view": view, "last": view.reports[-1], "allowed": allowed, "kinds": rules.KINDS,
        "damages": rules.DAMAGE, "grades": rules.GRADES, "most": rules.MOST,
        "moment": f"{local(view.reports[-1].happened_at):%Y-%m-%dT%H:%M}",
    }  # fmt: skip
    return Shown("adverse_event/event.html", words)


HERE = "/desk/adverse-events/{id}"
LIST = page("/desk/adverse-events", events, title="不良事件", roles=REPORTERS, menu="不良事件", live=[STREAM])
ONE = page(HERE, event, title="不良事件", roles=REPORTERS, audited="adverse_event.view")
PAGES = [LIST, ONE]
ACTIONS = [
    action("/desk/adverse-events/report", routes.ENDPOINTS, routes.report, back=LIST, then="/desk/adverse-events",
           said="已上报，质控部门和监管平台会收到。"),
    action(HERE + "/supplement", routes.ENDPOINTS, routes.supplement, back=ONE, then=HERE, said="补充报告已上报。"),
    action(HERE + "/accept", routes.ENDPOINTS, routes.accept, back=ONE, then=HERE, said="已受理。"),
    action(HERE + "/close", routes.ENDPOINTS, routes.close, back=ONE, then=HERE, said="已结案。"),
]  # fmt: skip
