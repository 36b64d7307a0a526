"""One attempt over one channel: the outward call and what its answer means. No row is locked here."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from backend.context import Context
from backend.notification.model import Message
from backend.notification.rules import BY_ID, CALL_LIST, SMS, WECHAT, sms_params
from backend.outside.sms import SmsRefused
from backend.outside.wechat import NO_CONSENT, WeChatRefused


@dataclass(frozen=True)
class Address:
    """Where a person can be reached; empty where she cannot."""

    openid: str
    phone: str


@dataclass(frozen=True)
class Attempt:
    """Outcome as in `Delivery`."""

    outcome: str
    detail: str = ""
    reference: str = ""


Send = Callable[[Context, Message, Address], Awaitable[Attempt]]


async def wechat(context: Context, message: Message, address: Address) -> Attempt:
    """A subscribe message of the mini program to a patient, a template message of the service account to staff."""
    if not address.openid:
        return Attempt("no_address", "no_openid")
    try:
        if BY_ID[message.template].audience == "staff":
            link = f"{context.settings.front_url}{message.link}"
            await context.wechat.send_template(address.openid, message.template, link, message.data)
        else:
            await context.wechat.send_subscribe(address.openid, message.template, message.link, message.data)
    except WeChatRefused as error:
        return Attempt("refused", "no_consent" if error.code == NO_CONSENT else f"wechat_{error.code}")
    return Attempt("sent")


async def sms(context: Context, message: Message, address: Address) -> Attempt:
    """A text message; what becomes of it is asked later."""
    template = BY_ID[message.template]
    if not template.sms or not context.sms.exists:
        return Attempt("no_address", "no_provider")
    if not address.phone:
        return Attempt("no_address", "no_phone")
    link = f"{context.settings.front_url}{message.link}"
    params = sms_params(template, link, message.count)
    try:
        state = await context.sms.send(message.id.hex, address.phone, template.sms, params)
    except SmsRefused as error:
        return Attempt("refused", f"sms_{error.code}"[:80])
    return Attempt("sent", reference=state.id)


async def call_list(context: Context, message: Message, address: Address) -> Attempt:
    """A person at the counter rings up."""
    return Attempt("listed")


SENDERS: Mapping[str, Send] = {WECHAT: wechat, SMS: sms, CALL_LIST: call_list}
