"""Delivery through WeChat; what WeChat will not take goes to the counter's call list."""

from backend.account.model import Account, Staff
from backend.context import Context
from backend.notification.model import Message
from backend.notification.rules import BY_ID
from backend.notification.service import DELIVER
from backend.outside.wechat import NO_CONSENT, WeChatRefused
from foundation.db.intents import Handler, Work
from foundation.db.unit_of_work import unit_of_work
from foundation.logs import log


async def deliver(work: Work[Context]) -> None:
    """Send one message; a refusal by WeChat is final and recorded, silence is tried again."""
    context = work.context
    async with unit_of_work(context.db) as session:
        message = await session.get_one(Message, work.subject)
        if message.delivered_at or message.gave_up:
            return
        if message.recipient_kind == "staff":
            openid = (await session.get_one(Staff, message.recipient_id)).openid
        else:
            openid = (await session.get_one(Account, message.recipient_id)).openid
    link = f"{context.settings.front_url}{message.link}"
    channel, gave_up = "wechat", ""
    try:
        if not openid:
            channel, gave_up = "call_list", "no_openid"
        elif BY_ID[message.template].audience == "staff":
            await context.wechat.send_template(openid, message.template, link, message.data)
        else:
            await context.wechat.send_subscribe(openid, message.template, message.link, message.data)
    except WeChatRefused as error:
        channel, gave_up = "call_list", "no_consent" if error.code == NO_CONSENT else f"wechat_{error.code}"
        log.warning("message_refused", template=message.template, code=error.code)
    async with unit_of_work(context.db) as session:
        row = await session.get_one(Message, work.subject, with_for_update=True)
        row.channel, row.gave_up, row.attempts = channel, gave_up, row.attempts + 1
        row.delivered_at = None if gave_up else context.clock.now()


HANDLERS: dict[str, Handler] = {DELIVER: deliver}
