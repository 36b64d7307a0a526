"""WeChat Pay's notifications: verified, stored once, answered, then a job asks for the truth."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from backend.alarm.service import ring
from backend.context import Context
from backend.outside.wechat_pay_crypto import NotWeChat
from backend.payment.model import Payment, Refund
from backend.payment.service import REFUND, SETTLE
from foundation.actor import NOBODY
from foundation.db.audit import audit
from foundation.db.inbox import receive
from foundation.db.intents import intend
from foundation.db.unit_of_work import unit_of_work
from foundation.logs import log
from foundation.web.parsing import read_body

SOURCE = "wechat_pay"


def routes(context: Context) -> list[Route]:
    """Public, but only WeChat Pay's signature opens them."""

    async def notified(request: Request) -> Response:
        body = await read_body(request, 64_000)
        try:
            notification, hint = await context.pay.open_notification(request.headers, body)
        except NotWeChat as error:
            log.warning("notification_refused", reason=str(error))
            async with unit_of_work(context.db) as session:
                audit(
                    session, NOBODY, "payment.notification", "payment", "", outcome="refused", code="not_wechat",
                    detail={"reason": str(error)},
                )  # fmt: skip
            return JSONResponse({"code": "FAIL", "message": "失败"}, 401)
        number = hint.out_refund_no or hint.out_trade_no
        async with unit_of_work(context.db) as session:
            if await receive(session, SOURCE, notification.id, notification.event_type, number):
                subject = await _subject(session, context, hint.out_trade_no, hint.out_refund_no)
                if subject is not None:
                    await intend(session, *subject)
                else:
                    kind = "refund_unknown" if hint.out_refund_no else "payment_unknown_order"
                    await ring(
                        session, kind, number, f"单号 {number[:64]}，通知 {notification.event_type[:32]}"
                    )
        return Response(status_code=204)

    return [
        Route("/notify/wechat-pay/payment", notified, methods=["POST"]),
        Route("/notify/wechat-pay/refund", notified, methods=["POST"]),
        Route("/notify/wechat-pay/insurance", notified, methods=["POST"]),
    ]


async def _subject(
    session: AsyncSession, context: Context, out_trade_no: str, out_refund_no: str
) -> tuple[str, UUID] | None:
    """The job to wake: which payment or refund the hint points at."""
    if out_refund_no:
        found = await session.scalar(select(Refund.id).where(Refund.out_refund_no == out_refund_no))
    else:
        found = await session.scalar(select(Payment.id).where(Payment.out_trade_no == out_trade_no))
    if found is not None:
        return (REFUND if out_refund_no else SETTLE), found
    insured = context.wiring.insured
    return await insured.job_of(session, out_trade_no, out_refund_no) if insured else None
