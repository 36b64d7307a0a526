"""What a supervisor of the city may do here: look in on a live consultation, read a written one, ask a question. Each with its order.

Who she is, the platform says; that it is the platform, the gateway's whitelist and certificate say. Everything is written down
under a name made from her account there, and shown to doctor and patient as the rules ask (`LOOK_IN_SHOWN`).
"""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.chat import service as chat
from backend.chat.wire import message_view
from backend.context import Context
from backend.encounter.model import Encounter
from backend.inquiry import service as inquiry
from backend.video import looking_in, rules
from contracts import supervision
from foundation.actor import Actor
from foundation.clock import local
from foundation.db.audit import audit
from foundation.db.unit_of_work import clock_of
from foundation.errors import Invalid, NotFound

ACCOUNTS = UUID("6d2f6c1e-5c9b-5d0e-9d6b-2f1f3a7a9b10")
READ = "监管人员查阅了本次问诊的文字记录"


def actor_of(who: supervision.Supervisor, via: str) -> Actor:
    """The same account of the same platform is always the same actor."""
    return Actor("platform", uuid5(ACCOUNTS, f"{via}\n{who.account}"), frozenset({"supervisor"}), who.name)


async def open_look_in(
    session: AsyncSession, app: Context, actor: Actor, asked: supervision.OpenLookIn
) -> supervision.LookInReply:
    """A permission to watch; the one she has, while it lasts."""
    visit = await _visit(session, asked.visit_number)
    row = await looking_in.open_look_in(session, app, actor, visit.id, asked.reason, asked.authority)
    return supervision.LookInReply(row.id, row.ends_at, row.shown)


async def ticket(
    session: AsyncSession, app: Context, actor: Actor, asked: supervision.LookInTicket
) -> supervision.TicketReply:
    """One way in, to see and hear one party."""
    row = await looking_in.own_look_in(session, actor, asked.look_in_id)
    way = await looking_in.seat(app, session, actor, row, asked.watches)
    relays = [supervision.Relay(one.urls, one.username, one.credential) for one in way.ice_servers]
    return supervision.TicketReply(way.url, way.ticket, way.seconds, relays)


async def end(
    session: AsyncSession, app: Context, actor: Actor, asked: supervision.EndLookIn
) -> supervision.EndedReply:
    """Before its time; again is harmless."""
    row = await looking_in.own_look_in(session, actor, asked.look_in_id)
    await looking_in.end_look_in(session, actor, row)
    return supervision.EndedReply(row.id)


async def read_chat(
    session: AsyncSession, app: Context, actor: Actor, asked: supervision.ReadChat
) -> supervision.ChatReply:
    """A page of the conversation. Both sides are told once a day, the trail has every reading."""
    if issues := rules.reason_issues(asked.reason):
        raise Invalid(issues=issues)
    visit = await _visit(session, asked.visit_number)
    found = await chat.after(session, visit.id, asked.after)
    views = [message_view(row) for row in found]
    lines = [
        supervision.ChatLine(one.sequence, one.sender, one.machine, one.kind, one.body, one.at)
        for one in views
    ]
    detail = {
        "reason": asked.reason, "authority": asked.authority, "supervisor": actor.name,
        "after": str(asked.after), "lines": str(len(lines)),
    }  # fmt: skip
    audit(session, actor, "chat.read_by_supervisor", "encounter", visit.id, detail=detail)
    if app.settings.look_in_shown:
        day = local(clock_of(session).now()).date()
        await chat.notice(session, visit, READ, key=f"chat-read:{day}:{actor.id}")
    return supervision.ChatReply(lines, len(lines) == chat.PAGE)


async def ask_hospital(
    session: AsyncSession, app: Context, actor: Actor, asked: supervision.AskHospital
) -> supervision.QuestionTaken:
    """A question for the quality department; asked again under its id, it is the same one."""
    visit = await _visit(session, asked.visit_number) if asked.visit_number is not None else None
    row = await inquiry.take(
        session, actor, question_id=asked.question_id, encounter_id=visit.id if visit else None,
        authority=asked.authority, title=asked.title, words=asked.words, answer_by=asked.answer_by,
    )  # fmt: skip
    return supervision.QuestionTaken(row.question_id, row.state)


async def read_answer(
    session: AsyncSession, app: Context, actor: Actor, asked: supervision.ReadAnswer
) -> supervision.AnswerReply:
    """The answer to her own question, empty while there is none."""
    row = await inquiry.own(session, actor, asked.question_id)
    return supervision.AnswerReply(row.question_id, row.state, row.answer, row.answered_name, row.answered_at)


async def _visit(session: AsyncSession, number: UUID) -> Encounter:
    """By the number under which it is reported."""
    row = await session.scalar(select(Encounter).where(Encounter.appointment_id == number))
    if row is None:
        raise NotFound("没有找到该次问诊")
    return row


VERBS: dict[type[Any], Callable[[AsyncSession, Context, Actor, Any], Awaitable[Any]]] = {
    supervision.OpenLookIn: open_look_in, supervision.LookInTicket: ticket, supervision.EndLookIn: end,
    supervision.ReadChat: read_chat, supervision.AskHospital: ask_hospital, supervision.ReadAnswer: read_answer,
}  # fmt: skip
