"""Paying a bill by medical insurance: to the authorisation page and back, the split, the patient's choice.

Nothing is chosen here for her: each choice is a tap of hers on a button that shows the amounts.
"""

from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from miniapp_mock.front import cookies
from miniapp_mock.front.backend_client import Refused
from miniapp_mock.front.forms import path_id, read_json
from miniapp_mock.front.pages.login import back_from_wechat
from miniapp_mock.front.pages.payments import bill_page
from miniapp_mock.front.screen import go, patient, screen_of, show

NOT_AUTHORISED = "您没有完成医保授权，可以再试一次，也可以选择全部自费"
BROKEN = "医保授权没有完成，请回到账单重新选择"


async def authorise(request: Request) -> Response:
    """Where she authorises: the address of the page, and where its answer goes. Bound to this browser by a cookie."""
    payment_id = path_id(request, "payment_id")
    shown = await patient(request).get(f"/payments/{payment_id}/insurance")
    settings, state = screen_of(request).settings, cookies.fresh()
    back = f"/payments/{payment_id}/insurance/return?{urlencode({'state': state})}"
    query = urlencode(shown["invitation"] | {"redirectUrl": settings.front_url + back})
    response = JSONResponse({"page": f"{settings.authorisation_page}?{query}", "back": back})
    following = quote(f"/payments/{payment_id}", safe="")
    cookies.write(response, cookies.LOGIN, f"{state}|{following}")
    return response


async def come_back(request: Request) -> Response:
    """The code becomes a split; what the insurance refuses stands on the bill, beside the full amount."""
    following = back_from_wechat(request, BROKEN)
    payment_id, code = path_id(request, "payment_id"), request.query_params.get("authCode", "")
    if request.query_params.get("retCode") != "0" or not code:
        response = await bill_page(request, NOT_AUTHORISED)
    else:
        try:
            await patient(request).post(f"/payments/{payment_id}/insurance", {"code": code})
            response = go(following)
        except Refused as refused:
            if refused.status == 401:
                raise
            response = await bill_page(request, _words(refused))
    cookies.drop(response, cookies.LOGIN)
    return response


def _words(refused: Refused) -> str:
    """For the user: what is wrong with a field is more than that something is."""
    return next(iter(refused.fields.values()), refused.detail)


async def confirm(request: Request) -> Response:
    """She accepts the split that her page showed; what `wx.requestMedicalInsurancePay` needs."""
    shown = await read_json(request)
    path = f"/payments/{path_id(request, 'payment_id')}/insurance/confirm"
    return JSONResponse(await patient(request).post(path, shown))


async def self_pay(request: Request) -> Response:
    """She chose to pay all of it herself, the amount before her eyes; what WeChat's cashier needs."""
    api, payment_id = patient(request), path_id(request, "payment_id")
    await api.post(f"/payments/{payment_id}/self-pay")
    return JSONResponse(await api.post(f"/payments/{payment_id}/prepay"))


async def e_bills(request: Request) -> Response:
    """The e-bills of a bill."""
    api, payment_id = patient(request), path_id(request, "payment_id")
    row = await api.get(f"/payments/{payment_id}")
    found = await api.get(f"/payments/{payment_id}/e-bills")
    return await show(request, "patient/e_bills.html", back=f"/payments/{payment_id}", row=row, found=found)


ROUTES: list[BaseRoute] = [
    Route("/payments/{payment_id:uuid}/insurance/authorise", authorise, methods=["POST"]),
    Route("/payments/{payment_id:uuid}/insurance/return", come_back),
    Route("/payments/{payment_id:uuid}/insurance/confirm", confirm, methods=["POST"]),
    Route("/payments/{payment_id:uuid}/self-pay", self_pay, methods=["POST"]),
    Route("/payments/{payment_id:uuid}/e-bills", e_bills),
]
