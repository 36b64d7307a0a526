"""Delivery: the message's channels in their order until one takes it; every attempt is a row (practice.md 9)."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account.model import Account, Staff
from backend.context import Context
from backend.notification.channels import SENDERS, Address, Attempt
from backend.notification.model import Delivery, Message
from backend.notification.rules import CALL_LIST, PATIENCE, SENT, SMS
from backend.notification.service import CALLS, DELIVER, REPORT
from backend.outside.sms import SmsRefused
from foundation.db.intents import Handler, TryLater, Work, intend
from foundation.db.locks import lock
from foundation.db.unit_of_work import touch, unit_of_work
from foundation.errors import Unavailable
from foundation.ids import new_id
from foundation.logs import log

REPORT_AFTER = timedelta(seconds=3)
REPORT_AGAIN = timedelta(seconds=20)
REPORT_UNTIL = timedelta(minutes=30)


async def deliver(work: Work[Context]) -> None:
    """Over the first channel that takes it. One that does not answer is tried again, then passed over."""
    context = work.context
    async with unit_of_work(context.db) as session:
        message = await session.get_one(Message, work.subject)
        if message.delivered_at or message.gave_up:
            return
        before = await attempts(session, message)
        address = await _address(session, message)
    for channel in message.channels.split():
        mine = [one for one in before if one.channel == channel]
        if any(one.outcome != "unreachable" for one in mine):
            continue
        try:
            attempt = await SENDERS[channel](context, message, address)
        except Unavailable:
            await _note(context, message, channel, Attempt("unreachable"))
            if len(mine) + 1 < PATIENCE:
                raise
            continue
        if await _note(context, message, channel, attempt):
            return
    await _give_up(context, message)


async def attempts(session: AsyncSession, message: Message) -> Sequence[Delivery]:
    """What was tried, in order."""
    query = select(Delivery).where(Delivery.message_id == message.id).order_by(Delivery.at, Delivery.id)
    return (await session.scalars(query)).all()


async def _address(session: AsyncSession, message: Message) -> Address:
    if message.recipient_kind == "staff":
        member = await session.get_one(Staff, message.recipient_id)
        return Address(member.openid, member.phone)
    account = await session.get_one(Account, message.recipient_id)
    return Address(account.openid, account.phone or "")


async def _note(context: Context, message: Message, channel: str, attempt: Attempt) -> bool:
    """Write the attempt down; True when the message is on its way, or in a person's hands."""
    now = context.clock.now()
    async with unit_of_work(context.db) as session:
        row = await lock(session, Message, message.id)
        delivery = Delivery(
            id=new_id(), message_id=row.id, channel=channel, outcome=attempt.outcome, detail=attempt.detail,
            reference=attempt.reference, at=now,
        )  # fmt: skip
        session.add(delivery)
        row.channel, row.attempts = channel, row.attempts + 1
        if attempt.outcome in SENT:
            row.delivered_at = now
            if channel == SMS:
                await intend(session, REPORT, delivery.id, due=now + REPORT_AFTER)
            return True
        if channel == CALL_LIST:
            row.gave_up = await _last_refusal(session, row)
            touch(session, CALLS)
            return True
    log.warning("message_not_taken", template=message.template, channel=channel, outcome=attempt.outcome,
                detail=attempt.detail)  # fmt: skip
    return False


async def _last_refusal(session: AsyncSession, row: Message) -> str:
    """Why it came to the call list: what the first channel said."""
    found = [one for one in await attempts(session, row) if one.channel != CALL_LIST]
    return (found[0].detail or found[0].outcome) if found else "no_channel"


async def _give_up(context: Context, message: Message) -> None:
    async with unit_of_work(context.db) as session:
        row = await lock(session, Message, message.id)
        row.gave_up = await _last_refusal(session, row)


async def report(work: Work[Context]) -> None:
    """What became of a text message. One that did not arrive goes on to the next channel."""
    context = work.context
    async with unit_of_work(context.db) as session:
        delivery = await session.get_one(Delivery, work.subject)
        if delivery.outcome != "sent":
            return
    try:
        state = await context.sms.state(delivery.reference)
    except SmsRefused:
        return
    if state.status == "accepted":
        if context.clock.now() - delivery.at < REPORT_UNTIL:
            raise TryLater("the message is on its way", REPORT_AGAIN)
        return
    async with unit_of_work(context.db) as session:
        row = await lock(session, Message, delivery.message_id)
        found = await lock(session, Delivery, delivery.id)
        found.outcome, found.detail = state.status, state.reason[:80]
        if state.status == "undelivered":
            row.delivered_at = None
            await intend(session, DELIVER, row.id)


HANDLERS: dict[str, Handler] = {DELIVER: deliver, REPORT: report}
