"""Bills: what is to be paid and for what, WeChat's cashier and back, what became of it."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from miniapp_mock.front.backend_client import Api
from miniapp_mock.front.forms import path_id
from miniapp_mock.front.screen import go, is_fragment, leave, patient, show

OPEN = ("created", "pending")
SETTLED = ("confirmed", "failed", "cancelled")
INSURANCE_CALL = "requestMedicalInsurancePay"
CALLS = ("requestPayment", INSURANCE_CALL)
KEPT = "您取消了支付，号源和账单还为您保留"
NOTICES = {
    "appointment": "TPL_VISIT_ACCEPTED,TPL_CANCELLED,TPL_REFUNDED",
    "prescription": "TPL_SHIPPED,TPL_PICK_UP,TPL_REFUNDED",
}
"""Which messages are worth asking for after paying; one consent is one message."""


async def subject_link(api: Api, bill: Any) -> str:
    """The page of what the bill is for; nothing when somebody paid for another and the visit is not hers to see."""
    if bill["subject_kind"] != "appointment":
        return f"/prescriptions/{bill['subject_id']}"
    known = await api.find(f"/appointments/{bill['subject_id']}")
    return f"/visits/{bill['subject_id']}" if known else ""


async def bill(request: Request) -> Response:
    """One bill with its lines, who pays what, its e-bills and its refunds."""
    return await bill_page(request)


async def bill_page(request: Request, words: str = "") -> Response:
    """The page of a bill; `words` say what just happened. While it is open the ways to pay it are offered."""
    api, payment_id = patient(request), path_id(request, "payment_id")
    row = await api.get(f"/payments/{payment_id}")
    is_open = row["state"] in OPEN
    insured = await api.get(f"/payments/{payment_id}/insurance") if is_open else None
    e_bills = [] if is_open else await api.get(f"/payments/{payment_id}/e-bills")
    link = await subject_link(api, row)
    return await show(
        request, "patient/payment.html", back=link, row=row, link=link, words=words, insured=insured, e_bills=e_bills,
    )  # fmt: skip


async def prepay(request: Request) -> Response:
    """What WeChat's cashier needs, for `wxbridge.pay`."""
    return JSONResponse(await patient(request).post(f"/payments/{path_id(request, 'payment_id')}/prepay"))


async def come_back(request: Request) -> Response:
    """From the cashier. The phone's word is a hint: only a cancelled one is believed, because it costs nothing."""
    payment_id = path_id(request, "payment_id")
    result = request.query_params.get("result", "")
    called, failed, why = result.partition(":fail")
    cancelled = why.strip() == "cancel"
    if failed and called in CALLS:
        if called == INSURANCE_CALL and not cancelled:  # perhaps her cash was taken: WeChat is asked at once
            await patient(request).post(f"/payments/{payment_id}/refresh")
        row = await patient(request).get(f"/payments/{payment_id}")
        if row["state"] not in SETTLED:
            return await bill_page(request, KEPT if cancelled else why.strip())
    return go(f"/payments/{payment_id}/result")


async def result(request: Request) -> Response:
    """Asked of WeChat by the backend until it is certain; as a fragment the page keeps asking."""
    row = await patient(request).post(f"/payments/{path_id(request, 'payment_id')}/refresh")
    tries = (
        int(request.query_params.get("tries", "0")) if request.query_params.get("tries", "").isdigit() else 0
    )
    if row["state"] in OPEN:
        insured = await patient(request).get(f"/payments/{row['id']}/insurance")
        if insured["choice_needed"]:
            return leave(request, f"/payments/{row['id']}")
    template = "patient/payment_state.html" if is_fragment(request) else "patient/payment_result.html"
    link = await subject_link(patient(request), row)
    return await show(
        request, template, back=link, row=row, link=link, tries=tries + 1,
        notices=NOTICES.get(row["subject_kind"], ""), asked=request.query_params.get("notices"),
    )  # fmt: skip


ROUTES: list[BaseRoute] = [
    Route("/payments/{payment_id:uuid}", bill),
    Route("/payments/{payment_id:uuid}/prepay", prepay, methods=["POST"]),
    Route("/payments/{payment_id:uuid}/return", come_back),
    Route("/payments/{payment_id:uuid}/result", result),
]
