"""Chat over plain HTTP (for catching up and for bad networks) and tickets for the sockets."""

from backend.chat import admission, marks, service, tickets, views
from backend.chat.cards import ExaminationCard
from backend.chat.file_routes import ENDPOINTS as FILES
from backend.chat.wire import (
    ConversationView,
    Examinations,
    MarkRead,
    MarkView,
    MessageQuery,
    MessageView,
    Say,
    TicketRequest,
    TicketView,
    message_view,
)
from backend.edge import DOCTOR, PATIENT, ApiCall, ApiEndpoint, Family
from backend.encounter.states import RUNNING
from foundation.errors import Conflict
from foundation.web.endpoint import get, send


async def list_messages(call: ApiCall) -> list[MessageView]:
    """Messages of a visit after a sequence."""
    row = await admission.visit_of(call)
    return await views.views(call.session, row.id, call.query.after)


async def say(call: ApiCall, body: Say) -> MessageView:
    """Send one message."""
    row = await admission.visit_of(call)
    message = await service.say(
        call.session, call.actor, row, client_id=body.client_id, kind=body.kind, body=body.body,
        attachment_id=body.attachment_id,
    )  # fmt: skip
    return (await views.as_views(call.session, [message]))[0]


async def advise_examinations(call: ApiCall, body: Examinations) -> MessageView:
    """The doctor advises examinations at the hospital: a card in the conversation."""
    row = await admission.visit_of(call)
    card = ExaminationCard(body.items, body.note)
    return message_view(
        await service.hand_card(call.session, call.actor, row, card, client_id=body.client_id)
    )


async def mark_read(call: ApiCall, body: MarkRead) -> MarkView:
    """Say how far one has read."""
    row = await admission.visit_of(call)
    side = service.side_of(call.actor, row)
    return MarkView(side, await marks.read(call.session, row, side, body.sequence))


async def list_marks(call: ApiCall) -> list[MarkView]:
    """How far both sides have read."""
    row = await admission.visit_of(call)
    return [MarkView(side, sequence) for side, sequence in (await marks.marks(call.session, row.id)).items()]


async def conversations(call: ApiCall) -> list[ConversationView]:
    """The doctor's running visits: what is unread, who waits for an answer longest first."""
    assert call.actor.id is not None
    return await views.conversations(call.session, call.actor.id)


async def ticket(call: ApiCall, body: TicketRequest) -> TicketView:
    """A ticket for the chat's socket of a running visit."""
    row = await admission.visit_of(call)
    if row.state not in RUNNING:
        raise Conflict("问诊未在进行中", code="encounter_not_running")
    assert call.actor.id is not None
    side = service.side_of(call.actor, row)
    actor = call.actor
    made = tickets.Ticket(body.purpose, row.id, call.actor.id, side, actor.name, kind=actor.kind)
    text = await tickets.issue(call.app.redis, made)
    base = call.app.settings.api_url.replace("http", "ws", 1)
    return TicketView(text, f"{base}/api/v1/encounters/{row.id}/chat", tickets.LIFE_SECONDS)


FAMILY = Family.ONLINE_TREATMENT
BOTH = (PATIENT, DOCTOR)
ENDPOINTS: list[ApiEndpoint] = [
    get("/encounters/{id}/messages", list_messages, reply=list[MessageView], query=MessageQuery, summary="消息记录",
        family=FAMILY, roles=BOTH),
    send("POST", "/encounters/{id}/messages", say, body=Say, reply=MessageView, summary="发送消息", family=FAMILY,
         roles=BOTH, status=201),
    send("POST", "/encounters/{id}/examinations", advise_examinations, body=Examinations, reply=MessageView,
         summary="建议检查", family=FAMILY, roles=[DOCTOR], status=201),
    get("/encounters/{id}/marks", list_marks, reply=list[MarkView], summary="已读位置", family=FAMILY, roles=BOTH),
    send("PUT", "/encounters/{id}/marks", mark_read, body=MarkRead, reply=MarkView, summary="标记已读", family=FAMILY,
         roles=BOTH),
    get("/doctor/conversations", conversations, reply=list[ConversationView], summary="进行中的对话", family=FAMILY,
        roles=[DOCTOR]),
    send("POST", "/encounters/{id}/tickets", ticket, body=TicketRequest, reply=TicketView, summary="会话票据",
         family=FAMILY, roles=BOTH, status=201),
    *FILES,
]  # fmt: skip
